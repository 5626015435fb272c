"""Inventory documents and bank entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from erp_sandbox.sage300.projection_facts import period
from erp_sandbox.sage300.projection_shape import OFFERS

if TYPE_CHECKING:
    from erp_sandbox.sage300.projection_shape import Writer

#: Kind of movement: entity set, collection of lines, property of the date.
_SETS: Final = {
    "Adjustment": ("ICAdjustments", "AdjustmentDetails", "AdjustmentDate"),
    "Receipt": ("ICReceipts", "ReceiptDetails", "ReceiptDate"),
    "Shipment": ("ICShipments", "ShipmentDetails", "ShipDate"),
    "Transfer": ("ICTransfers", "TransferDetails", "DocumentDate"),
    "InternalUsage": ("ICInternalUsages", "InternalUsageDetails", "InternalUsageDate"),
}


def move(writer: Writer, kind: str, seq: str) -> None:
    """One inventory document with its line."""
    row = writer.books.find("moves", kind=kind, seq=int(seq))
    entity_set, lines, date = _SETS[kind]
    quantity = {
        "Quantity": row["quantity"],
        "QuantityReceived": row["quantity"],
        "QuantityTransferred": row["quantity"],
    }
    number = {f"{kind}Number": row["number"]} if kind != "InternalUsage" else {}
    writer.put(
        entity_set,
        {
            "SequenceNumber": row["seq"], date: row["day"], "Description": row["description"],
            "PostingDate": row["day"], **number,
            lines: [
                {
                    "SequenceNumber": row["seq"], "LineNumber": 1, "ItemNumber": row["item"],
                    "UnitOfMeasure": row["uom"],
                    OFFERS: {
                        **quantity, "Location": row["location"], "FromLocation": row["location"],
                        "ToLocation": row["to_location"], "ItemDescription": row["description"],
                        "Category": row["category"], "ExtendedCost": row["cost"],
                        "CostAdjustment": row["cost"],
                        "UnformattedItemNumber": row["item"], "ConversionFactor": 1,
                        "Comments": row["description"],
                    },
                }
            ],
        },
        {
            **period(row["day"]), "CustomerNumber": row["party"], "PostSequenceNumber": row["seq"],
            "RecordStatus": "Entered", "EnteredBy": "ADMIN", "TransactionNumber": row["seq"],
            "Reference": row["number"],
            "TotalExtendedCostFunctional": row["cost"], "SourceCurrency": writer.books.currency,
        },
    )  # fmt: skip


def bank_entry(writer: Writer, seq: str) -> None:
    """One entry keyed in Bank Services."""
    row = writer.books.find("bank_entries", seq=int(seq))
    writer.put(
        "BKBankEntries",
        {
            "SequenceNumber": row["seq"], "BankCode": row["bank"], "BankEntryDate": row["day"],
            "EntryDescription": row["description"], "EntryNumber": row["number"], "PostingDate": row["day"],
            "TotalSourceAmount": row["amount"], "TotalFunctionalAmount": row["amount"], "Status": "Posted",
            "BankCurrencyCode": writer.books.currency, "ExchangeRate": 1,
            "BankEntryDetail": [
                {"SequenceNumber": row["seq"], "LineNumber": 1, "Description": row["description"],
                 "SourceAmount": row["amount"], "FunctionalAmount": row["amount"],
                 "GLAccount": row["account"]}
            ],
        },
        period(row["day"]),
    )  # fmt: skip
