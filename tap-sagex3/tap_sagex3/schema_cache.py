"""What was learned of a folder's GraphQL schema, kept in a file for a day.

X3 tells no version of its schema that is known, so that a day is what renews it, and any refusal that names
something which the schema does not have.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY: Final = 86_400.0
_FORM: Final = 1


class SchemaCache:
    """The file of one folder, beside the token file.

    Args:
        config: The tap's settings.
        folder: The endpoint's name.
        default: The token file where the settings name none.
    """

    def __init__(self, config: Mapping[str, Any], folder: str, default: str) -> None:
        user = config.get("user") or config.get("username")
        name = f"{str(config.get('base_url')).rstrip('/')} {folder} {user}"
        mark = hashlib.sha256(name.encode()).hexdigest()[:12]
        beside = Path(str(config.get("token_file") or default))
        self.path = beside.with_name(f"tap-sagex3-schema-{mark}.json")

    def read(self) -> tuple[str, dict[str, Any], float] | None:
        """The name of the root, the types that are known, and since when; None without a file of this day."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if found["form"] != _FORM or not 0 <= time.time() - found["asked_at"] < DAY:
                return None
            return str(found["root"]), dict(found["types"]), float(found["asked_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, root: str, types: Mapping[str, Any], asked_at: float) -> None:
        """Keep types; where nothing can be written, the next run asks again."""
        found = {"form": _FORM, "asked_at": asked_at, "root": root, "types": types}
        made = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            made.write_text(json.dumps(found, separators=(",", ":")), encoding="utf-8")
            made.replace(self.path)
        except OSError:
            made.unlink(missing_ok=True)

    def forget(self) -> None:
        """Ask again next time."""
        self.path.unlink(missing_ok=True)
