"""What the demo prints when the second run is done."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from warehouse import Snapshot, Warehouse

ROOT = Path(__file__).resolve().parent.parent


def movements(before: Mapping[str, Snapshot], after: Mapping[str, Snapshot], rejected: Counter[str]) -> None:
    """Per table: rows now, and what the second run changed of them."""
    refused = {stream.upper(): count for stream, count in rejected.items()}
    print(f"\n{'table':<36}{'rows':>9}{'new':>8}{'changed':>9}{'deleted':>9}{'rejected':>10}")
    sums = [0] * 5
    for table, now in after.items():
        then = before.get(table)
        rows = now.rows.total()
        new = rows - then.rows.total() if then else rows
        touched = (now.rows - then.rows).total() if then else rows
        deleted = now.deleted - (then.deleted if then else 0)
        line = [rows, new, touched - new, deleted, refused.get(table, 0)]
        sums = [total + value for total, value in zip(sums, line, strict=True)]
        print(_line(table, line))
    print(_line(f"{len(after)} tables", sums))


def _line(name: str, values: list[int]) -> str:
    widths = (9, 8, 9, 9, 10)
    return f"{name:<36}" + "".join(f"{value:>{width},}" for value, width in zip(values, widths, strict=True))


def control_totals(document: Mapping[str, Any], warehouse: Warehouse) -> bool:
    """Source and warehouse side by side; True when they agree to the cent."""
    source: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for total in document["totals"]:
        measures = source[total["stream"], total["source_company"]]
        measures["count"] += total["count"]
        for field, value in total["measures"].items():
            measures[field] += Decimal(value)
    columns = {
        table: {name.replace("_", "").lower(): name for name in names}
        for table, names in warehouse.columns().items()
    }
    print(f"\n{'control total':<66}{'company':<9}{'source':>18}{'warehouse':>18}")
    agreed = 0
    differ = 0
    cache: dict[str, dict[str, dict[str, Decimal]]] = {}
    for (stream, company), measures in sorted(source.items()):
        table = stream.upper()
        fields = {
            field: columns[table][field.replace("_", "").lower()] for field in measures if field != "count"
        }
        if table not in cache:
            cache[table] = warehouse.totals(table, fields)
        loaded = cache[table].get(company, {})
        for field, expected in measures.items():
            found = loaded.get(field, Decimal(0))
            same = expected == found
            agreed, differ = agreed + same, differ + (not same)
            if not same or (expected and _worth_showing(stream, field)):
                mark = "" if same else "   <- differs"
                name = f"{stream}.{field}"
                print(f"{name:<66}{company:<9}{_figure(expected):>18}{_figure(found):>18}{mark}")
    print(f"{agreed:,} of {agreed + differ:,} control totals agree to the cent.")
    return not differ


def _figure(value: Decimal) -> str:
    return f"{value:,.3f}" if value.as_tuple().exponent else f"{value:,}"


def _worth_showing(stream: str, field: str) -> bool:
    """A page of them is enough for a person; all of them are compared."""
    return stream in {"ap_posted_documents", "ar_posted_documents", "gl_posted_transactions"} or (
        field == "count" and stream in {"vendors", "customers", "gl_accounts"}
    )


def whereabouts(env_file: Path, tables: Path) -> None:
    """Where the data lies, and how to ask it something."""
    here = tables.parent.relative_to(ROOT)
    print(
        f"""
The tables lie in {tables.relative_to(ROOT)}, the run's settings in {env_file.relative_to(ROOT)}.
Serve them again and ask with Snowflake's own connector:
  .venv/bin/erp-sandbox serve snowflake --path {here}/snowflake --port 8084 \\
      --user LOADER --public-key {here}/loader.pub &
  .venv/bin/python demo/query.py 8084 "SELECT * FROM ml_audit.runs"
""",
    )
