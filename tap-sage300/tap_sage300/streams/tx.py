"""Tax Services.

Authorities, groups and rates; the tax tracking report has no date of change.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Resource, day

RESOURCES = (
    Resource(
        stream="tx_tax_authorities",
        address="TX/TXTaxAuthorities",
        key=("TaxAuthority",),
        stamps=(day("LastMaintained"),),
        evidence="inferred",
    ),
    Resource(
        stream="tx_tax_groups",
        address="TX/TXTaxGroups",
        key=("TaxGroupKey", "TransactionType"),
        stamps=(day("LastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="tx_tax_rates",
        address="TX/TXTaxRates",
        key=("TaxAuthority", "TransactionType", "BuyerClass"),
        stamps=(day("LastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="tx_tax_tracking",
        address="TX/TXTaxTracking",
        key=("AuditRecordNumber",),
        evidence="inferred",
    ),
)
"""Every readable entity set of Tax Services."""
