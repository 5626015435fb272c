"""Purchasing and order entry.

A company names its own transaction definitions, so all documents of a side are in one stream: DOCPARID says
which definition a document is of (Purchase Order, Receiver, Vendor Invoice ...), DOCPARCLASS of what kind.
"""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

RESOURCES = (
    Resource(
        stream="purchase_documents",
        address="PODOCUMENT",
        business_key="DOCID",
        definitions=True,
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTAL",),
    ),
    Resource(
        stream="purchase_document_lines",
        address="PODOCUMENTENTRY",
        definitions=True,
        created="AUWHENCREATED",
        audited=False,
        parent="purchase_documents",
        parent_key=("DOCHDRNO",),
        measures=("TOTAL",),
    ),
    Resource(
        stream="sales_documents",
        address="SODOCUMENT",
        business_key="DOCID",
        definitions=True,
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTAL",),
    ),
    Resource(
        stream="sales_document_lines",
        address="SODOCUMENTENTRY",
        definitions=True,
        created="AUWHENCREATED",
        audited=False,
        parent="sales_documents",
        parent_key=("DOCHDRNO",),
        measures=("TOTAL",),
    ),
)
