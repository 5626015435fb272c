"""What some companies' gateways always do beside the rules; ``--oddity`` switches it on."""

from __future__ import annotations

from typing import Final

from erp_sandbox.odd_wire import WIRE
from erp_sandbox.oddities import REPORTED, Oddity

_JS_83: Final = "https://github.com/intacct/intacct-sdk-js/issues/83"
_NET_150: Final = "https://github.com/intacct/intacct-sdk-net/issues/150"
_FORMATTING: Final = "readUserFormatting in reference section 2.3"

ODDITIES: Final[dict[str, Oddity]] = {
    "unqueryable-fields": Oddity(
        "query refuses fields with XL03000006 and their names; without a value those that were seen refused",
        f"{_JS_83} and {_NET_150}",
        "[OBJECT.FIELD]",
    ),
    "refused-object": Oddity(
        "every read of an object fails, with DL02000001 unless another number is given",
        "reference sections 1.5 and 2.6",
        "OBJECT[:ERRORNO]",
    ),
    "broken-record": Oddity(
        "every answer that would hold a record fails, with BL01001973 unless another number is given; with a"
        " FIELD only where that is asked for",
        "reference section 1.5; that one record does so is " + REPORTED,
        "OBJECT:RECORDNO[:ERRORNO[:FIELD]]",
    ),
    "refused-entity": Oddity("no session can be opened in an entity", "reference section 1.2", "ENTITY"),
    "business-key": Oddity(
        "a record has another business key, for example one of digits, wherever it is named",
        "reference section 2.6",
        "OBJECT:RECORDNO:KEY",
    ),
    "deletion": Oddity(
        "a record is gone, and the audit trail says so today with the OBJECTKEY given",
        "reference section 2.6",
        "OBJECT:RECORDNO:OBJECTKEY",
    ),
    "no-zero-balances": Oddity(
        "get_trialbalance leaves accounts with nothing out, even if zero balances are asked for", REPORTED
    ),
    "period-names": Oddity("reporting periods are named 2026-01, not Month Ended January 2026", REPORTED),
    "date-format": Oddity(
        "the user sees dates in another order, as readUserFormatting says: /dmY, -Ymd or .dmY",
        _FORMATTING,
        "FORMAT",
    ),
    "twelve-hour-clock": Oddity("the user sees times with AM and PM", _FORMATTING),
    "forbidden-characters": Oddity(
        "the first text of each answer about an object holds characters that XML forbids, raw and by number",
        REPORTED,
        "OBJECT",
    ),
    "comments-in-values": Oddity("a comment stands inside a text of an object", REPORTED, "OBJECT"),
    "entities-in-values": Oddity(
        "an entity that the answer itself defines stands inside a text of an object", REPORTED, "OBJECT"
    ),
    "numremaining-zero": Oddity("query says that nothing remains, though totalcount says more", REPORTED),
    "numremaining-text": Oddity("numremaining is no number", REPORTED),
    "read-more-stuck": Oddity(
        "readMore gives the same page again, and its numremaining never falls", REPORTED
    ),
    "read-more-uncounted": Oddity(
        "readByQuery and readMore say nothing of what remains",
        "elements instead of attributes in reference section 4.1, and " + REPORTED,
    ),
    "read-more-nameless": Oddity("readByQuery and readMore give no resultId", REPORTED),
    "custom-object-id": Oddity(
        "custom objects have id, name and updatedAt instead of RECORDNO, NAME and WHENMODIFIED", REPORTED
    ),
    "docparid-fields": Oddity(
        "a transaction definition has a field ROUTE_CODE that only calls with its docparid know",
        "docparid in reference section 2.1",
        "DOCPARID",
    ),
    "gw-0010": Oddity(
        "every so many-th request is refused with GW-0010 and no word of a rate limit",
        "reference section 1.5; the words are " + REPORTED,
        "REQUESTS[:STATUS]",
    ),
    "endpoint": Oddity("getAPISession names another endpoint", "reference section 1.2", "ADDRESS"),
    **WIRE,
}
