"""Dimensions and other things that transactions name: streams to join with, by their ids or RECORDNO."""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

RESOURCES = (
    Resource("entities", "LOCATIONENTITY", created="WHENCREATED", small=True),
    Resource("locations", "LOCATION", created="WHENCREATED", small=True),
    Resource("departments", "DEPARTMENT", created="WHENCREATED", small=True),
    Resource("classes", "CLASS", created="WHENCREATED", small=True),
    # the audit trail names a deleted project otherwise than by RECORDNO (reference section 3.1)
    Resource("projects", "PROJECT", replication_key=None, audited=False),
    Resource("items", "ITEM", created="WHENCREATED"),
    Resource("employees", "EMPLOYEE", created="WHENCREATED", small=True),
    Resource("contacts", "CONTACT", created="WHENCREATED"),
    Resource("warehouses", "WAREHOUSE", created="WHENCREATED", small=True),
    Resource("exchange_rates", "EXCHANGERATE", replication_key=None, audited=False, small=True),
    Resource("exchange_rate_entries", "EXCHANGERATEENTRY", replication_key=None, audited=False),
    Resource("bank_accounts", "CHECKINGACCOUNT", replication_key=None, audited=False, small=True),
    Resource("savings_accounts", "SAVINGSACCOUNT", replication_key=None, audited=False, small=True),
    Resource("tax_details", "TAXDETAIL", created="WHENCREATED", audited=False, small=True),
)
