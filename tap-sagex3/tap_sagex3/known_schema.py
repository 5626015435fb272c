"""The GraphQL schema of one folder: what of it is asked for, when, and what is remembered."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.errors import ApiError

from tap_sagex3.introspection import QUERY, ROOT, Schema, types_query
from tap_sagex3.selection import FieldMap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_sagex3.properties import PropertyCodes
    from tap_sagex3.schema_cache import SchemaCache
    from tap_sagex3.selection import KnownNode

_OUTDATED: Final = re.compile(r"cannot query field|unknown (?:type|argument|field)", re.IGNORECASE)


class KnownSchema:
    """Asks for a schema, types only as they are needed, and keeps them for a day.

    Args:
        folder: The endpoint's name, for errors.
        generation: The setting `schema_generation`.
        nodes: The nodes that are tables of ours.
        codes: Which fields some properties are.
        cache: Where types are kept; None for nowhere.
        ask: Sends a query and gives its `data`.
    """

    def __init__(  # noqa: PLR0917 - what a schema depends on
        self,
        folder: str,
        generation: str,
        nodes: Mapping[str, KnownNode],
        codes: PropertyCodes,
        cache: SchemaCache | None,
        ask: Callable[[str], bytes],
    ) -> None:
        self._folder, self._generation, self._nodes, self._codes = folder, generation, nodes, codes
        self._cache, self._ask = cache, ask
        self._found: tuple[Schema, FieldMap] | None = None
        self._whole = self._from_cache = False
        self._kept, self._asked_at = 0, 0.0

    def get(self, *, whole: bool = False) -> tuple[Schema, FieldMap]:
        """The schema.

        Args:
            whole: All of it is going to be looked at, and as it is now.

        Raises:
            ApiError: It is none of X3's, or cannot be asked for.
        """
        if self._found is None or (whole and not self._whole):
            self._asked_at = time.time()
            kept = self._cache.read() if self._cache and not whole else None
            if kept is not None:
                root, types, self._asked_at = kept
                document: dict[str, Any] = {"queryType": {"name": root}, "types": list(types.values())}
                self._from_cache, self._kept = True, len(types)
            else:
                document = decode_exactly(self._ask(QUERY if whole else ROOT))["__schema"]
                self._from_cache, self._kept = False, 0
            complete = whole or bool(document.get("types") and kept is None)
            schema = Schema(document, self._generation, self._codes, None if complete else self._load)
            if not schema.generation:
                raise ApiError(
                    f"The GraphQL schema of {self._folder} has no packages of X3 (sage, xtremX3..., x3...)"
                    f"{'' if self._generation == 'auto' else f' of the generation {self._generation}'}: check"
                    " base_url and schema_generation, and that Sage X3 Services runs for this endpoint."
                )
            self._found, self._whole = (schema, FieldMap(schema, self._nodes)), complete
        return self._found

    def is_outdated(self, said: str) -> bool:
        """Whether a refusal may be because the server has another schema now; it is then forgotten."""
        if not self._from_cache or not _OUTDATED.search(said):
            return False
        self._found, self._from_cache = None, False
        if self._cache:
            self._cache.forget()
        return True

    def keep(self) -> None:
        """Write what was learned, if anything."""
        if self._found is None or self._cache is None:
            return
        schema, _ = self._found
        types = {name: each for name, each in schema.types.items() if each and not name.startswith("__")}
        if len(types) > self._kept:
            # what was kept before does not live longer because more was learned
            self._cache.write(schema.root, types, self._asked_at)
            self._kept = len(types)

    def _load(self, names: Sequence[str]) -> Mapping[str, Any]:
        found = decode_exactly(self._ask(types_query(names)))
        return {each["name"]: each for each in found.values() if each}
