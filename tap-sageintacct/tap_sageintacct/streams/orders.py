"""Purchasing and order entry.

A company names its own transaction definitions, so all documents of a side are in one stream: DOCPARID says
which definition a document is of (Purchase Order, Receiver, Vendor Invoice ...), DOCPARCLASS of what kind.
"""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

RESOURCES = (
    Resource(
        "purchase_documents",
        "PODOCUMENT",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTAL",),
    ),
    Resource(
        "purchase_document_lines",
        "PODOCUMENTENTRY",
        created="AUWHENCREATED",
        audited=False,
        parent="purchase_documents",
        parent_key="DOCHDRNO",
        measures=("TOTAL",),
    ),
    Resource(
        "sales_documents",
        "SODOCUMENT",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTAL",),
    ),
    Resource(
        "sales_document_lines",
        "SODOCUMENTENTRY",
        created="AUWHENCREATED",
        audited=False,
        parent="sales_documents",
        parent_key="DOCHDRNO",
        measures=("TOTAL",),
    ),
)
