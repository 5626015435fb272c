"""The Singer tap for Sage Intacct: which sources, streams and columns it has."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ml_connector.extract.errors import ApiError, Denied
from ml_connector.extract.resource import COMPANY
from ml_connector.extract.rows import UNSET
from ml_connector.extract.state import iso, moment_of
from ml_connector.extract.streams import DocumentStream
from ml_connector.extract.tap import Tap
from typing_extensions import override

from tap_sageintacct import control_totals, extras, old_state
from tap_sageintacct.balances import RESOURCE as TRIAL_BALANCES
from tap_sageintacct.checks import check
from tap_sageintacct.files import FILES
from tap_sageintacct.preferences import zone_of
from tap_sageintacct.settings import NEEDED, SECRETS, SETTINGS
from tap_sageintacct.source import IntacctSource
from tap_sageintacct.streams import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ml_connector.extract.checks import Check
    from ml_connector.extract.rows import Derive, PageColumns, Path
    from ml_connector.extract.streams import ResourceStream

    from tap_sageintacct.streams import Resource

ENTITY = "source_entity"
OWNER = "MEGAENTITYID"
"""The entity that a record belongs to; empty if it is the top level's."""


class TapSageIntacct(Tap):
    """Reads a company of Sage Intacct through the XML Gateway."""

    name = "tap-sageintacct"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS
    files = FILES
    secrets = SECRETS
    companies_setting = "entity_ids"

    def __init__(self, **options: Any) -> None:
        self._earliest: dict[str, str | None] = {}
        super().__init__(**options)

    @property
    def entities(self) -> list[str]:
        """The entities to read, each once; the empty text is the top level."""
        given = self.config.get("entity_ids")
        return [""] if given is None else list(dict.fromkeys(str(each).strip() for each in given))

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        company = str(self.config.get("company_id") or "")
        return [{COMPANY: company, ENTITY: entity} for entity in self.entities]

    @override
    def missing_settings(self) -> str:
        missing = [name for name in NEEDED if not self.config.get(name)]
        return f"{', '.join(missing)} must be set." if missing else ""

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """The objects to read: Intacct's own, those that the settings add, and the trial balances."""
        added = list(extras.resources(self._extra_objects, self._extra_fields(), self.logger))
        return (*RESOURCES, *added, TRIAL_BALANCES)

    @property
    def _extra_objects(self) -> list[str]:
        return [str(each) for each in self.config.get("extra_objects") or ()]

    def _extra_fields(self) -> Mapping[str, Any]:
        """The fields of the objects that the settings add: of the catalog, or as the company says."""
        if not self._extra_objects:
            return {}
        if self.input_catalog is not None:
            return extras.shown(self.input_catalog)
        if self.missing_settings() or self.config.get("discover_custom_fields") is False:
            return {}
        asking = self._source(self.entities[0], RESOURCES)
        found: dict[str, Any] = {}
        try:
            for text in self._extra_objects:
                name, _ = extras.parsed(text)
                if told := asking.fields_of(name):
                    found[name.lower()] = told
        except ApiError as error:
            if not self.best_effort:
                raise
            self.logger.warning("The objects of extra_objects are not known: %s", error)
        finally:
            asking.close()
        return found

    @override
    def make_source(self, partition: Mapping[str, Any], *, testing: bool = False) -> IntacctSource:
        return self._source(str(partition[ENTITY]), self.resources)

    def _source(self, entity: str, resources: Sequence[Resource]) -> IntacctSource:
        zone = zone_of(self.config.get("timezone"))
        first = entity == self.entities[0]
        return IntacctSource(self.revealed, entity, resources, zone, self.logger, compares=first)

    def intacct(self, partition: Mapping[str, Any]) -> IntacctSource:
        """The source of an entity."""
        source = self.source(partition)
        if not isinstance(source, IntacctSource):
            raise TypeError("An entity is read by an IntacctSource.")
        return source

    # rows

    @override
    def derive(self, stream: ResourceStream) -> tuple[Derive | None, frozenset[str], frozenset[str]]:
        if OWNER not in stream.schema["properties"] or self.entities == [""]:
            return None, frozenset(), frozenset()
        return self._entities_of, frozenset({ENTITY}), frozenset({OWNER})

    def _entities_of(self, page: PageColumns, path: Path) -> dict[str, list[Any]]:
        """Whose a record is: a shared one is the top level's, whichever session has read it last."""
        own, count = page.partition[ENTITY], page.count(path)
        if "" in self.entities:
            return {ENTITY: [""] * count}
        owners = page.column(path, OWNER) or [own] * count
        return {ENTITY: [own if owner is UNSET else own if owner else "" for owner in owners]}

    @override
    def read_whole(self, partitions: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        top = {**partitions[0], ENTITY: ""} if partitions else {}
        return list(partitions) if not partitions or top in partitions else [*partitions, top]

    # state

    @override
    def upgrade_state(self, stream: str, partition: dict[str, Any]) -> None:
        old_state.upgrade(partition, lines=self._own_of(stream).parent is not None)

    @override
    def must_read_whole(self, stream: DocumentStream) -> bool:
        """Whether records are gone that the audit trail names otherwise than by RECORDNO."""
        resource = self._own(stream)
        named = self._own_of(resource.parent) if resource.parent else resource
        if not named.audited or stream.whole:
            return False
        return any(self._lost(stream, named, partition) for partition in self.partitions)

    def _lost(self, stream: DocumentStream, named: Resource, partition: Mapping[str, Any]) -> bool:
        state, source = stream.partition(partition), self.intacct(partition)
        if not state.get("replication_key_value"):
            return False
        own, earliest = self._deletes_since(stream, partition), self._earliest_since(partition)
        if own is None or earliest is None:
            return False
        try:
            source.audit.read(source.audited, earliest)
            entries = source.audit.unnamed(named, own)
        except Denied:
            return False  # said when the deletes themselves are asked for
        answered, swept = str(state.get("full_read") or ""), state.get("swept") or ()
        entries = [entry for entry in entries if entry.at > answered and entry.id not in swept]
        if entries:
            self.logger.warning(
                "The audit trail of %s names %d deleted records of %s by '%s' and the like: all of %s is"
                " read, to find out which are gone.",
                source.place,
                len(entries),
                named.address,
                entries[0].key,
                stream.name,
            )
        return bool(entries)

    def _earliest_since(self, partition: Mapping[str, Any]) -> str | None:
        """From when on any stream has not followed it, as the run begins: it is asked once for all."""
        entity = str(partition[ENTITY])
        if entity not in self._earliest:
            since = [self._deletes_since(each, partition) for each in self.streams.values()]
            self._earliest[entity] = min((each for each in since if each), default=None)
        return self._earliest[entity]

    def _deletes_since(self, stream: Any, partition: Mapping[str, Any]) -> str | None:
        """From when on a stream has not followed the audit trail; None if it does not."""
        if not isinstance(stream, DocumentStream) or not stream.selected or stream.whole:
            return None
        resource, state = self._own(stream), stream.partition(partition)
        kept = state.get("deletes_since") or (state.get("parents_until") if resource.parent else None)
        moment = moment_of(str(kept or ""))
        return iso(moment - self.reading.lookback) if moment else None

    def _own(self, stream: DocumentStream) -> Resource:
        return self._own_of(stream.resource.stream)

    def _own_of(self, name: str | None) -> Resource:
        return next(each for each in self.resources if each.stream == name)

    # the commands

    @override
    def check(self, sources: Sequence[IntacctSource]) -> Iterator[Check]:
        return check(sources, self.resources[:-1])

    @override
    def control_totals(self) -> dict[str, Any]:
        self.fail_on_settings()
        streams = [
            each for each in self.streams.values() if isinstance(each, DocumentStream) and each.selected
        ]
        counted = [(self._own(each), each) for each in streams if each.resource is not TRIAL_BALANCES]
        sources = [self.intacct(each) for each in self.partitions]
        return control_totals.control_totals(counted, sources, self.logger)
