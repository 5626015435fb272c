"""The Singer tap for Sage Intacct: settings and command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ml_connector.extract import VERSIONS, ErpTap, common_settings, parse_lookback
from ml_connector.extract.settings import DEFAULT_PREFETCH_PAGES
from ml_connector.secrets import reveal_config
from singer_sdk import typing as th
from typing_extensions import override

from tap_sageintacct import filters
from tap_sageintacct.client import Client, Query
from tap_sageintacct.connection_test import check
from tap_sageintacct.control_totals import control_totals
from tap_sageintacct.deletes import Deleted, deleted
from tap_sageintacct.discovery import described, discover, resources
from tap_sageintacct.errors import IntacctError
from tap_sageintacct.reading import query_of
from tap_sageintacct.schema_files import shipped
from tap_sageintacct.session import DEFAULT_LIFETIME, DEFAULT_URL
from tap_sageintacct.streams.base import IntacctStream
from tap_sageintacct.streams.trial_balances import RESOURCE as TRIAL_BALANCES
from tap_sageintacct.streams.trial_balances import TrialBalanceStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml_connector.extract import Finding
    from singer_sdk import Stream

    from tap_sageintacct.xml import Result

SECRETS = ("sender_password", "user_password")
LOOKBACK = "PT3H"
"""Rows become visible late: others have met two and a half hours (reference section 2.5)."""
REQUEST_TIMEOUT = 900.0
"""The gateway works up to 15 minutes on a request. One that is given up before runs on, and its
repetition has to wait for it: one job runs at a time."""
_NEEDED = ("sender_id", "sender_password", "company_id", "user_id", "user_password")


@dataclass
class Changed:
    """The documents of a stream and entity that changed or went.

    Attributes:
        since: From when on they are known.
        keys: Their RECORDNOs.
    """

    since: datetime
    keys: dict[str, None] = field(default_factory=dict)


class TapSageIntacct(ErpTap):
    """Reads a company of Sage Intacct through the XML Gateway."""

    name = "tap-sageintacct"
    foreseen = (IntacctError,)

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "sender_id",
            th.StringType,
            required=True,
            title="Sender",
            description="Web Services sender id; the company must list it as authorized.",
        ),
        th.Property(
            "sender_password",
            th.StringType,
            required=True,
            secret=True,
            title="Sender's password",
            description="The sender's password, plain or enc:v1:...",
        ),
        th.Property("company_id", th.StringType, required=True, title="Company", description="Company id."),
        th.Property(
            "user_id",
            th.StringType,
            required=True,
            title="User",
            description="A Web Services user of the company, with List and View rights.",
        ),
        th.Property(
            "user_password",
            th.StringType,
            required=True,
            secret=True,
            title="User's password",
            description="The user's password, plain or enc:v1:...",
        ),
        th.Property(
            "entity_ids",
            th.ArrayType(th.StringType),
            title="Entities",
            description=(
                "Entities to read, each in a session and with bookmarks of its own; an empty text is the top"
                " level. Without it, the top level, which sees every entity's records."
            ),
            examples=[["E100", "E200"]],
        ),
        th.Property(
            "base_url",
            th.StringType,
            default=DEFAULT_URL,
            title="Base URL",
            description="Where to sign in; later requests go to the endpoint that the gateway names.",
        ),
        th.Property(
            "session_lifetime",
            th.IntegerType(minimum=1),
            default=DEFAULT_LIFETIME,
            title="Session lifetime",
            description="Seconds after which a session is renewed, before Intacct ends it.",
        ),
        th.Property(
            "timezone",
            th.StringType,
            default="UTC",
            title="Time zone",
            description=(
                "Zone of the user's timestamps, as an IANA name. Intacct shows them in the zone of the user's"
                " preferences: best set the API user to GMT, and leave this at UTC."
            ),
            examples=["America/Los_Angeles"],
        ),
        th.Property(
            "extra_objects",
            th.ArrayType(th.StringType),
            title="Extra objects",
            description=(
                "Objects to read besides those that the tap knows, with the fields of their lookup: a name,"
                " or NAME:readByQuery for one that the newer query does not serve, which is read whole."
            ),
            examples=[["PROGRAM", "GLACCTALLOCATION:readByQuery"]],
        ),
        *common_settings(LOOKBACK, REQUEST_TIMEOUT),
        VERSIONS,
    ).to_dict()

    def __init__(self, **options: Any) -> None:
        self._clients: dict[str, Client] = {}
        self._changed: dict[tuple[str, str], Changed] = {}
        self._deleted: dict[str, list[Deleted]] = {}
        self._first_pages: dict[str, dict[str, Result]] = {}
        self._forgiving = False
        super().__init__(**options)

    @property
    def company(self) -> str:
        """The company."""
        return str(self.config.get("company_id") or "")

    @property
    def entities(self) -> list[str]:
        """The entities to read, each once; the empty text is the top level."""
        return list(dict.fromkeys(self.config.get("entity_ids") or [""]))

    @cached_property
    def zone(self) -> tzinfo:
        """The zone of the user's timestamps.

        Raises:
            IntacctError: There is no such zone.
        """
        name = str(self.config.get("timezone") or "UTC")
        if name.upper() == "UTC":
            return timezone.utc
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise IntacctError(
                f"The setting timezone is '{name}': give an IANA name such as America/New_York."
            ) from error

    @property
    def prefetch_pages(self) -> int:
        """How many pages are fetched while earlier ones are written."""
        given = self.config.get("prefetch_pages")
        return DEFAULT_PREFETCH_PAGES if given is None else int(given)

    def client(self, entity: str) -> Client:
        """Give an entity's client; its session lives as long as the tap.

        Args:
            entity: The entity; empty for the top level.
        """
        if entity not in self._clients:
            config = {**self.config, **reveal_config(self.config, SECRETS)}
            self._clients[entity] = Client(config, entity, self.logger)
        return self._clients[entity]

    def begin_changes(self, stream: str, client: Client, since: datetime) -> None:
        """Say that a stream is about to tell of every document that changed.

        Args:
            stream: The documents' stream.
            client: The entity's client.
            since: From when on it tells.
        """
        self._changed[stream, client.entity] = Changed(since)

    def note_changed(self, stream: str, client: Client, keys: Sequence[str]) -> None:
        """Remember documents that changed, for their lines."""
        if (changed := self._changed.get((stream, client.entity))) is not None:
            changed.keys.update(dict.fromkeys(keys))

    def changed_parents(self, stream: str, client: Client, since: datetime) -> list[str]:
        """RECORDNO of the documents that changed or went, as their stream told or else the gateway tells.

        Args:
            stream: The documents' stream.
            client: The entity's client.
            since: From when on the lines need to know.
        """
        told = self._changed.get((stream, client.entity))
        # A run that was cut short may have moved the documents' bookmark and not come to their lines.
        if told is None or told.since > since:
            told = self._changed[stream, client.entity] = Changed(since)
            parent = next(each for each in resources(self.config) if each.stream == stream)
            moment = filters.moment(since, self.zone)
            condition = filters.compared("greaterthanorequalto", str(parent.replication_key), moment)
            for page in client.pages(Query(parent.object, ("RECORDNO",), condition)):
                told.keys.update(dict.fromkeys(str(record["RECORDNO"]) for record in page))
            gone = deleted(client, {parent.object}, since, self.zone, self.logger)
            told.keys.update(dict.fromkeys(each.recordno for each in gone if each.recordno))
        return list(told.keys)

    @property
    def lookback(self) -> timedelta:
        """How far before its bookmark a stream reads again.

        Raises:
            IntacctError: The setting is no duration.
        """
        try:
            return parse_lookback(self.config.get("lookback"))
        except ValueError as error:
            raise IntacctError(str(error)) from error

    def parent_object(self, stream: IntacctStream) -> str:
        """The object of the documents whose lines a stream holds."""
        return next(each.object for each in resources(self.config) if each.stream == stream.resource.parent)

    def unnamed(self, stream: IntacctStream, client: Client) -> list[Deleted]:
        """What was deleted of a stream's object, or of its lines' documents, and is not named by RECORDNO.

        Args:
            stream: The stream.
            client: The entity's client.

        Returns:
            The deletes that only reading all can find the records of; none of a stream not read before.
        """
        resource = stream.resource
        if not (resource.audited or resource.parent) or not stream.partition(client).get("deletes_since"):
            return []
        name = self.parent_object(stream) if resource.parent else resource.object
        gone = self.deleted(client, self.lookback)
        return [each for each in gone if each.object == name and each.recordno is None]

    def bookmark(self, stream: str, client: Client) -> str | None:
        """How far a stream has been read in an entity, ISO; None if it is not read or was not yet.

        Args:
            stream: The stream.
            client: The entity's client.
        """
        found = self.streams.get(stream)
        if not isinstance(found, IntacctStream) or not found.selected:
            return None
        known = found.partition(client).get("replication_key_value")
        return str(known) if known else None

    def deleted(self, client: Client, lookback: timedelta) -> list[Deleted]:
        """What the audit trail says was deleted, asked for once for all streams of an entity.

        Args:
            client: The entity's client.
            lookback: How far before the last run to look.
        """
        if client.entity not in self._deleted:
            selected = self._selected()
            streams = [stream for stream in selected if stream.resource.audited]
            # lines, too: a run that was cut short may have told of a document and not come to its lines
            told = [stream for stream in selected if stream.resource.audited or stream.resource.parent]
            marks = [stream.partition(client).get("deletes_since") for stream in told]
            known = [filters.read_moment(str(mark)) for mark in marks if mark]
            since = min(known, default=datetime.now(timezone.utc)) - lookback
            objects = {stream.resource.object for stream in streams}
            objects |= {self.parent_object(stream) for stream in told if stream.resource.parent}
            self._deleted[client.entity] = list(deleted(client, objects, since, self.zone, self.logger))
        return self._deleted[client.entity]

    def first_page(self, stream: IntacctStream, client: Client) -> Result | None:
        """The first page of a small object that is read whole: asked for with those of all others like it."""
        if client.entity not in self._first_pages:
            queries = {
                each.name: query_of(each)
                for each in self._selected()
                if each.resource.small
                and not each.partition(client).get("replication_key_value")
                and not each.partition(client).get("progress")
                and not (each.replication_key and self.config.get("start_date"))
            }
            # a single one gains nothing by being asked for early
            together = queries if len(queries) > 1 else {}
            self._first_pages[client.entity] = client.first_pages(together)
        return self._first_pages[client.entity].pop(stream.name, None)

    @override
    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams by name, documents before their lines; the SDK would sort them by name."""
        if self._streams is None:
            found = super().streams
            names = [each.stream for each in (*resources(self.config), TRIAL_BALANCES)]
            order = {name: place for place, name in enumerate(names)}
            self._streams = dict(sorted(found.items(), key=lambda item: order[item[0]]))
        return self._streams

    @override
    def discover_streams(self) -> Sequence[IntacctStream]:
        wanted = resources(self.config)
        balances = TrialBalanceStream(self, TRIAL_BALANCES, shipped(TRIAL_BALANCES.stream))
        if self.input_catalog is not None:
            known = {entry.tap_stream_id: entry.schema.to_dict() for entry in self.input_catalog.streams}
            found = described(wanted, known)
            return [*(IntacctStream(self, each, schema) for each, schema in found), balances]
        complete = all(self.config.get(name) for name in _NEEDED)
        asks = complete and self.config.get("discover_custom_fields") is not False
        clients = [self.client(entity) for entity in self.entities] if asks else []
        found = discover(wanted, clients, self.logger, forgiving=self._forgiving)
        return [*(IntacctStream(self, each, schema) for each, schema in found), balances]

    @override
    def findings(self) -> Iterator[Finding]:
        objects = [each.object for each in resources(self.config)]
        clients = [self.client(entity) for entity in self.entities]
        return check(clients, objects, str(self.config["user_id"]), self.zone)

    @override
    def control_totals(self) -> dict[str, Any]:
        return control_totals([each for each in self._selected() if each.resource is not TRIAL_BALANCES])

    @override
    def forgive(self) -> None:
        self._forgiving = True

    def _selected(self) -> list[IntacctStream]:
        streams = [stream for stream in self.streams.values() if isinstance(stream, IntacctStream)]
        return [stream for stream in streams if stream.selected]
