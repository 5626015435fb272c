"""General ledger: accounts, journal entries, and the view of all that is posted."""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

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
    Resource("gl_accounts", "GLACCOUNT", created="WHENCREATED", small=True),
    Resource("gl_account_groups", "GLACCTGRP", created="WHENCREATED", small=True),
    Resource("gl_journals", "GLJOURNAL", created="WHENCREATED", small=True),
    Resource("statistical_accounts", "STATACCOUNT", replication_key=None, audited=False, small=True),
    Resource("reporting_periods", "REPORTINGPERIOD", replication_key=None, audited=False, small=True),
    Resource("gl_batches", "GLBATCH", created="WHENCREATED", period="BATCH_DATE"),
    Resource(
        "gl_entries",
        "GLENTRY",
        created="WHENCREATED",
        audited=False,
        parent="gl_batches",
        parent_key="BATCHNO",
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
    Resource(
        "gl_detail",
        "GLDETAIL",
        created="AUWHENCREATED",
        audited=False,
        parent="gl_batches",
        parent_key="BATCHKEY",
        slices=("MODULEKEY", MODULES),
        period="ENTRY_DATE",
        measures=("DEBITAMOUNT", "CREDITAMOUNT"),
    ),
)
