"""The Singer tap for Sage X3: command line, and what its streams share."""

from __future__ import annotations

import secrets
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import click
from ml_connector.extract import ErpTap, HttpSettings, PoliteSession, parse_lookback
from ml_connector.extract.settings import DEFAULT_PREFETCH_PAGES
from ml_connector.secrets import reveal_config
from typing_extensions import override

from tap_sagex3 import tokens
from tap_sagex3.api import Question, Wanted
from tap_sagex3.auth import complete
from tap_sagex3.client import Client, make_login
from tap_sagex3.connection_test import check
from tap_sagex3.control_totals import control_totals
from tap_sagex3.dimensions import convention
from tap_sagex3.discovery import discover, resources
from tap_sagex3.errors import SageX3Error, StreamUnavailable
from tap_sagex3.graphql import GraphqlApi
from tap_sagex3.rest import RestApi
from tap_sagex3.settings import SECRETS, SETTINGS
from tap_sagex3.streams import RESOURCES
from tap_sagex3.streams.base import DocumentStream, SageX3Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from ml_connector.extract import Finding

    from tap_sagex3.api import Api
    from tap_sagex3.auth import Authorization
    from tap_sagex3.dimensions import Convention
    from tap_sagex3.streams.resource import Resource

_TYPES: Resource = next(each for each in RESOURCES if each.stream == "dimension_types")


class TapSageX3(ErpTap):
    """Reads folders of Sage X3 through its REST web services or GraphQL."""

    name = "tap-sagex3"
    foreseen = (SageX3Error,)
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS

    def __init__(self, **options: Any) -> None:
        self._apis: dict[str, Api] = {}
        self._login: Authorization | None = None
        self._types: dict[str, list[str]] = {}
        self._forgiving = False
        super().__init__(**options)

    @property
    def folders(self) -> list[str]:
        """The folders to read, each once, in the order of the settings."""
        return list(dict.fromkeys(self.config.get("folders") or ()))

    @property
    def prefetch_pages(self) -> int:
        """How many pages are fetched while earlier ones are written."""
        given = self.config.get("prefetch_pages")
        return DEFAULT_PREFETCH_PAGES if given is None else int(given)

    @property
    def lookback(self) -> timedelta:
        """How far before its bookmark a stream reads again.

        Raises:
            SageX3Error: The setting is no duration.
        """
        try:
            return parse_lookback(self.config.get("lookback"))
        except ValueError as error:
            raise SageX3Error(str(error)) from error

    @cached_property
    def convention(self) -> Convention:
        """How dimensions become columns."""
        return convention(self.config.get("dimensions"))

    def api(self, folder: str) -> Api:
        """Give a folder's API; its connections live as long as the tap.

        Args:
            folder: The endpoint's name.

        Raises:
            SignInRefused: A setting of the sign-in is missing.
        """
        if folder not in self._apis:
            self._apis[folder] = self._made(folder, self.config.get("page_size"))
        return self._apis[folder]

    def _made(self, folder: str, page_size: int | None) -> Api:
        config = self._revealed
        if self._login is None:
            self._login = make_login(config, HttpSettings.from_config(config), self.logger)
        client = Client(config, folder, self._login, self.logger)
        if config.get("api") == "rest":
            return RestApi(client, page_size, config.get("representations") or {}, self.logger)
        generation = str(config.get("schema_generation") or "auto")
        return GraphqlApi(client, page_size, generation, self.logger)

    @property
    def _revealed(self) -> Mapping[str, Any]:
        return {**self.config, **reveal_config(self.config, SECRETS)}

    def dimension_types(self, folder: str) -> list[str]:
        """A folder's dimension types in their order, asked for once; none if it does not show them.

        Raises:
            SageX3Error: The server refuses, or an error outlived all retries.
        """
        if folder not in self._types:
            found: list[str] = []
            try:
                for page in self.api(folder).pages(_TYPES, Question(Wanted(frozenset(_TYPES.key)))):
                    found += [str(record[_TYPES.key[0]]) for record in page.records]
            except StreamUnavailable as missing:
                self.logger.warning("Dimensions of %s are not named by their types: %s", folder, missing)
            self._types[folder] = found
        return self._types[folder]

    def root_of(self, stream: SageX3Stream) -> DocumentStream:
        """The stream of the documents that a stream's rows are made of."""
        return cast("DocumentStream", self.streams[stream.resource.stream])

    @override
    def close(self) -> None:
        for api in self._apis.values():
            api.close()
        self._apis.clear()

    @override
    def discover_streams(self) -> Sequence[SageX3Stream]:
        return discover(self, self._asked(), self.input_catalog, forgiving=self._forgiving)

    def _asked(self) -> list[Api]:
        """The folders to ask for their own fields, unless a catalog or the settings say otherwise."""
        known = bool(self.config.get("base_url") and self.folders) and not complete(self.config)
        if self.input_catalog is not None or not known or self.config.get("discover_custom_fields") is False:
            return []
        return [self.api(folder) for folder in self.folders]

    @override
    def control_totals(self) -> dict[str, Any]:
        roots = [stream for stream in self.streams.values() if isinstance(stream, DocumentStream)]
        found: dict[str, Any] = control_totals(
            [(root, root.outlets) for root in roots if root.outlets], self.folders
        )
        return found

    @override
    def findings(self) -> Iterator[Finding]:
        apis = [self._made(folder, 1) for folder in self.folders]
        try:
            yield from check(apis, resources(self.config))
        finally:
            for api in apis:
                api.close()

    @override
    def forgive(self) -> None:
        self._forgiving = True

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
            options: Those of `ErpTap.invoke`.
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
            SageX3Error: A setting is missing, or Sage refuses.
        """
        config = {**self._revealed, "auth": "authorization_code"}
        if problem := complete(config):
            raise SageX3Error(f"The settings are not complete: {problem}")
        state = secrets.token_urlsafe()
        click.echo(
            "Open this address in a browser, accept, and paste the address that you come to:", err=True
        )
        click.echo(tokens.authorise_url(config, state), err=True)
        code = tokens.code_of(sys.stdin.readline(), state)
        http = PoliteSession(HttpSettings.from_config(config), logger=self.logger)
        tokens.Tokens(config, http).pair(code)
        click.echo(f"Paired. The refresh token is kept in {config.get('token_file')}.", err=True)
