"""Values as the gateway writes and reads them: dates the American way, nothing as an empty element."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.errors import generic
from erp_sandbox.intacct.model import DECIMALS

if TYPE_CHECKING:
    from erp_sandbox.intacct.model import Field

_DATE: Final = "%m/%d/%Y"
_TIME: Final = "%m/%d/%Y %H:%M:%S"
_ISO_TIME: Final = "%Y-%m-%dT%H:%M:%S"
_FLAGS: Final = {"true": 1, "t": 1, "1": 1, "false": 0, "f": 0, "0": 0}


@dataclass(frozen=True)
class Notation:
    """How one user sees values.

    Attributes:
        zone: Zone of timestamps, in and out; they are stored in UTC.
        day: How dates are written; filters have the American way whoever asks (reference 2.4).
        time: How times are written.
    """

    zone: tzinfo = timezone.utc
    day: str = _DATE
    time: str = "%H:%M:%S"

    def written(self, field: Field, value: Any, *, codes: bool = False) -> str:
        """A stored value as text.

        Args:
            field: Whose.
            value: What the document holds.
            codes: Write an enumeration's code, not its label.
        """
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        text = str(value)
        if field.type == "DATE" or (field.type == "TIMESTAMP" and "T" not in text):
            return datetime.strptime(text, "%Y-%m-%d").strftime(self.day)  # noqa: DTZ007 - a day has no zone
        if field.type == "TIMESTAMP":
            moment = datetime.strptime(text, _ISO_TIME).replace(tzinfo=timezone.utc)
            return moment.astimezone(self.zone).strftime(f"{self.day} {self.time}")
        if field.type in DECIMALS:
            return _short(text)
        return field.stored(text) if codes else text

    def read(self, field: Field, text: str, *, codes: bool = False) -> Any:
        """A filter's value as it is stored.

        Raises:
            GatewayError: If it is not in the gateway's notation.
        """
        try:
            if field.type == "DATE":
                return datetime.strptime(text.split(maxsplit=1)[0], _DATE).strftime("%Y-%m-%d")  # noqa: DTZ007
            if field.type == "TIMESTAMP":
                moment = datetime.strptime(text, _TIME if " " in text else _DATE)  # noqa: DTZ007
                return moment.replace(tzinfo=self.zone).astimezone(timezone.utc).strftime(_ISO_TIME)
            if field.type == "INTEGER":
                return int(text)
            if field.type in DECIMALS:
                return float(text)  # only to compare; what is answered keeps its digits
            if field.type == "BOOLEAN":
                return _FLAGS[text.strip().lower()]
        except (ValueError, KeyError, IndexError) as error:
            raise generic(f"Invalid value '{text}' for field {field.name}") from error
        return field.shown(text) if codes else text


def _short(text: str) -> str:
    """Decimals lose trailing zeros, and the zero before the point: ``.5``, ``5900``."""
    if "." not in text:
        return text
    text = text.rstrip("0").rstrip(".")
    if text.startswith("0."):
        return text[1:]
    return f"-{text[2:]}" if text.startswith("-0.") else text or "0"
