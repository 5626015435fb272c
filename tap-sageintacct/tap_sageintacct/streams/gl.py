"""General ledger: accounts, journal entries, and the view of all that is posted."""

from __future__ import annotations

from tap_sageintacct.streams.resource import NO_STAMP, Resource

#: Reference section 3.2, GLDETAIL.MODULEKEY.
MODULES = (
    "2.GL",
    "3.AP",
    "4.AR",
    "6.EE",
    "7.INV",
    "8.SO",
    "9.PO",
    "11.CM",
    "48.PROJACCT",
    "55.CONTRACT",
)

RESOURCES = (
    Resource(
        stream="gl_accounts", address="GLACCOUNT", business_key="ACCOUNTNO", created="WHENCREATED", small=True
    ),
    Resource(
        stream="gl_account_groups",
        address="GLACCTGRP",
        business_key="NAME",
        created="WHENCREATED",
        small=True,
    ),
    Resource(
        stream="gl_journals", address="GLJOURNAL", business_key="SYMBOL", created="WHENCREATED", small=True
    ),
    Resource(
        stream="statistical_accounts", address="STATACCOUNT", stamps=NO_STAMP, audited=False, small=True
    ),
    Resource(
        stream="reporting_periods", address="REPORTINGPERIOD", stamps=NO_STAMP, audited=False, small=True
    ),
    Resource(stream="gl_batches", address="GLBATCH", created="WHENCREATED", period="BATCH_DATE"),
    Resource(
        stream="gl_entries",
        address="GLENTRY",
        created="WHENCREATED",
        audited=False,
        parent="gl_batches",
        parent_key=("BATCHNO",),
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
    Resource(
        stream="gl_detail",
        address="GLDETAIL",
        created="AUWHENCREATED",
        audited=False,
        parent="gl_batches",
        parent_key=("BATCHKEY",),
        slices=("MODULEKEY", MODULES),
        period="ENTRY_DATE",
        measures=("DEBITAMOUNT", "CREDITAMOUNT"),
    ),
)
