"""Inventory Control.

Documents keep their posting date and get the next sequence number, whatever date they are entered with.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Lines, Resource

RESOURCES = (
    Resource(
        "ic_account_sets",
        "IC",
        "ICAccountSets",
        key=("AccountSetCode",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ic_adjustments",
        "IC",
        "ICAdjustments",
        key=("SequenceNumber",),
        replication_key="PostingDate",
        grows_by="SequenceNumber",
        lines=(Lines("ic_adjustment_lines", ("AdjustmentDetails",), key=("SequenceNumber", "LineNumber")),),
    ),
    Resource(
        "ic_bills_of_material",
        "IC",
        "ICBillsOfMaterial",
        key=("UnformattedItemNumber", "BOMNumber"),
        lines=(
            Lines(
                "ic_bill_of_material_lines",
                ("BillsOfMaterialDetails",),
                key=("UnformattedItemNumber", "BOMNumber", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "ic_categories",
        "IC",
        "ICCategories",
        key=("CategoryCode",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ic_internal_usages",
        "IC",
        "ICInternalUsages",
        key=("SequenceNumber",),
        replication_key="PostingDate",
        grows_by="SequenceNumber",
        lines=(
            Lines("ic_internal_usage_lines", ("InternalUsageDetails",), key=("SequenceNumber", "LineNumber")),
        ),
    ),
    Resource(
        "ic_item_prices",
        "IC",
        "ICItemPricing",
        key=("CurrencyCode", "UnformattedItemNumber", "PriceListCode"),
        lines=(
            Lines(
                "ic_item_price_details",
                ("ItemPricingDetails",),
                key=(
                    "CurrencyCode",
                    "UnformattedItemNumber",
                    "PriceListCode",
                    "PriceDetailType",
                    "QuantityUnit",
                ),
            ),
        ),
    ),
    Resource(
        "ic_item_structures",
        "IC",
        "ICItemStructures",
        key=("ItemStructureCode",),
        replication_key="DateLastMaintained",
        selected=False,
    ),
    Resource(
        "ic_locations",
        "IC",
        "ICLocations",
        key=("LocationKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ic_price_list_codes",
        "IC",
        "ICPriceListCodes",
        key=("PriceListCodeKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ic_receipts",
        "IC",
        "ICReceipts",
        key=("SequenceNumber",),
        replication_key="PostingDate",
        grows_by="SequenceNumber",
        lines=(Lines("ic_receipt_lines", ("ReceiptDetails",), key=("SequenceNumber", "LineNumber")),),
    ),
    Resource(
        "ic_shipments",
        "IC",
        "ICShipments",
        key=("SequenceNumber",),
        replication_key="PostingDate",
        grows_by="SequenceNumber",
        lines=(Lines("ic_shipment_lines", ("ShipmentDetails",), key=("SequenceNumber", "LineNumber")),),
    ),
    Resource(
        "ic_transfers",
        "IC",
        "ICTransfers",
        key=("SequenceNumber",),
        replication_key="PostingDate",
        grows_by="SequenceNumber",
        lines=(Lines("ic_transfer_lines", ("TransferDetails",), key=("SequenceNumber", "LineNumber")),),
    ),
    Resource(
        "ic_units_of_measure",
        "IC",
        "ICUnitsOfMeasure",
        key=("UnitOfMeasureKey",),
    ),
    Resource(
        "ic_weight_units_of_measure",
        "IC",
        "ICWeightUnitsOfMeasure",
        key=("WeightUnitOfMeasureKey",),
        selected=False,
    ),
    # Read whole: quantities and costs move without DateLastMaintained.
    Resource(
        "items",
        "IC",
        "ICItems",
        key=("UnformattedItemNumber",),
        lines=(
            Lines(
                "item_tax_authorities", ("ItemTaxAuthorities",), key=("UnformattedItemNumber", "TaxAuthority")
            ),
            Lines(
                "item_units_of_measure",
                ("ItemUnitsOfMeasure",),
                key=("UnformattedItemNumber", "UnitOfMeasure"),
            ),
            Lines("item_vendors", ("VendorItemNumbers",), key=("UnformattedItemNumber", "VendorType")),
        ),
    ),
)
"""Every readable entity set of Inventory Control."""
