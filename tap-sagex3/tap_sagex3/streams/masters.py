"""Common data: partners, addresses, sites, companies, currencies, payment terms."""

from __future__ import annotations

from tap_sagex3.streams.resource import Resource

RESOURCES = (
    Resource("companies", "COMPANY", ("CPY",), "company", "x3System"),
    Resource("sites", "FACILITY", ("FCY",), "site", "x3System"),
    Resource("currencies", "TABCUR", ("CUR",), "currency", "x3MasterData"),
    Resource(
        "payment_terms",
        "TABPAYTERM",
        ("PTE", "LEG", "PTELIN"),
        "paymentTerm",
        "x3InvoicingData",
        named_by="PTE",
    ),
    Resource("business_partners", "BPARTNER", ("BPRNUM",), "businessPartner", "x3MasterData"),
    Resource("suppliers", "BPSUPPLIER", ("BPSNUM",), "supplier", "x3MasterData"),
    Resource("customers", "BPCUSTOMER", ("BPCNUM",), "customer", "x3MasterData"),
    Resource(
        "addresses", "BPADDRESS", ("BPATYP", "BPANUM", "BPAADD"), "businessPartnerAddress", "x3MasterData"
    ),
)
