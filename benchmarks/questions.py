"""What readers that are no taps of ours ask."""

from __future__ import annotations

import re
import urllib.request

HEADERS = {"x-xtrem-endpoint": "SAMINC"}
"""The folder, as GraphQL of Sage X3 is told it."""
_SESSION = re.compile(r"<sessionid>([^<]*)</sessionid>")


def asked(login: str, fields: list[str], size: int, offset: int) -> bytes:
    """A query for a page of details."""
    select = "".join(f"<field>{name}</field>" for name in fields)
    return (
        "<?xml version='1.0' encoding='UTF-8'?><request><control><senderid>SENDER</senderid>"
        "<password>SENDERPASS</password><controlid>plain</controlid><uniqueid>false</uniqueid>"
        "<dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace></control>"
        f'<operation><authentication>{login}</authentication><content><function controlid="0">'
        f"<query><object>GLDETAIL</object><select>{select}</select>"
        f"<orderby><order><field>RECORDNO</field><ascending/></order></orderby><pagesize>{size}</pagesize>"
        f"<offset>{offset}</offset></query></function></content></operation></request>"
    ).encode()


def login(url: str) -> str:
    """Sign in to Intacct once: those who are no taps of ours only read."""
    body = (
        "<?xml version='1.0' encoding='UTF-8'?><request><control><senderid>SENDER</senderid>"
        "<password>SENDERPASS</password><controlid>login</controlid><uniqueid>false</uniqueid>"
        "<dtdversion>3.0</dtdversion></control><operation><authentication><login><userid>WEBUSER</userid>"
        "<companyid>SAMINC</companyid><password>WEBPASS</password></login></authentication><content>"
        '<function controlid="0"><getAPISession/></function></content></operation></request>'
    )
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/xml"})
    with urllib.request.urlopen(request) as answer:
        found = _SESSION.search(answer.read().decode())
    return f"<sessionid>{found[1]}</sessionid>" if found else ""


_REFERENCES = "site chartOfAccounts account businessPartner transactionCurrency ledgerCurrency tax _createUser _updateUser"
QUERY = (
    "query ($after: String) { x3Finance { journalEntry { query(first: 100, after: $after, "
    'orderBy: "{\\"_id\\":1}") { edges { node { _id journalEntryNumber journalEntryStatus _updateStamp '
    "journalEntryLines { query(first: 200) { edges { node { _id journalEntryType { _id } journalEntry { _id } "
    "lineNumber ledgerTypeNumber accountingDate controlAccount sign transactionAmount ledgerAmount quantity "
    "lineDescription matchingCode matchingDate maximumMatchingDate _createStamp _updateStamp "
    + " ".join(f"{name} {{ _id }}" for name in _REFERENCES.split())
    + " } } } } } } pageInfo { endCursor hasNextPage } } } } }"
)
"""What a person would ask of the journal lines over GraphQL."""
