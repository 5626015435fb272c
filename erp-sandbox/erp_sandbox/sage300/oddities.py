"""What some Web APIs always do beside the rules; ``--oddity`` switches it on."""

from __future__ import annotations

from typing import Final

from erp_sandbox.odd_wire import WIRE
from erp_sandbox.oddities import REPORTED, Oddity

_IIS: Final = (
    "https://learn.microsoft.com/iis/configuration/system.webserver/security/requestfiltering/requestlimits/"
)
_JSON_FORMAT: Final = "https://docs.oasis-open.org/odata/odata-json-format/v4.0/odata-json-format-v4.0.html"
_ODATA: Final = "https://docs.oasis-open.org/odata/odata/v4.0/odata-v4.0-part1-protocol.html"
_SECTION_3: Final = "reference section 3"
_SECTION_5: Final = "reference section 5"

ODDITIES: Final[dict[str, Oddity]] = {
    "iis-limits": Oddity("a query string of more than 2,048 characters gets IIS's page of 404.15", _IIS),
    "uri-too-long": Oddity(
        "an address of more than so many characters gets an HTML page with 414", REPORTED, "CHARACTERS"
    ),
    "delete-while-paging": Oddity(
        "when the second page of a set is asked, its first record is deleted, once", REPORTED, "SET"
    ),
    "rows-descend": Oddity("rows come in the opposite order of their keys", "reference section 3, inferred"),
    "no-count": Oddity("$count=true is answered without @odata.count", REPORTED),
    "count-of-page": Oddity("@odata.count counts the records of the page", REPORTED),
    "count-refused": Oddity("$count is refused", _SECTION_3),
    "no-links": Oddity("no page has a next link, though there is more", f"{_ODATA}, section 8.9"),
    "circular-links": Oddity("the second page's next link leads to the first one", REPORTED),
    "link-without-query": Oddity("next links have lost their query", REPORTED),
    "numbers-as-text": Oddity("numbers come as JSON strings", f"IEEE754Compatible, {_JSON_FORMAT}"),
    "blank-dates": Oddity(
        "a date that is not set comes as 0001-01-01T00:00:00Z (VALUE 0001-01-01) or as an empty text (VALUE"
        " empty)",
        "reference section 2 and " + REPORTED,
        "VALUE",
    ),
    "null-detail": Oddity("the details of a record have a null among them", REPORTED, "[SET]"),
    "broken-document": Oddity(
        "a page that holds the record, or the record alone, is an HTML page with 500; KEY has commas",
        REPORTED,
        "SET:KEY",
    ),
    "refused-set": Oddity("a set is refused with 400, 401, 403, 404, 409 or 500", _SECTION_5, "SET:STATUS"),
    "company-down": Oddity("every request to a company fails with 500", REPORTED, "COMPANY"),
    "metadata-forbidden": Oddity("a module's $metadata is refused with 403", _SECTION_5, "[MODULE]"),
    "metadata-broken": Oddity("a module's $metadata breaks off in the middle", REPORTED, "[MODULE]"),
    "select-refused": Oddity("$select is refused", _SECTION_3, "[SET]"),
    "filter-refused": Oddity("$filter is refused", _SECTION_3, "[SET]"),
    "null-refused": Oddity("a filter that names null is refused", _SECTION_3, "[SET]"),
    "text-order-refused": Oddity(
        "gt, ge, lt and le on a text are refused", "https://github.com/Breeze/breeze.server.net/issues/125"
    ),
    "date-literals": Oddity(
        "filters take one form of dates only: v3 (datetime'2024-01-31T00:00:00'), plain (without an offset)"
        " or day",
        f"{_SECTION_3} and {REPORTED}",
        "FORM",
    ),
    "page-timeout": Oddity("a page of more than so many records ends in 504", REPORTED, "RECORDS"),
    "back-dated": Oddity(
        "records written since the server started bear dates of users that lie so many days back",
        "reference section 4 and " + REPORTED,
        "DAYS",
    ),
    "lower-sequence": Oddity(
        "records written since the server started have posting sequences that are lower by so many",
        "reference section 4 and " + REPORTED,
        "NUMBER",
    ),
    "long-batch": Oddity(
        "the lines of one document come again and again until they are so many", REPORTED, "SET:KEY:LINES"
    ),
    "utf-16": Oddity("answers in JSON come in UTF-16", REPORTED),
    **WIRE,
}
