"""``POST /xtrem/api``: queries against the schema of the endpoint's folder (reference 2)."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from graphql import (
    ExecutionContext,
    GraphQLError,
    GraphQLSyntaxError,
    execute,
    parse,
    validate,
)
from graphql.pyutils import Path, Undefined
from starlette.responses import Response

from erp_sandbox.sagex3.errors import JSON, plain
from erp_sandbox.sagex3.graphql_model import model_of
from erp_sandbox.sagex3.graphql_names import CURRENT
from erp_sandbox.sagex3.graphql_rows import Reading
from erp_sandbox.sagex3.graphql_schema import Built, build
from erp_sandbox.sagex3.odd_server import OddServer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from graphql import DocumentNode, FieldNode, GraphQLObjectType

    from erp_sandbox.sagex3.graphql_model import Model
    from erp_sandbox.sagex3.store import Store

ENDPOINT: Final = "x-xtrem-endpoint"
#: Documents that a schema remembers, as clients ask the same again page by page.
_REMEMBERED: Final = 256


class GraphQLService:
    """Answers requests.

    Args:
        store: The rows.
        endpoints: Folder of each endpoint.
        generation: Generation of the schemas.
        cap: The most rows of a page.
        forbidden: Nodes that the user may not read.
        inactive: Nodes that are not activated.
        lag: Seconds after which a change can be seen.
        odd: What the server does beside the rules.
    """

    def __init__(
        self,
        store: Store,
        endpoints: Mapping[str, str],
        *,
        generation: str = CURRENT,
        cap: int | None = None,
        forbidden: Collection[str] = (),
        inactive: Collection[str] = (),
        lag: float = 0.0,
        odd: OddServer | None = None,
    ) -> None:
        self._odd = odd or OddServer()
        self._store = store
        self._endpoints = endpoints
        self._generation = generation
        self._limits = {"cap": cap, "forbidden": forbidden, "inactive": inactive, "lag": lag}
        self._schemas: dict[str, tuple[Any, _Schema]] = {}
        self._lock = threading.Lock()

    def answer(self, method: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a request.

        Raises:
            Refused: If it is no POST.
        """
        if method != "POST":
            raise plain(405, "Method Not Allowed")
        name = headers.get(ENDPOINT, "")
        if name not in self._endpoints:
            told = f"Unknown endpoint: {name}" if name else f"Missing header {ENDPOINT}"
            return _refused([GraphQLError(told)])
        try:
            asked = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return _refused([GraphQLError("The body is not JSON")])
        text = asked.get("query") if isinstance(asked, dict) else None
        if not isinstance(text, str):
            return _refused([GraphQLError("Must provide query string")])
        variables = asked.get("variables") or {}
        return self._run(self._endpoints[name], text, variables, asked.get("operationName"))

    def _run(self, folder: str, text: str, variables: dict[str, Any], operation: str | None) -> Response:
        if self._odd.forbids(text):
            return _refused([GraphQLError("Introspection is not allowed")])
        schema = self._schema(folder)
        document, errors = schema.document(text)
        if errors or document is None:
            return _refused(errors)
        reading = Reading(self._store, folder, schema.model, odd=self._odd, **self._limits)  # type: ignore[arg-type]
        result = execute(
            schema.built.schema,
            document,
            (),
            reading,
            variables,
            operation,
            execution_context_class=schema.context,
            is_awaitable=_never,
        )
        if result.data is None and result.errors and all(not error.path for error in result.errors):  # type: ignore[union-attr]
            return _refused(result.errors)  # type: ignore[union-attr]
        answered: dict[str, Any] = {"data": result.data}  # type: ignore[union-attr]
        if result.errors:  # type: ignore[union-attr]
            answered["errors"] = [_told(error) for error in result.errors]  # type: ignore[union-attr]
        return _json(200, {**answered, "extensions": {}})

    def _schema(self, folder: str) -> _Schema:
        """The schema of a folder; built anew when its own fields change."""
        custom = self._store.custom(folder)
        with self._lock:
            known = self._schemas.get(folder)
            if known is None or known[0] != custom:
                model = model_of(self._generation, custom, self._odd)
                known = self._schemas[folder] = (custom, _Schema(model, build(model, self._odd)))
        return known[1]


class _Schema:
    """A folder's schema, with the documents that were valid for it."""

    def __init__(self, model: Model, built: Built) -> None:
        self.model = model
        self.built = built
        self.document = lru_cache(_REMEMBERED)(self._document)
        getters = built.getters

        class Context(_FastContext):
            """Reads this schema's leaves."""

        Context.getters = getters
        self.context = Context

    def _document(self, text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
        try:
            document = parse(text)
        except GraphQLSyntaxError as error:
            return None, [error]
        return document, validate(self.built.schema, document)


class _FastContext(ExecutionContext):
    """Executes a query; leaves are read at once, without what serves resolvers."""

    getters: Mapping[str, Mapping[str, Any]]

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        fields: dict[str, list[FieldNode]],
    ) -> dict[str, Any]:
        """Execute the fields of one object."""
        getters = self.getters.get(parent_type.name, {})
        results = {}
        for name, nodes in fields.items():
            get = getters.get(nodes[0].name.value)
            if get is not None:
                results[name] = get(source_value)
                continue
            found = self.execute_field(parent_type, source_value, nodes, Path(path, name, parent_type.name))
            if found is not Undefined:
                results[name] = found
        return results


def _never(_: Any) -> bool:
    return False


def _told(error: GraphQLError) -> dict[str, Any]:
    """An error; JavaScript's quotes are double."""
    told: dict[str, Any] = {**error.formatted}
    told["message"] = error.message
    if error.path:
        told["extensions"] = {"code": "operation-error", "diagnoses": []}
    return told


def _refused(errors: list[GraphQLError]) -> Response:
    told = [{**_told(error), "message": error.message.replace("'", '"')} for error in errors]
    return _json(400, {"errors": told, "extensions": {}})


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), status, media_type=JSON)
