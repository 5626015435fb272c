"""The Singer tap for the Sage 300 Web API."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ml_connector.extract.control_totals import Measured
from ml_connector.extract.errors import ApiError, SignInRefused
from ml_connector.extract.resource import COMPANY
from ml_connector.extract.tap import Tap
from typing_extensions import override

from tap_sage300 import optional_fields
from tap_sage300.amounts import money_fields, period_fields
from tap_sage300.extra import declarations
from tap_sage300.old_states import upgraded
from tap_sage300.schema_files import FILES
from tap_sage300.session import Session
from tap_sage300.settings import SETTINGS
from tap_sage300.source import WebApi
from tap_sage300.streams.resource import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.extract.rows import Derive
    from ml_connector.extract.source import Source
    from ml_connector.extract.streams import ResourceStream

    from tap_sage300.streams.resource import Resource


class TapSage300(Tap):
    """Reads companies of Sage 300 (Accpac) through the Sage 300 Web API."""

    name = "tap-sage300"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS
    files = FILES
    secrets = ("password", "proxy_url")

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """The entity sets to read, as settings, catalog and servers have them."""
        return declarations(self.config, self.input_catalog, self._asked, self.logger)

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        # the Web API finds a company in any spelling: two spellings would be read as two companies
        names: dict[str, str] = {}
        for each in super().partitions:
            names.setdefault(str(each[COMPANY]).casefold(), each[COMPANY])
        return [{COMPANY: name} for name in names.values()]

    @override
    def make_source(self, partition: Mapping[str, Any], *, testing: bool = False) -> WebApi:
        session = Session(self.revealed, str(partition[COMPANY]), self.logger)
        return WebApi(session, self._looked_up, self.logger)

    @override
    def reachable(self, sources: list[Source]) -> list[Source]:
        return [source for source in sources if source in self._asked]

    @cached_property
    def _asked(self) -> list[WebApi]:
        """The companies that are asked for their own fields; one that is down does not hinder others."""
        offline = self.config.get("discover_custom_fields") is False
        if offline or self.input_catalog is not None or not self.is_configured:
            return []
        found: list[WebApi] = []
        failed: list[ApiError] = []
        for partition in self.partitions:
            source = cast("WebApi", self.source(partition))
            try:
                source.check()
            except SignInRefused:
                raise
            except ApiError as error:
                failed.append(error)
                self.logger.warning("%s is not asked for its own fields: %s", partition[COMPANY], error)
            else:
                found.append(source)
        if failed and not found and not self.best_effort:
            raise failed[0]
        return found

    def _looked_up(self) -> set[str]:
        """The columns that the selected streams take from the chart of accounts."""
        wanted = set[str]()
        for stream in self.streams.values():
            about = stream.lines or stream.resource  # type: ignore[attr-defined]
            if stream.selected and getattr(about, "account", None):
                wanted |= stream.columns & set(SEGMENTS)  # type: ignore[attr-defined]
        return wanted

    @override
    def derive(self, stream: ResourceStream) -> tuple[Derive | None, frozenset[str], frozenset[str]]:
        if not optional_fields.wanted(self.config.get("flatten_optional_fields"), stream.name):
            return super().derive(stream)
        collections = optional_fields.collections(stream.schema["properties"], stream.columns)
        return optional_fields.Columns(stream, collections), frozenset(), collections

    @override
    def measured(self, stream: ResourceStream) -> Measured:
        fiscal, dates = period_fields(stream.columns)
        amounts = [name for name in money_fields(stream.schema) if name in stream.columns]
        return Measured(stream.plan, dates, amounts, fiscal=fiscal)

    @override
    def upgrade_state(self, stream: str, partition: dict[str, Any]) -> None:
        about = cast("ResourceStream", self.streams[stream])
        upgraded(about.resource, about.lines, partition, about.schema["properties"])
