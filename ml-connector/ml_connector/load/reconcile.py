"""Control totals of a source, and how they differ from a warehouse's. Pure: no request is made here.

The document is what ``tap-... --control-totals`` prints: ``{"source", "generated_at", "periods": {stream:
{"fiscal": [[year, period], ...], "dates": [...]}}, "totals": [{"stream", "source_company", "period", "count",
"measures": {field: text}}]}``. A period is ``2026P03`` of a fiscal year and period, or the month ``2026-03``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ml_connector.load.errors import LoadError
from ml_connector.load.sql.identifiers import quoted
from ml_connector.load.sql.table import CURRENT
from ml_connector.periods import MONTH, period_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.load.connection import Statement
    from ml_connector.load.schema import Column
    from ml_connector.load.sql.dialect import Dialect

COUNT = "count"
COMPANY = "source_company"
_DIGITS = 60


class Place(NamedTuple):
    """What one figure is of."""

    company: str
    period: str
    measure: str


@dataclass
class Totals:
    """What a source says of one stream.

    Attributes:
        stream: The stream.
        fiscal: Pairs of fields, year and period; the first pair that a row has gives its period.
        dates: Fields of which the first that a row has gives its month, if it has no fiscal period.
        figures: Every figure.
    """

    stream: str
    fiscal: list[list[str]]
    dates: list[str]
    figures: dict[Place, Decimal] = field(default_factory=dict)

    @property
    def measures(self) -> list[str]:
        """The fields that are summed."""
        return sorted({place.measure for place in self.figures} - {COUNT})


class Difference(NamedTuple):
    """One figure, from both sides; None where a side does not have it."""

    place: Place
    source: Decimal | None
    warehouse: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether both sides have the same; nothing and zero are the same."""
        return (self.source or 0) == (self.warehouse or 0)


def read_totals(text: bytes, origin: str) -> list[Totals]:
    """Read a document of control totals.

    Args:
        text: The document.
        origin: Where it is from, for messages.

    Raises:
        LoadError: If it is no such document.
    """
    try:
        document = msgspec.json.decode(text, type=_Document)
        found: dict[str, Totals] = {}
        for total in document.totals:
            fields = document.periods.get(total.stream, _Periods())
            own = found.setdefault(total.stream, Totals(total.stream, fields.fiscal, fields.dates))
            period = total.period or "" if fields.fiscal or fields.dates else ""
            figures = {COUNT: Decimal(total.count), **{n: Decimal(v) for n, v in total.measures.items()}}
            _add(own.figures, total.source_company or "", period, figures)
    except (msgspec.MsgspecError, InvalidOperation) as error:
        raise LoadError(f"{origin} is no document of control totals: {error}.") from error
    return list(found.values())


class _Periods(msgspec.Struct):
    fiscal: list[list[str]] = []
    dates: list[str] = []


class _Total(msgspec.Struct):
    stream: str
    count: int
    source_company: str | None = None
    period: str | None = None
    measures: dict[str, str] = {}


class _Document(msgspec.Struct):
    totals: list[_Total]
    periods: dict[str, _Periods] = {}


def totals_query(
    path: str, totals: Totals, columns: Mapping[str, Column], table: Mapping[str, Any], dialect: Dialect
) -> Statement:
    """Ask a table for what a source's totals are of; see :func:`folded`.

    Args:
        path: The table's qualified name, quoted.
        totals: What the source says.
        columns: Property to column, for every property that the totals are of, and the company.
        table: Every column of the table.
        dialect: The warehouse.
    """
    by = [quoted(columns[COMPANY].name) if COMPANY in columns else "NULL"]
    by += [quoted(columns[name].name) for pair in totals.fiscal for name in pair]
    by += [
        f"SUBSTR({dialect.to_text(columns[name], quoted(columns[name].name))}, 1, {MONTH})"
        for name in totals.dates
    ]
    sums = "".join(f", SUM({quoted(columns[name].name)})" for name in totals.measures)
    # of a history only what holds now is compared
    current = f" AND {quoted(CURRENT)}" if CURRENT in table else ""
    sql = (
        f'SELECT {", ".join(by)}, COUNT(*){sums} FROM {path} WHERE "_SDC_DELETED_AT" IS NULL{current}'
        f" GROUP BY {', '.join(str(place) for place in range(1, len(by) + 1))}"
    )
    return sql, ()


def folded(rows: Iterable[Sequence[Any]], totals: Totals) -> dict[Place, Decimal]:
    """Put a warehouse's sums into the source's periods.

    Args:
        rows: Company, then year and period of each fiscal pair, then each date, then the count, then the
            sums of ``totals.measures``.
        totals: What the source says.
    """
    found: dict[Place, Decimal] = {}
    pairs, dates = len(totals.fiscal), len(totals.dates)
    for row in rows:
        fiscal = [(row[1 + 2 * place], row[2 + 2 * place]) for place in range(pairs)]
        months = row[1 + 2 * pairs : 1 + 2 * pairs + dates]
        count, *sums = row[1 + 2 * pairs + dates :]
        figures = {COUNT: Decimal(count), **dict(zip(totals.measures, sums, strict=True))}
        _add(found, str(row[0] or ""), period_of(fiscal, months) or "", figures)
    return found


def compared(totals: Totals, warehouse: Mapping[Place, Decimal]) -> list[Difference]:
    """Every figure of either side, in order."""
    places = sorted({*totals.figures, *warehouse})
    return [Difference(place, totals.figures.get(place), warehouse.get(place)) for place in places]


def _add(figures: dict[Place, Decimal], company: str, period: str, more: Mapping[str, Any]) -> None:
    with localcontext() as context:
        context.prec = _DIGITS  # the default of 28 digits would round the sum of many large amounts
        for measure, value in more.items():
            place = Place(company, period, measure)
            figures[place] = figures.get(place, Decimal(0)) + Decimal(value or 0)
