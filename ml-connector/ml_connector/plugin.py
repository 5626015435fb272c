"""What taps and targets do with their settings before anything else looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import PluginBase
from typing_extensions import override

from ml_connector.config_errors import config_errors, secret_names
from ml_connector.environment import environment_config
from ml_connector.secrets import clean_config

if TYPE_CHECKING:
    from collections.abc import Collection


class CheckedSettings(PluginBase):
    """A plugin whose settings are read in their types, and judged without a word of their values."""

    secrets: ClassVar[Collection[str]] = ()
    """Names of secret settings, besides those that the schema declares so."""
    invalid_setting: ClassVar[type[Exception]] = ValueError
    """Raised with what is wrong, in sentences."""

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - the SDK's word for a property of a class
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        return environment_config(schema, cls._env_var_prefix)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        cleaned = clean_config(self._config, secret_names(schema) | set(self.secrets))
        self._config.clear()
        self._config.update(cleaned)
        if raise_errors and (errors := config_errors(self._config, schema)):
            raise self.invalid_setting(" ".join(errors))
        # the validator fills in the defaults
        return super()._validate_config(raise_errors=False)
