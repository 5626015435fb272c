"""The Singer tap for the Sage 300 Web API: settings and command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ml_connector.extract import VERSIONS, ErpTap, common_settings
from singer_sdk import typing as th
from typing_extensions import override

from tap_sage300.accounts import CHART, ChartOfAccounts
from tap_sage300.client import Sage300Client
from tap_sage300.connection_test import check
from tap_sage300.control_totals import control_totals
from tap_sage300.discovery import ServerDescription, discover, extra_resources
from tap_sage300.errors import Sage300Error
from tap_sage300.streams import RESOURCES
from tap_sage300.streams.base import DocumentStream, Sage300Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml_connector.extract import Finding


_EXTRA_RESOURCE = th.ObjectType(
    th.Property("module", th.StringType, required=True, description="The address' module segment: TU."),
    th.Property("entity_set", th.StringType, required=True, description="The entity set: TUPaymentCodes."),
    th.Property("name", th.StringType, description="Stream name; by default the entity set in snake_case."),
    th.Property("key", th.ArrayType(th.StringType), description="Key; by default as $metadata declares it."),
    th.Property("replication_key", th.StringType, description="Date or number that moves with each change."),
)


class TapSage300(ErpTap):
    """Reads companies of Sage 300 (Accpac) through the Sage 300 Web API."""

    name = "tap-sage300"
    foreseen = (Sage300Error,)

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "base_url",
            th.StringType,
            required=True,
            title="Base URL",
            description="Address of the Web API, up to and including /v1.0/-.",
            examples=["https://erp.example.com/Sage300WebApi/v1.0/-"],
        ),
        th.Property(
            "companies",
            th.ArrayType(th.StringType),
            required=True,
            title="Companies",
            description="Org IDs of the company databases to read.",
            examples=[["SAMINC", "SAMLTD"]],
        ),
        th.Property(
            "username",
            th.StringType,
            required=True,
            title="User",
            description=(
                "A Sage 300 user whose security groups have the authorization 'Sage 300 Web API'; not ADMIN."
                " Sent in capitals."
            ),
        ),
        th.Property(
            "password",
            th.StringType,
            required=True,
            secret=True,
            title="Password",
            description="The user's password, plain or enc:v1:...; sent in capitals.",
        ),
        th.Property(
            "extra_resources",
            th.ArrayType(_EXTRA_RESOURCE),
            title="Extra resources",
            description="Partners' endpoints to read besides Sage's own; their schemas come from $metadata.",
        ),
        th.Property(
            "flatten_optional_fields",
            th.CustomType({"type": ["boolean", "array", "null"], "items": {"type": "string"}}),
            default=False,
            title="Flatten optional fields",
            description=(
                "Make a column of each optional field, named by its code: true for all streams, or a list of"
                " stream names and globs. The arrays stay as they are."
            ),
        ),
        *common_settings(),
        VERSIONS,
    ).to_dict()

    def __init__(self, **options: Any) -> None:
        self._clients: dict[str, Sage300Client] = {}
        self._accounts: dict[str, ChartOfAccounts] = {}
        self._forgiving = False
        super().__init__(**options)

    @property
    def companies(self) -> list[str]:
        """The companies to read, each once, in the order of the settings."""
        return list(dict.fromkeys(self.config.get("companies") or ()))

    def client(self, company: str) -> Sage300Client:
        """Give a company's client; its session lives as long as the tap.

        Args:
            company: The Org ID.

        Returns:
            The client.

        Raises:
            Sage300Error: `base_url` is no web address.
            SecretError: The password cannot be decrypted.
        """
        if company not in self._clients:
            self._clients[company] = Sage300Client(self.config, company, logger=self.logger)
        return self._clients[company]

    def accounts(self, company: str) -> ChartOfAccounts:
        """Give a company's chart of accounts, with what the selected streams want of it.

        It is read when it is first asked, and lives as long as the tap.

        Args:
            company: The Org ID.

        Returns:
            The chart.
        """
        if company not in self._accounts:
            streams = [s for s in self.streams.values() if isinstance(s, Sage300Stream) and s.selected]
            known = self.streams[CHART.stream].schema["properties"]
            wanted = {name for stream in streams for name in stream.looked_up if name in known}
            self._accounts[company] = ChartOfAccounts(self.client(company), wanted)
        return self._accounts[company]

    @override
    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    @override
    def discover_streams(self) -> Sequence[Sage300Stream]:
        return discover(self, self._description(), self.input_catalog)

    def _description(self) -> ServerDescription | None:
        """Ask the server for its own fields, unless a catalog or the settings say otherwise."""
        complete = all(self.config.get(name) for name in ("base_url", "companies", "username"))
        if (
            self.input_catalog is not None
            or not complete
            or self.config.get("discover_custom_fields") is False
        ):
            return None
        return ServerDescription([self.client(name) for name in self.companies], forgiving=self._forgiving)

    @override
    def control_totals(self) -> dict[str, Any]:
        """Count and sum the selected streams.

        Returns:
            The document of `tap_sage300.control_totals.control_totals`.

        Raises:
            Sage300Error: The server refuses, or an error outlived all retries.
        """
        roots = [stream for stream in self.streams.values() if isinstance(stream, DocumentStream)]
        return control_totals(roots, self.companies)

    @override
    def findings(self) -> Iterator[Finding]:
        return check(self.companies, self.modules, self.client)

    @override
    def forgive(self) -> None:
        self._forgiving = True

    @property
    def modules(self) -> list[str]:
        """The modules of all streams, extra resources included."""
        return sorted({resource.module for resource in (*RESOURCES, *extra_resources(self.config))})
