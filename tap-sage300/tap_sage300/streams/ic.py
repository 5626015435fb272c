"""Inventory Control.

Documents keep their posting date and get the next sequence number, whatever date they are entered with.
"""

from __future__ import annotations

from ml_connector.extract.resource import Carried

from tap_sage300.streams.resource import Lines, Resource, chosen, counter, day

_OF_ITEM = ("UnformattedItemNumber", Carried("ItemItemNumber", "ItemNumber"), "Description")
"""What rows of an item have of it."""

RESOURCES = (
    Resource(
        stream="ic_account_sets",
        address="IC/ICAccountSets",
        key=("AccountSetCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="ic_adjustments",
        address="IC/ICAdjustments",
        key=("SequenceNumber",),
        stamps=(
            chosen("PostingDate"),
            counter("SequenceNumber"),
        ),
        evidence="partial",
        lines=(
            Lines(
                stream="ic_adjustment_lines",
                collection="AdjustmentDetails",
                key=("SequenceNumber", "LineNumber"),
                carried=(
                    "AdjustmentNumber",
                    "AdjustmentDate",
                    "PostingDate",
                    "FiscalYear",
                    "FiscalPeriod",
                    "RecordStatus",
                ),
            ),
        ),
    ),
    Resource(
        stream="ic_bills_of_material",
        address="IC/ICBillsOfMaterial",
        key=("UnformattedItemNumber", "BOMNumber"),
        evidence="inferred",
        lines=(
            Lines(
                stream="ic_bill_of_material_lines",
                collection="BillsOfMaterialDetails",
                key=("UnformattedItemNumber", "BOMNumber", "LineNumber"),
            ),
        ),
    ),
    Resource(
        stream="ic_categories",
        address="IC/ICCategories",
        key=("CategoryCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="ic_internal_usages",
        address="IC/ICInternalUsages",
        key=("SequenceNumber",),
        stamps=(
            chosen("PostingDate"),
            counter("SequenceNumber"),
        ),
        evidence="partial",
        lines=(
            Lines(
                stream="ic_internal_usage_lines",
                collection="InternalUsageDetails",
                key=("SequenceNumber", "LineNumber"),
                carried=(
                    "InternalUsageDate",
                    "PostingDate",
                    Carried("InternalUsageEmployeeNumber", "EmployeeNumber"),
                    "RecordStatus",
                ),
            ),
        ),
    ),
    Resource(
        stream="ic_item_prices",
        address="IC/ICItemPricing",
        key=("CurrencyCode", "UnformattedItemNumber", "PriceListCode"),
        evidence="verified",
        lines=(
            Lines(
                stream="ic_item_price_details",
                collection="ItemPricingDetails",
                key=(
                    "CurrencyCode",
                    "UnformattedItemNumber",
                    "PriceListCode",
                    "PriceDetailType",
                    "QuantityUnit",
                ),
                carried=("Description",),
            ),
        ),
    ),
    Resource(
        stream="ic_item_structures",
        address="IC/ICItemStructures",
        key=("ItemStructureCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="ic_locations",
        address="IC/ICLocations",
        key=("LocationKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="ic_price_list_codes",
        address="IC/ICPriceListCodes",
        key=("PriceListCodeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="ic_receipts",
        address="IC/ICReceipts",
        key=("SequenceNumber",),
        stamps=(
            chosen("PostingDate"),
            counter("SequenceNumber"),
        ),
        evidence="partial",
        lines=(
            Lines(
                stream="ic_receipt_lines",
                collection="ReceiptDetails",
                key=("SequenceNumber", "LineNumber"),
                carried=(
                    "ReceiptNumber",
                    "ReceiptDate",
                    "PostingDate",
                    "FiscalYear",
                    "FiscalPeriod",
                    "VendorNumber",
                    "ReceiptCurrency",
                    "RecordStatus",
                ),
            ),
        ),
    ),
    Resource(
        stream="ic_shipments",
        address="IC/ICShipments",
        key=("SequenceNumber",),
        stamps=(
            chosen("PostingDate"),
            counter("SequenceNumber"),
        ),
        evidence="partial",
        lines=(
            Lines(
                stream="ic_shipment_lines",
                collection="ShipmentDetails",
                key=("SequenceNumber", "LineNumber"),
                carried=(
                    "ShipmentNumber",
                    "ShipDate",
                    "PostingDate",
                    "CustomerNumber",
                    "SourceCurrency",
                    "ExchangeRate",
                    "RecordStatus",
                ),
            ),
        ),
    ),
    Resource(
        stream="ic_transfers",
        address="IC/ICTransfers",
        key=("SequenceNumber",),
        stamps=(
            chosen("PostingDate"),
            counter("SequenceNumber"),
        ),
        evidence="partial",
        lines=(
            Lines(
                stream="ic_transfer_lines",
                collection="TransferDetails",
                key=("SequenceNumber", "LineNumber"),
                carried=(
                    "TransferNumber",
                    "DocumentDate",
                    "PostingDate",
                    "FiscalYear",
                    "FiscalPeriod",
                    "RecordStatus",
                ),
            ),
        ),
    ),
    Resource(
        stream="ic_units_of_measure",
        address="IC/ICUnitsOfMeasure",
        key=("UnitOfMeasureKey",),
        evidence="inferred",
    ),
    Resource(
        stream="ic_weight_units_of_measure",
        address="IC/ICWeightUnitsOfMeasure",
        key=("WeightUnitOfMeasureKey",),
        evidence="inferred",
        selected=False,
    ),
    # Read whole: quantities and costs move without DateLastMaintained.
    Resource(
        stream="items",
        address="IC/ICItems",
        key=("UnformattedItemNumber",),
        evidence="verified",
        lines=(
            Lines(
                stream="item_tax_authorities",
                collection="ItemTaxAuthorities",
                key=("UnformattedItemNumber", "TaxAuthority"),
                carried=_OF_ITEM,
            ),
            Lines(
                stream="item_units_of_measure",
                collection="ItemUnitsOfMeasure",
                key=("UnformattedItemNumber", "UnitOfMeasure"),
                carried=_OF_ITEM,
            ),
            Lines(
                stream="item_vendors",
                collection="VendorItemNumbers",
                key=("UnformattedItemNumber", "VendorType"),
                carried=_OF_ITEM,
            ),
        ),
    ),
)
"""Every readable entity set of Inventory Control."""
