"""Journal entries with their lines of every ledger and their analytical lines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sagex3.projection_finance import ANALYSED, ANALYTICAL, LEGAL_LEDGER, TYPES
from erp_sandbox.sagex3.projection_row import CONTROLS, FIRST_DAY, Row, shared
from erp_sandbox.sagex3.projection_source import Matches, entry_number, internal_number, side_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.sagex3.projection_row import Folder

_LEGAL, _ANALYTICAL = 1, 2
_TEMPORARY, _FINAL = 1, 2
#: How many days after its posting an entry is validated for good.
_VALIDATED_AFTER: Final = 2
#: One line in so many is divided between two departments.
_DIVIDED: Final = 7
_PART: Final = Decimal("0.6")
_CENT: Final = Decimal("0.01")
_ORIGIN: Final = {"GL": 1}


def ledger(folder: Folder) -> Iterator[Row]:
    """Every entry, followed by its lines."""
    found = folder.books.rows("SELECT account, kind, department FROM biz_accounts WHERE company = :company")
    makers = _Entries(folder, {row["account"]: row for row in found})
    sql = (
        "SELECT j.*, b.status, b.edited FROM biz_journals j JOIN biz_batches b"
        " ON b.company = j.company AND b.ledger = 'GL' AND b.kind = 'GL' AND b.number = j.batch"
        " WHERE j.company = :company AND b.status <> 'Deleted' ORDER BY j.batch, j.entry"
    )
    for row in folder.books.rows(sql):
        yield from makers.entry(row)


class _Entries:
    """The entries of a folder."""

    def __init__(self, folder: Folder, accounts: dict[str, sqlite3.Row]) -> None:
        self._folder = folder
        self._accounts = accounts
        self._matches = Matches(folder)
        sql = "SELECT ledger, number, due FROM biz_invoices WHERE company = :company"
        self._due = {(row["ledger"], row["number"]): row["due"] for row in folder.books.each(sql)}

    def entry(self, row: sqlite3.Row) -> Iterator[Row]:
        """One entry and its lines."""
        sql = (
            "SELECT * FROM biz_journal_lines WHERE company = :company AND batch = :batch AND entry = :entry"
            " ORDER BY line"
        )
        lines = self._folder.books.rows(sql, batch=row["batch"], entry=row["entry"])
        if not lines:
            return
        common = self._common(row, lines[0])
        analysed = any(self._analysed(line) for line in lines)
        yield self._header(row, lines[0], common, analysed=analysed)
        for ledger_type in (_LEGAL, _ANALYTICAL) if analysed else (_LEGAL,):
            for place, line in enumerate(lines, 1):
                yield from self._line(row, line, place, ledger_type, common)

    def _analysed(self, line: sqlite3.Row) -> bool:
        return self._accounts[line["account"]]["kind"] in ANALYSED

    def _common(self, row: sqlite3.Row, line: sqlite3.Row) -> dict[str, Any]:
        return {
            "TYP": TYPES[row["ledger"], row["type"]].code,
            "NUM": entry_number(row),
            "CPY": self._folder.company,
            "ACCDAT": row["day"],
            "FIY": row["year"] - int(FIRST_DAY[:4]) + 1,
            "PER": row["period"],
            "CUR": line["currency"],
        }

    def _header(self, row: sqlite3.Row, line: sqlite3.Row, common: dict[str, Any], *, analysed: bool) -> Row:
        folder, kind = self._folder, TYPES[row["ledger"], row["type"]]
        ledgers = 2 if analysed else 1
        validated = _later(row["edited"] or row["day"])
        final = row["status"] == "Posted" and validated <= folder.today
        fields = {
            **shared("GACCENTRY", common),
            "FCY": folder.site_of(row["party"] or entry_number(row)),
            "JOU": kind.journal,
            "CAT": 1,
            "STA": _FINAL if final else _TEMPORARY,
            "FNLPSTDAT": validated if final else None,
            "FNLPSTNUM": [f"{row['year']}{row['batch']:07d}{row['entry']:04d}"] if final else [],
            "ENTDAT": row["day"],
            "VALDAT": row["day"],
            "VATDAT": row["day"],
            "RATDAT": row["day"],
            "DUDDAT": self._due.get((row["ledger"], row["reference"])),
            "DESVCR": row["description"][:30],
            "REF": row["reference"],
            "BPRVCR": row["reference"],
            "BPRDATVCR": row["day"],
            "ORIGIN": _ORIGIN.get(row["ledger"], 2),
            "RVS": 1,
            "FLGGEN": row["ledger"] != "GL",
            "FLGREP": False,
            "TYPDUD": kind.due or 4,
            "FLGPAZ": 4,
            "TYPRAT": 1,
            "LED": [LEGAL_LEDGER, ANALYTICAL][:ledgers],
            "CURLED": [folder.currency] * ledgers,
            "RATMLT": [line["rate"]] * ledgers,
            "RATDIV": [1] * ledgers,
        }
        changed = validated if final else row["edited"] or ""
        return Row("GACCENTRY", row["day"], fields, changed)

    def _line(
        self, row: sqlite3.Row, line: sqlite3.Row, place: int, ledger_type: int, common: dict[str, Any]
    ) -> Iterator[Row]:
        folder, legal = self._folder, ledger_type == _LEGAL
        side = side_of(row["ledger"])
        control = line["account"] == self._matches.control.get(side)
        fields = {
            **common,
            "LIN": place,
            "LEDTYP": ledger_type,
            "LED": LEGAL_LEDGER if legal else ANALYTICAL,
            "COA": folder.chart if legal else ANALYTICAL,
            "ACC": line["account"],
            "SAC": CONTROLS[side] if control else "",
            "BPR": row["party"] if control else "",
            "FCYLIN": folder.site_of(row["party"] or entry_number(row)),
            "SNS": 1 if (line["amount"] or line["source"]) > 0 else -1,
            "AMTCUR": abs(line["source"]),
            "AMTLED": abs(line["amount"]),
            "CURLED": folder.currency,
            "DES": line["description"][:30],
            "ACCNUM": internal_number(row["batch"], row["entry"], place) + ledger_type - 1,
            "FREREF": row["reference"],
        }
        match = self._matches.of(row) if control and legal else None
        if match:
            fields |= {"MTC": match[0], "MTCDAT": match[1], "MTCDATMAX": match[1], "FLGMTC": 2}
        yield Row("GACCENTRYD", row["day"], fields, match[1] if match else "")
        if self._analysed(line):
            yield from self._analytical(row, line, fields)

    def _analytical(self, row: sqlite3.Row, line: sqlite3.Row, fields: dict[str, Any]) -> Iterator[Row]:
        department = self._accounts[line["account"]]["department"]
        side = side_of(row["ledger"])
        parts = [(department, fields["AMTCUR"], fields["AMTLED"])]
        if (row["batch"] + fields["LIN"]) % _DIVIDED == 0:
            source, amount = ((value * _PART).quantize(_CENT) for value in parts[0][1:])
            rest = fields["AMTCUR"] - source, fields["AMTLED"] - amount
            parts = [(department, source, amount), ("100" if department != "100" else "200", *rest)]
        kept = shared("GACCENTRYA", fields)
        for place, (of, source, amount) in enumerate(parts, 1):
            more = {"ANALIN": place, "AMTCUR": source, "AMTLED": amount}
            values = {**kept, **more, **self._folder.dimensions(side, row["party"], of)}
            yield Row("GACCENTRYA", row["day"], values)


def _later(day: str) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=_VALIDATED_AFTER)).isoformat()
