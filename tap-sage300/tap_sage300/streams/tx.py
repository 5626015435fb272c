"""Tax Services.

Authorities, groups and rates; the tax tracking report has no date of change.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Resource

RESOURCES = (
    Resource(
        "tx_tax_authorities",
        "TX",
        "TXTaxAuthorities",
        key=("TaxAuthority",),
        replication_key="LastMaintained",
    ),
    Resource(
        "tx_tax_groups",
        "TX",
        "TXTaxGroups",
        key=("TaxGroupKey", "TransactionType"),
        replication_key="LastMaintained",
    ),
    Resource(
        "tx_tax_rates",
        "TX",
        "TXTaxRates",
        key=("TaxAuthority", "TransactionType", "BuyerClass"),
        replication_key="LastMaintained",
    ),
    Resource(
        "tx_tax_tracking",
        "TX",
        "TXTaxTracking",
        key=("AuditRecordNumber",),
    ),
)
"""Every readable entity set of Tax Services."""
