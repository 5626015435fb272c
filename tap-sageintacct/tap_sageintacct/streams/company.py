"""Dimensions and other things that transactions name: streams to join with, by their ids or RECORDNO."""

from __future__ import annotations

from tap_sageintacct.streams.resource import NO_STAMP, Resource

RESOURCES = (
    Resource(
        stream="entities",
        address="LOCATIONENTITY",
        business_key="LOCATIONID",
        created="WHENCREATED",
        small=True,
    ),
    Resource(
        stream="locations", address="LOCATION", business_key="LOCATIONID", created="WHENCREATED", small=True
    ),
    Resource(
        stream="departments",
        address="DEPARTMENT",
        business_key="DEPARTMENTID",
        created="WHENCREATED",
        small=True,
    ),
    Resource(stream="classes", address="CLASS", business_key="CLASSID", created="WHENCREATED", small=True),
    # the audit trail names a deleted project otherwise than by RECORDNO (reference section 3.1)
    Resource(
        stream="projects",
        address="PROJECT",
        refused=frozenset(
            {
                "CFDA",
                "FUNDEDNAME",
                "AGENCY",
                "PAYER",
                "FUNDINGOTHERID",
                "ASSISTANCETYPE",
                "REVRESTRICTION",
                "RESTRICTIONEXPIRY",
                "RESTRICTIONEXPIRATIONDATE",
                "TIMESATISFACTIONSCHEDULED",
            }
        ),
        stamps=NO_STAMP,
        audited=False,
    ),
    Resource(stream="items", address="ITEM", business_key="ITEMID", created="WHENCREATED"),
    Resource(
        stream="employees", address="EMPLOYEE", business_key="EMPLOYEEID", created="WHENCREATED", small=True
    ),
    Resource(stream="contacts", address="CONTACT", business_key="CONTACTNAME", created="WHENCREATED"),
    Resource(
        stream="warehouses",
        address="WAREHOUSE",
        business_key="WAREHOUSEID",
        created="WHENCREATED",
        small=True,
    ),
    Resource(stream="exchange_rates", address="EXCHANGERATE", stamps=NO_STAMP, audited=False, small=True),
    Resource(stream="exchange_rate_entries", address="EXCHANGERATEENTRY", stamps=NO_STAMP, audited=False),
    Resource(stream="bank_accounts", address="CHECKINGACCOUNT", stamps=NO_STAMP, audited=False, small=True),
    Resource(stream="savings_accounts", address="SAVINGSACCOUNT", stamps=NO_STAMP, audited=False, small=True),
    Resource(stream="tax_details", address="TAXDETAIL", created="WHENCREATED", audited=False, small=True),
)
