"""The Singer tap for Sage X3: command line, and which of the two APIs it reads."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import click
from ml_connector.extract.asking import read_pages
from ml_connector.extract.errors import ApiError, SignInRefused, StreamUnavailable
from ml_connector.extract.http import HttpSettings, PoliteSession
from ml_connector.extract.rows import PageColumns
from ml_connector.extract.source import ReadRequest, Selection
from ml_connector.extract.tap import Tap
from typing_extensions import override

from tap_sagex3 import tokens
from tap_sagex3.auth import missing_settings
from tap_sagex3.client import Client, make_login
from tap_sagex3.dimensions import COLUMN, columns_made, convention, derived
from tap_sagex3.extra import SiteFiles, extra_resources
from tap_sagex3.schema_cache import SchemaCache
from tap_sagex3.settings import SECRETS, SETTINGS
from tap_sagex3.sources.graphql import GraphqlSource
from tap_sagex3.sources.rest import RestSource
from tap_sagex3.streams import RESOURCES
from tap_sagex3.streams.resource import MOMENT_ONLY, Lines, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ml_connector.extract.rows import Derive
    from ml_connector.extract.source import Source
    from ml_connector.extract.streams import ResourceStream

    from tap_sagex3.auth import Authorization
    from tap_sagex3.dimensions import Convention

FILES = SiteFiles("tap_sagex3")
_TYPES: Resource = next(each for each in RESOURCES if each.stream == "dimension_types")


class TapSageX3(Tap):
    """Reads folders of Sage X3 through its REST web services or GraphQL."""

    name = "tap-sagex3"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS
    files = FILES
    secrets = SECRETS
    companies_setting = "folders"
    #: Company of the folder, and ledger: whose rows repeat the same entry.
    apart = ("CPY", "LEDTYP")

    def __init__(self, **options: Any) -> None:
        self._login: Authorization | None = None
        self._kinds: dict[str, list[str]] = {}
        super().__init__(**options)

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """The documents to read, as the settings have them.

        Lines for which `representations` names a class of their own are read by themselves, from a list that
        the site made for it: one request a page instead of one a document.
        """
        extra = extra_resources(self.config)
        if self.config.get("api") != "rest":
            return (*RESOURCES, *extra)
        own = self.config.get("representations") or {}
        return (*(part for each in RESOURCES for part in _split(each, own)), *extra)

    @override
    def missing_settings(self) -> str:
        return missing_settings(self.config) or ""

    @override
    def make_source(self, partition: Mapping[str, Any], *, testing: bool = False) -> Source:
        config, folder = self.revealed, str(partition["source_company"])
        if self._login is None:
            self._login = make_login(config, HttpSettings.from_config(config), self.logger)
        client = Client(config, folder, self._login, self.logger)
        if config.get("api") == "rest":
            return RestSource(client, config.get("representations") or {}, self.logger)
        return GraphqlSource(
            client,
            str(config.get("schema_generation") or "auto"),
            self.logger,
            [each for each in self.resources if each.node],
            config.get("properties"),
            SchemaCache(config, folder, tokens.DEFAULT_TOKEN_FILE),
        )

    @cached_property
    def convention(self) -> Convention:
        """How dimensions become columns."""
        return convention(self.config.get("dimensions"))

    @override
    def derive(self, stream: ResourceStream) -> tuple[Derive | None, frozenset[str], frozenset[str]]:
        made = columns_made(self.convention, stream.columns, stream.schema["properties"])
        sources = frozenset(name for pair in self.convention.pairs for name in pair) if made else frozenset()
        return derived(self.convention, made, self._kinds_of), made, sources

    @override
    def added_columns(self, schema: dict[str, Any]) -> None:
        # lines inside a document keep their positions only; their own stream has the columns
        kinds = sorted({kind for kinds in self._kinds.values() for kind in kinds})
        for name in self.convention.columns(schema["properties"], kinds):
            schema["properties"].setdefault(name, dict(COLUMN))

    @override
    def reachable(self, sources: list[Source]) -> list[Source]:
        reached = []
        for source in sources:
            try:
                self._kinds_of(source.partition)
            except ApiError as error:
                if not self.best_effort or isinstance(error, SignInRefused):
                    raise
                folder = source.partition["source_company"]
                self.logger.warning("%s is not asked for its own fields: %s", folder, error)
                continue
            reached.append(source)
        return reached

    def _kinds_of(self, partition: Mapping[str, Any]) -> list[str]:
        """A folder's dimension types in their order, asked for once; none if it does not show them."""
        folder, name = str(partition["source_company"]), _TYPES.key[0]
        if folder not in self._kinds:
            found: list[str] = []
            request = ReadRequest(_TYPES, Selection(frozenset(_TYPES.key)))
            try:
                for page in read_pages(self.source(partition), request, 0):
                    found += map(str, PageColumns(page.levels(), {}).column((), name) or ())
            except StreamUnavailable as missing:
                self.logger.warning("Dimensions of %s are not named by their types: %s", folder, missing)
            self._kinds[folder] = found
        return self._kinds[folder]

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.params.append(
            click.Option(
                ["--authorize"],
                is_flag=True,
                help="Pair with a customer of Sage X3 Cloud, keep the refresh token, and exit.",
            )
        )
        return command

    @classmethod
    @override
    def invoke(cls, *, authorize: bool = False, **options: Any) -> None:
        """Run the tap.

        Args:
            authorize: Pair the application instead.
            options: Those of `Tap.invoke`.
        """
        if not authorize:
            super().invoke(**options)
            return
        config = options.get("config")
        tap = cls(
            config=config.config if config else None,
            parse_env_config=bool(config and config.parse_env),
            setup_mapper=False,
        )
        tap.pair()

    def pair(self) -> None:
        """Have a person accept the application in a browser, and keep the refresh token (reference 3.2).

        Raises:
            ApiError: A setting is missing, or Sage refuses.
        """
        config = {**self.revealed, "auth": "authorization_code"}
        if problem := missing_settings(config):
            raise ApiError(f"The settings are not complete: {problem}")
        state = secrets.token_urlsafe()
        click.echo(
            "Open this address in a browser, accept, and paste the address that you come to:", err=True
        )
        click.echo(tokens.authorise_url(config, state), err=True)
        code = tokens.code_of(sys.stdin.readline(), state)
        http = PoliteSession(HttpSettings.from_config(config), logger=self.logger)
        tokens.Tokens(config, http).pair(code)
        click.echo(f"Paired. The refresh token is kept in {config.get('token_file')}.", err=True)


def _split(resource: Resource, own: Mapping[str, Any]) -> Iterator[Resource]:
    flat: list[Resource] = []

    def without(lines: Sequence[Lines]) -> tuple[Lines, ...]:
        kept = []
        for each in lines:
            if (own.get(each.stream) or {}).get("class"):
                flat.append(_flat(each, resource))
                flat.extend(_flat(inner, resource) for inner in each.lines)
            else:
                kept.append(replace(each, lines=without(each.lines)))
        return tuple(kept)

    yield replace(resource, lines=without(resource.lines))
    yield from (each for each in flat if (own.get(each.stream) or {}).get("class"))


def _flat(lines: Lines, resource: Resource) -> Resource:
    stamped = {"stamps": MOMENT_ONLY} if "UPDDAT" not in FILES.document(lines)["properties"] else {}
    return Resource(
        lines.stream,
        lines.table,
        lines.key,
        lines.node,
        resource.package,
        period=lines.period,
        measures=lines.measures,
        **stamped,  # type: ignore[arg-type]
    )
