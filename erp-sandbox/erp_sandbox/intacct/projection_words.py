"""Words for columns that no book decides: by the endings of their names, the first that fits."""

from __future__ import annotations

import re
from typing import Final

#: Columns that say something happened, or that the store writes itself: they are left to the books.
LEFT_OUT: Final = frozenset(
    "RECORDNO WHENMODIFIED WHENCREATED AUWHENCREATED WHENPAID REVERSED REVERSEDKEY REVERSEDFROM CLRDATE"  # noqa: SIM905
    " PRCLRDATE CLEARED PRCLEARED VOIDED RECON_DATE EXCH_RATE_TYPE_ID BOOKID MODULEKEY STATE RAWSTATE"
    " ENTITYRECORDNO RECORD_URL RECORDID RECORDTYPE TERMINATIONTYPE CATEGORYKEY".split()
)
_STREETS: Final = ("1 Harbour Street", "22 Station Road", "# Main Street", "# Industrial Way")
_CITIES: Final = ("Boston", "Denver", "Seattle", "Austin")
_TEXTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"STATUS$", ("active",)),
    (r"FIRSTNAME$", ("Anna", "James", "Maria", "Lee")),
    (r"LASTNAME$", ("Baker", "Nguyen", "O'Neill", "Çelik")),
    (r"^INITIAL$", ("A", "M", "J")),
    (r"^PREFIX$", ("Ms.", "Mr.", "Dr.")),
    (r"(PHONE\d?|FAX|PAGER)$", ("+1 555 # 0100", "+1 555 # 0199")),
    (r"EMAIL\d?$", ("accounts@example.com", "office#@example.com")),
    (r"URL\d?$", ("https://www.example.com/#",)),
    (r"ADDRESS1$", _STREETS),
    (r"ADDRESS2$", ("Suite #", "Floor 3")),
    (r"ADDRESS3$", ("Building B", "Gate #")),
    (r"CITY$", _CITIES),
    (r"COUNTRYCODE$", ("US", "CA")),
    (r"COUNTRY$", ("United States", "Canada")),
    (r"STATE$", ("MA", "CO", "WA", "TX")),
    (r"ZIP(CODE)?$", ("0#1", "98#", "80#")),
    (r"(TAXID|FEDERALID|SSN|SIRET)$", ("12-3456#",)),
    (r"(TERM|TERMS|TERMNAME)$", ("NET30", "NET60")),
    (r"(UOM|UNIT)$", ("Each", "Box")),
    (r"TAXGROUP$|TAXSCHEDULE$", ("Domestic", "Export")),
    (r"TAXSOLUTIONID$", ("US Sales Tax",)),
    (r"COMPANYNAME$|PRINTAS$", ("Bright Offices Inc", "Northwind Fitters", "Company #")),
    (r"(DESC|DESCRIPTION\d?|MEMO|NOTE|TEXT|MESSAGE|COMMENTS?)$", ("As agreed by telephone", "See file #")),
    (r"SHIPVIA$|SHIPPINGMETHOD$", ("Ground", "Air")),
    (r"FORM1099TYPE$|1099TYPE$", ("MISC", "NEC")),
    (r"BANKNAME$", ("First National", "Harbour Savings")),
    (r"ROUTINGNUMBER$|ROUTINGNO$|BANKID$", ("011000#",)),
    (r"BUSINESSDAYS$", ("MONDAY,TUESDAY,WEDNESDAY,THURSDAY,FRIDAY",)),
    (r"WEEKENDS$", ("SATURDAY,SUNDAY",)),
    (r"WEEKSTART$", ("Monday", "Sunday")),
    (r"TERMVALUE$", ("::#30#:O:",)),
    (r"GENDER$", ("female", "male")),
    (r"(COLOR|STYLE)$", ("black", "white", "oak")),
    (r"(AMOUNT|SUBTOTAL)$", ("0",)),
    (r"DUE_IN_DAYS$", ("30", "-5", "0")),
    (r"(SEQNO|COUNT)$", ("#",)),
    (r"(KEY|ID|NO|NUMBER|CODE|UPC)$", ("N-#", "R#")),
)
TEXTS: Final = tuple((re.compile(pattern), words) for pattern, words in _TEXTS)
#: Flags that are texts: T or F.
FLAG: Final = re.compile(
    r"^(ADJ|STATISTICAL|FORM1099|UPDATES_INV|USEEXPENSEACCT|ALLOCATION|HAS\w+|FILTER\w+|\w*RESTRICTION\w*|"
    r"REV\w+|\w+OVERRIDE|PRBATCH_OPEN|\w*BILLABLE|\w*NOTIFY|GSTREGISTERED)$"
)
_LETTERS: Final = re.compile(r"[^A-Z0-9]+")


def humanised(name: str) -> str:
    """``SPECIFICATION1`` as ``Specification1``."""
    return _LETTERS.sub(" ", name).strip().capitalize()
