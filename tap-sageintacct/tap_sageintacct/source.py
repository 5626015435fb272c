"""One entity of a company, as the extracting core asks for it (reference sections 2.1 to 2.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ml_connector.extract.errors import ApiError, InvalidSetting, Refused, SignInRefused, Transient
from ml_connector.extract.source import Level, Page, SourceSchema

from tap_sageintacct import preferences, query
from tap_sageintacct.audit import AuditTrail
from tap_sageintacct.balances import RESOURCE as TRIAL_BALANCES
from tap_sageintacct.balances import TrialBalances
from tap_sageintacct.definitions import Definitions
from tap_sageintacct.errors import IntacctError
from tap_sageintacct.files import described
from tap_sageintacct.first_pages import FirstPages
from tap_sageintacct.legacy import legacy_pages
from tap_sageintacct.lookups import Lookups
from tap_sageintacct.paging import following_row, last_values
from tap_sageintacct.query import MOST_A_PAGE, Query
from tap_sageintacct.refusals import Refusals
from tap_sageintacct.session import Session, raise_for
from tap_sageintacct.slices import Slice, by_definition, by_value
from tap_sageintacct.values import converter

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from ml_connector.extract.resource import Resource as AnyResource
    from ml_connector.extract.source import Converter, Deleted, Key, ReadRequest, Selection

    from tap_sageintacct.streams import Resource
    from tap_sageintacct.xml import Element, Result

_FEW = 200
"""Rows of a page that is asked for together with others: all of them are no more than two pages then."""
_KEYS_AT_ONCE = 200
_FEW_ATTEMPTS = 2
"""Repetitions of what a missing right makes fail in the words of a hiccup: each is billed."""


class IntacctSource:
    """Reads one entity of a company.

    Args:
        config: The settings, secrets in plain text.
        entity: The entity; empty for the top level.
        resources: All that the tap reads.
        zone: The zone of the user's timestamps.
        logger: Gets a line a retry.
        compares: Whether the user's preferences are compared with the settings; one entity does that for all.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        entity: str,
        resources: Sequence[Resource],
        zone: tzinfo,
        logger: logging.Logger,
        *,
        compares: bool = True,
    ) -> None:
        self.session = Session(config, entity, logger=logger)
        self.partition = {"source_company": str(config["company_id"]), "source_entity": entity}
        self.place = f"{config['company_id']} {entity}".strip()
        self._resources = {resource.stream: resource for resource in resources}
        self._zone, self._logger = zone, logger
        self._user, self._zone_is_set = str(config["user_id"]), bool(config.get("timezone"))
        self._compares, self._is_late = compares, False
        self._now: float | None = None
        self._lookups = Lookups(self.session, self.what)
        self._refusals = Refusals(self.session, self.what, self._lookups)
        self._definitions = Definitions(self.session, self.what, self._lookups)
        self._balances = TrialBalances(self.session, self.rows, self.place, logger)
        self.audit = AuditTrail(lambda asked: self.rows(asked, most=_FEW_ATTEMPTS), zone)
        self._first_pages = FirstPages(self.session, self.what)

    def what(self, name: str) -> str:
        """An object of this place, for a person."""
        return f"{name} of {self.place}"

    # what the core asks

    def now(self) -> float:
        """When this run began, by Intacct's clock, which stamps the records.

        It is the same all through a run: answers that were asked for together are of that moment, too.
        """
        if self._now is None:
            self._now = self.session.now().timestamp()
        return self._now

    def converter(self, described: Mapping[str, Any]) -> Converter:
        """How a column with that JSON schema is converted."""
        return converter(described, self._zone)

    def page_size(self, resource: AnyResource, selection: Selection) -> int:  # noqa: ARG002
        """How many records a page has when nobody says."""
        return MOST_A_PAGE

    def expect(self, requests: Sequence[ReadRequest]) -> None:
        """Ask for the first pages of several objects in one request, and how the user sees time stamps.

        Raises:
            InvalidSetting: Time stamps would be misread.
            SignInRefused: Nothing can be read.
        """
        # of what is read whole only small objects: the others' pages are large
        waiting = [
            (request, self._early(request))
            for request in requests
            if self._own(request).stream != TRIAL_BALANCES.stream
            and not self._own(request).legacy
            and request.after is None
            and (request.since is not None or self._own(request).small)
            and not self._definitions.have_own_fields(self._own(request), request.selection.fields)
        ]
        self._first_pages.expect(waiting)
        try:
            if self._compares or len(waiting) > 1:
                self._first_pages.ask(self._judge if self._compares else None, self._user)
        except (SignInRefused, InvalidSetting):
            raise
        except ApiError as error:
            self._logger.info("%s: asking one by one. %s", self.place, error)
            self._first_pages.expect([])
            self._compare_late()

    def _compare_late(self) -> None:
        """Compare the preferences alone; where that fails too, before the first page is read."""
        if not self._compares:
            return
        try:
            self._judge(self._told())
        except (SignInRefused, InvalidSetting):
            raise
        except ApiError as error:
            # of several entities, one that is down does not hinder the others
            self._logger.info("%s: the user's preferences are asked for later. %s", self.place, error)
            self._is_late = True

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """Read rows in the order of their key, page by page.

        Offsets would shift while the data changes; a key that was passed is never asked for again.

        Yields:
            Each page.

        Raises:
            ApiError: The gateway refuses.
        """
        if self._is_late:
            self._judge(self._told())
        resource = self._own(request)
        if resource.stream == TRIAL_BALANCES.stream:
            yield from self._balances.pages(request)
        elif resource.legacy:
            yield from legacy_pages(
                self.session, self._query(request, Slice("", None)), self.place, self._logger
            )
        else:
            slices = self._slices(request, self._changed(request))
            name, *behind = request.after or [None]
            places = [place for place, each in enumerate(slices) if each.name == name]
            first = places[0] if places else 0
            beyond, behind = request.beyond, behind if places else []
            for place in range(first, len(slices)):
                following = [slices[place + 1].name] if place + 1 < len(slices) else None
                if not request.beyond:
                    yield from self._slice(request, slices[place], behind, following)
                elif beyond:
                    page, beyond = self._beyond(request, slices[place], behind, following, beyond)
                    yield from page
                behind = []

    def records(self, request: ReadRequest, keys: Sequence[Key], by: Sequence[str] = ()) -> Iterator[Page]:
        """Read records by their keys, or by a field; those that are gone are missing."""
        (field,) = by or request.resource.key
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = [key[0] for key in keys[start : start + _KEYS_AT_ONCE]]
            plain = replace(request, since=None, after=None)
            for part in self._slices(plain, query.one_of(field, some), sliced=False):
                yield from self._slice(plain, part, [], None)

    def changed_documents(self, resource: AnyResource, since: str) -> Iterator[Key]:
        """Keys of documents that changed or went, for their lines."""
        parent = self._resources[str(resource.parent)]
        moment = query.moment(query.read_moment(since), self._zone)
        condition = query.compared("greaterthanorequalto", str(parent.replication_key), moment)
        for page in self.rows(Query(parent.address, parent.key, condition)):
            yield from ((row[parent.key[0]],) for row in page)
        try:
            gone = list(self.deleted(parent, since)) if parent.audited else []
        except ApiError as error:
            self._logger.info("%s", error)
            gone = []
        yield from (each.key for each in gone)

    def deleted(self, resource: AnyResource, since: str) -> Iterator[Deleted]:
        """Records that the audit trail says were deleted since."""
        own = self._resources[resource.stream]
        self.audit.read(self.audited, since)
        return self.audit.deleted(own, since)

    @property
    def audited(self) -> list[str]:
        """The objects whose deletes are asked for, in one query."""
        return [each.address for each in self._resources.values() if each.audited]

    def describe(self, resource: AnyResource) -> SourceSchema | None:
        """Ask which fields there are, all objects' together."""
        own = self._resources[resource.stream]
        if own.stream == TRIAL_BALANCES.stream:
            return None
        self._lookups.ask((each.address, None) for each in [own, *self._resources.values()])
        fields = [*self._lookups.fields(own.address)]
        if own.definitions:
            fields += self._definitions.fields(own)
        return SourceSchema({str(field["ID"]): described(field) for field in fields}) if fields else None

    def fields_of(self, name: str) -> Collection[str]:
        """The fields of an object that no declaration knows; none if the company does not have it."""
        return self._lookups.names(name)

    def totals(self, resource: AnyResource) -> int | None:  # noqa: ARG002
        """Control totals count by months, in questions of their own."""
        return None

    def check(self) -> str:
        """Sign in."""
        self.session.sign_in()
        return "sender and user accepted"

    def close(self) -> None:
        """Let connections go."""
        self.session.close()

    # questions

    def rows(self, asked: Query, *, most: int | None = None) -> Iterator[list[dict[str, Any]]]:
        """Rows of a query as dictionaries, page by page.

        Args:
            asked: The query.
            most: Repetitions, instead of the settings'.

        Yields:
            Each page's.
        """
        after: list[Any] | None = None
        while True:
            result = self.session.one(self.what(asked.name), asked.element(after), most=most)
            after = following_row(self.what(asked.name), asked, result, after)
            if result.rows:
                yield result.rows
            if after is None:
                return

    def preferences(self) -> tuple[bool, str]:
        """Whether the user's time stamps are read as they are meant, and a sentence."""
        return preferences.judged(self._told(), self._zone, is_set=self._zone_is_set)

    def _told(self) -> Result:
        """What the gateway says of the user's preferences."""
        (result,) = self.session.several([(self.what(preferences.WHAT), preferences.asked(self._user))])
        return result

    def _own(self, request: ReadRequest) -> Resource:
        return self._resources[request.resource.stream]

    def _judge(self, told: Result) -> None:
        self._compares = False
        fine, sentence = preferences.judged(told, self._zone, is_set=self._zone_is_set)
        if not fine:
            raise InvalidSetting(f"{self.place}: {sentence}")
        self._is_late = False

    def _early(self, request: ReadRequest) -> Query:
        found = self._query(request, Slice("", self._changed(request)))
        return found if request.since is None else replace(found, size=min(found.size, _FEW))

    def _slice(
        self, request: ReadRequest, part: Slice, behind: Sequence[Any], following: list[Any] | None
    ) -> Iterator[Page]:
        asked, after = self._query(request, part), list(behind) or None
        early = self._first_pages.take(request) if after is None else None
        while True:
            if early is not None:
                of, result = early[0], self._answered(request, *early)
                early = None
            else:
                of, result = asked, self._answered(request, asked, None, after)
            after = following_row(self.what(of.name), of, result, after)
            if len(result.records):
                token = [part.name, *after] if after is not None else following
                yield Page(result.records.levels, token)
            if after is None:
                return

    def _beyond(
        self,
        request: ReadRequest,
        part: Slice,
        behind: Sequence[Any],
        following: list[Any] | None,
        count: int,
    ) -> tuple[list[Page], int]:
        """A page of nothing that goes on behind some rows which cannot be read, and how many are left."""
        asked = self._query(request, part)
        result = self._answered(request, asked, None, behind or None, offset=count)
        if len(result.records):
            after = [part.name, *last_values(self.what(asked.name), asked, result), query.AT]
            return [Page(lambda: {(): Level(0, {})}, after)], 0
        left = max(0, count - (result.number("totalcount") or 0))
        return ([] if left else [Page(lambda: {(): Level(0, {})}, following)]), left

    def _query(self, request: ReadRequest, part: Slice) -> Query:
        resource = self._own(request)
        whole = request.since is None
        # lines come document by document, one after the other
        order = (*resource.parent_key, *resource.key) if resource.parent and whole else resource.key
        known = part.fields if part.fields is not None else request.selection.fields
        wanted = sorted((request.selection.fields & known) - self.partition.keys())
        size = min(request.size or MOST_A_PAGE, MOST_A_PAGE)
        select = tuple(dict.fromkeys([*order, *wanted]))
        return Query(resource.address, select, part.condition, order, size, part.definition)

    def _answered(
        self,
        request: ReadRequest,
        asked: Query,
        result: Result | None = None,
        after: Sequence[Any] | None = None,
        offset: int = 0,
    ) -> Result:
        """The answer to a query; of a refusal, which part of it is at fault.

        Raises:
            Transient: A row of the page cannot be had.
        """
        what, most = self.what(asked.name), None if request.patient else 1
        try:
            if result is None:
                return self.session.one(what, asked.element(after, offset), most=most)
            raise_for(result, what)
            return result  # noqa: TRY300 - the answer to what was asked early
        except IntacctError as error:
            # a page that is taken apart has failed for a row: that was asked before
            if request.patient and not self._refusals.is_of_rows(asked):
                raise
            raise Transient(str(error), answered=True) from error
        except Refused as refused:
            if not request.patient and refused.what == "question":
                raise Transient(str(refused), answered=True) from refused
            resource = self._own(request)
            filters = [self._created(request)] if asked.filter is not None and request.since else []
            filtered_by = [*filter(None, filters), *([resource.replication_key] if request.since else [])]
            problem = self._refusals.explained(refused, asked, [str(name) for name in filtered_by])
            if problem is not None:
                raise problem from None
        try:
            return self.session.one(what, asked.element(after, offset), most=most)
        except (IntacctError, Refused) as again:
            raise Transient(str(again), answered=True) from again

    def _changed(self, request: ReadRequest) -> Element | None:
        """Records that changed since, and those made since that never changed: they bear no stamp."""
        if request.since is None or request.resource.stream == TRIAL_BALANCES.stream:
            return None
        conditions: list[Element | None] = []
        for bound in request.since:
            moment = query.moment(query.read_moment(str(bound.value)), self._zone)
            never = query.is_null(bound.stamp.field)
            if created := self._created(request):
                made = query.compared("greaterthanorequalto", created, moment)
                never = query.all_of([never, made])
            conditions += [query.compared("greaterthanorequalto", bound.stamp.field, moment), never]
        return query.any_of(conditions)

    def _created(self, request: ReadRequest) -> str | None:
        created = self._own(request).created
        shape = request.shape.get(())
        known = shape is None or created in shape
        return created if known and f"field:{created}" not in request.without else None

    def _slices(self, request: ReadRequest, condition: Element | None, *, sliced: bool = True) -> list[Slice]:
        """The questions to read by, one after the other."""
        resource = self._own(request)
        if resource.slices and request.since is None and sliced:
            return by_value(resource, condition)
        found = self._definitions.of(resource, request.selection.fields, condition)
        return [Slice("0", condition)] if found is None else by_definition(found, condition)
