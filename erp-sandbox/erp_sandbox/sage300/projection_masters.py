"""Accounts, vendors, customers, their places and contacts, items and prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.masters import LOCATIONS
from erp_sandbox.business.masters import account as account_number
from erp_sandbox.sage300.projection_facts import (
    TAX_AUTHORITY,
    TAX_GROUP,
    optional_fields,
    party_name,
    tax,
    yes_no,
)
from erp_sandbox.sage300.projection_shape import OFFERS

if TYPE_CHECKING:
    import sqlite3

    from erp_sandbox.sage300.projection_shape import Writer

_TYPES: Final = {"Asset": "BalanceSheet", "Liability": "BalanceSheet", "Equity": "RetainedEarnings"}
_EVERY: Final = 10
_ASSEMBLED: Final = 5


def account(writer: Writer, number: str) -> None:
    """A general ledger account with its segments and group."""
    row = writer.books.find("accounts", account=number)
    debit = row["kind"] in {"Asset", "Expense"}
    writer.put(
        "GLAccounts",
        {
            "UnformattedAccount": number, "DateCreated": row["created"], "Description": row["description"],
            "AccountType": _TYPES.get(row["kind"], "IncomeStatement"),
            "NormalBalanceDRCR": "Debit" if debit else "Credit", "Status": "Active",
            "PostToAccount": "Detail",
            "QuantitiesAllowed": "No", "AllocationsAllowed": "No", "Multicurrency": "No",
            "ControlAccount": yes_no(row["control"]), "StructureCode": "MAIN",
            "AccountNumber": f"{row['segment']}-{row['department']}", "AccountSegmentCode1": row["segment"],
            "AccountSegmentCode2": row["department"], "AccountGroupCode": row["grp"],
            "AccountGroupSortCode": row["grp"], "NumberOfOptionalFields": 1,
            "AccountOptionalFields": optional_fields(
                "AccountOptionalField", {"UnformattedAccount": number}, REPORTLINE=row["kind"]
            ),
        },
    )  # fmt: skip


def _address(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "AddressLine1": row["address"], "City": row["city"], "StateProvince": row["state"],
        "ZipPostalCode": row["zip"], "Country": row["country"], "PhoneNumber": row["phone"],
        "ContactName": row["contact"], "Email": row["email"], "WebSite": row["website"],
    }  # fmt: skip


def party(writer: Writer, ledger: str, number: str) -> None:
    """A vendor or a customer, and what hangs on it."""
    row = writer.books.find("parties", ledger=ledger, id=number)
    common = {
        "ShortName": row["name"][:10], "GroupCode": row["grp"], "Status": row["status"],
        "DateLastMaintained": row["maintained"], "OnHold": yes_no(row["on_hold"]), "StartDate": row["start"],
        **_address(row), "CurrencyCode": row["currency"], "RateType": "SP", "Terms": row["terms"],
        "TaxGroup": TAX_GROUP, "TaxClassCode1": 1, "PaymentCode": "CHECK", "AccountSet": row["currency"],
        "BalanceDueInFunctionalCurrency": row["functional_balance"],
        "NumberOfPaidInvoices": row["paid_count"],
        "DateOfLastActivity": row["activity"], "DateOfLastInvoice": row["last_invoice"],
        "DateOfLastCreditNote": row["last_credit"], "DateOfLargestInvoice": row["largest_date"],
        "NumberOfOptionalFields": 2 if row["region"] else 1,
    }  # fmt: skip
    if ledger == "AP":
        _vendor(writer, row, common)
    else:
        _customer(writer, row, common)
    first, _, last = row["contact"].partition(" ")
    writer.put(
        "MTContacts",
        {
            "ContactID": f"{ledger}{number}"[:12], "ContactName": row["contact"], "FirstName": first,
            "LastName": last, "CompanyName": row["name"], "Email": row["email"], "Phone": row["phone"],
            "DateLastMaintained": row["maintained"],
            "VendorNumber" if ledger == "AP" else "CustomerNumber": number,
        },
        _address(row),
    )  # fmt: skip


def _vendor(writer: Writer, row: sqlite3.Row, common: dict[str, Any]) -> None:
    number = row["id"]
    writer.put(
        "APVendors",
        {
            **common, "VendorNumber": number, "VendorName": row["name"], "CreditLimit": row["credit_limit"],
            "BankCode": "CCB", "LegalName": row["name"], "BalanceDueInVendorCurrency": row["balance"],
            "NumberOfOpenInvoices": row["open_count"], "DateOfLastPayment": row["last_payment"],
            "LastPaymentVendorCurrency": row["last_payment_amount"],
            "LastInvoiceAmtVendorCurrency": row["last_invoice_amount"],
            "NumberOfLargestInvoice": row["largest_number"],
            "LargestInvoiceVendorCurrency": row["largest_amount"],
            "VendorOptionalFieldValues": optional_fields(
                "VendorOptionalFieldValue", {"VendorNumber": number}, REGION=row["region"],
                APPROVED=row["on_hold"] == 0,
            ),
        },
    )  # fmt: skip
    amount = row["last_payment_amount"]
    writer.put(
        "AP1099CPRSAmounts",
        {
            "VendorNumber": number, "Year": row["start"][:4], "Period": "12", "Num1099CPRSCode": "7",
            "AmountPaid": amount, "CurrencyCode": row["currency"], "VendorName": row["name"],
        },
    )  # fmt: skip
    if int(number[1:]) % _EVERY == 0:
        fee = Decimal("1250.005")
        rent = account_number("6100")
        writer.put(
            "APRecurringPayables",
            {
                "VendorNumber": number, "RecurringPayableCode": "RENT", "Description": "Loyer mensuel",
                "DocumentTotal": fee, "InvoiceSubtotal": fee, "Schedule": "MONTHLY",
                "RecurringPayableDetails": [
                    {"VendorNumber": number, "RecurringPayableCode": "RENT", "LineNumber": 20,
                     "DistributionCode": "RENT", "GLAccount": rent, "DistributedAmount": fee}
                ],
            },
            {**common, "EffectiveDate": row["start"]},
        )  # fmt: skip
        supplied = writer.books.one("SELECT * FROM biz_items WHERE company = :company ORDER BY id LIMIT 1")
        if supplied:
            writer.put(
                "POVendorContractCosts",
                {
                    "VendorNumber": number, "UnformattedItemNumber": supplied["id"],
                    "Currency": row["currency"],
                    "ItemNumber": supplied["id"], "BaseUnitCost": Decimal("12.345678"),
                    "ContractCostUnitOfMeasure": supplied["uom"], "LastMaintained": row["maintained"],
                },
            )  # fmt: skip


def _customer(writer: Writer, row: sqlite3.Row, common: dict[str, Any]) -> None:
    number = row["id"]
    contact = {
        "CustomerNumber": number, "ContactCode": f"C{number}", "SelectApplication": "All",
        "ContactName": row["contact"], "Email": row["email"], "ARInvoices": True, "ARStatements": True,
    }  # fmt: skip
    writer.put(
        "ARCustomers",
        {
            **common, "CustomerNumber": number, "CustomerName": row["name"], "NationalAccount": "",
            "CreditLimitCustomerCurrency": row["credit_limit"], "AccountType": "OpenItem",
            "BalanceDueInCustomerCurrency": row["balance"], "NumberOfOpenDocuments": row["open_count"],
            "DateOfLastReceipt": row["last_payment"],
            "LastReceiptCustomerCurrency": row["last_payment_amount"],
            "LastInvoiceAmountCustomerCurrency": row["last_invoice_amount"],
            "Salesperson1": row["salesperson"],
            "SalesSplitPercentage1": Decimal(100), "LargestInvoiceNumber": row["largest_number"],
            "LargestInvoiceCustomerCurrency": row["largest_amount"], "CustomerContactSelection": [contact],
            "CustomerOptionalFieldValues": optional_fields(
                "CustomerOptionalFieldValue", {"CustomerNumber": number}, REGION=row["region"],
                DISCOUNT=Decimal("2.500"),
            ),
        },
    )  # fmt: skip
    if int(number) % _EVERY == 0:
        fee = Decimal("99.995")
        writer.put(
            "ARRecurringCharges",
            {
                "RecurringChargeCode": "ONCALL", "CustomerNumber": number, "Description": "Support, on call",
                "InvoiceSubtotal": fee, "Schedule": "MONTHLY",
                "RecurringChargeDetails": [
                    {"RecurringChargeCode": "ONCALL", "CustomerNumber": number, "LineNumber": 20,
                     "Description": "On call", "Quantity": 1, "Price": fee, "ExtendedAmountWithTIP": fee,
                     "RevenueAccount": account_number("4000")}
                ],
            },
            common,
        )  # fmt: skip


def place(writer: Writer, ledger: str, party_number: str, code: str) -> None:
    """A remit-to or ship-to location; gone from the API when it is gone from the business."""
    entity_set = "APRemitToLocations" if ledger == "AP" else "ARShipToLocations"
    names = ("VendorNumber", "RemitToLocation") if ledger == "AP" else ("CustomerNumber", "ShipToLocationKey")
    key = dict(zip(names, (party_number, code), strict=True))
    row = writer.books.one(
        "SELECT * FROM biz_places WHERE company = :company AND ledger = :ledger"
        " AND party = :party AND id = :id",
        ledger=ledger,
        party=party_number,
        id=code,
    )
    if row is None:
        writer.remove(entity_set, key)
        return
    writer.put(
        entity_set,
        {**key, "Description": row["name"], "DateLastMaintained": row["maintained"], "City": row["city"],
         "Country": row["country"]},
        {"RemitToName": row["name"], "Status": "Active", "TaxGroup": TAX_GROUP},
    )  # fmt: skip


def _vendors_of(writer: Writer, row: sqlite3.Row) -> list[dict[str, Any]]:
    """Who sells an item, under which number and at what cost; nobody, if it has no vendor."""
    if not row["vendor"]:
        return []
    return [
        {
            "ItemNumber": row["id"], "VendorType": "Vendor1", "VendorNumber": row["vendor"],
            "VendorName": party_name(writer.books, "AP", row["vendor"]),
            "VendorItemNumberValue": f"{row['vendor']}/{row['id']}", "VendorExists": True,
            "VendorCurrency": writer.books.currency, "VendorCost": row["cost"], "CostUnit": row["uom"],
            "CostUnitConvFactor": 1, "PreferredVendorSIA": True,
        }
    ]  # fmt: skip


def item(writer: Writer, number: str) -> None:
    """An item, its price and what else lists it."""
    row = writer.books.find("items", id=number)
    available = row["on_hand"] - row["on_so"]
    colour = optional_fields("ItemOptionalField", {"ItemNumber": number}, COLOUR=row["colour"])
    formatted = f"{number[:2]}-{number[2:]}"
    writer.put(
        "ICItems",
        {
            "UnformattedItemNumber": number, "Description": row["description"], "ItemNumber": formatted,
            "DateLastMaintained": row["maintained"], "Status": row["active"], "Category": row["category"],
            "AccountSetCode": "STD", "StockItem": True, "StockingUnitOfMeasure": row["uom"], "Sellable": True,
            "DefaultPriceListCode": "RTL", "UnitWeight": row["weight"], "WeightUnitOfMeasure": "kg",
            "CostingMethod": "MovingAverage", "StructureCode": "STD", "Segment1": number[:2],
            "QuantityOnHand": row["on_hand"], "QuantityOnPurchaseOrder": row["on_po"],
            "QuantityOnSalesOrder": row["on_so"], "QuantityAvailable": available,
            "ItemUnitsOfMeasure": [
                {"ItemNumber": number, "UnitOfMeasure": row["uom"], "ConversionFactor": 1, "FACTOR": 1},
                {"ItemNumber": number, "UnitOfMeasure": "Pallet", "ConversionFactor": 48, "FACTOR": 48},
            ],
            "ItemTaxAuthorities": [
                {"ItemNumber": number, "TaxAuthority": TAX_AUTHORITY, "PurchaseTaxClass": 1,
                 "SalesTaxClass": 1}
            ],
            "VendorItemNumbers": _vendors_of(writer, row),
            "NumberOfOptionalFields": len(colour), "ItemOptionalFields": colour,
        },
    )  # fmt: skip
    key = {"CurrencyCode": writer.books.currency, "UnformattedItemNumber": number, "PriceListCode": "RTL"}
    writer.put(
        "ICItemPricing",
        {
            **key, "Description": row["description"], "BasePrice": row["price"], "MarkupCost": row["cost"],
            "PricingUnitOfMeasure": row["uom"], "ItemNumber": formatted,
            "LastMarkupCostChangeDate": row["maintained"],
            "ItemPricingDetails": [
                {**key, "UnitPrice": row["price"], "QuantityUnit": row["uom"], "ConversionFactor": 1,
                 "LastPriceChangeDate": row["maintained"], "DefaultUnit": True}
            ],
        },
    )  # fmt: skip
    serial = int(number[1:-2])
    if serial % _EVERY == 0:
        writer.put(
            "ARItems",
            {
                "ItemNumber": number, "Description": row["description"], "Status": "Active",
                "DateLastMaintained": row["maintained"], "RevenueAccount": account_number("4000"),
                "InventoryAccount": account_number("1300"), "COGSAccount": account_number("5000"),
                "ItemPricing": [
                    {"ItemNumber": number, "CurrencyCode": writer.books.currency, "UnitOfMeasure": row["uom"],
                     "ItemCost": row["cost"], "ItemPrice": row["price"]}
                ],
            },
        )  # fmt: skip
    if serial % _ASSEMBLED == 0:
        _assembly(writer, row, formatted)


def _assembly(writer: Writer, row: sqlite3.Row, formatted: str) -> None:
    key = {"UnformattedItemNumber": row["id"], "BOMNumber": "1"}
    writer.put(
        "ICBillsOfMaterial",
        {
            **key, "ItemNumber": formatted, "Description": row["description"], "BuildQuantity": 1,
            "UnitOfMeasure": row["uom"], "NumberOfComponents": 1,
            "Remark": f"Built at location {LOCATIONS[0]}",
            "BillsOfMaterialDetails": [
                {**key, "LineNumber": 20, "ComponentItemNumber": formatted, "Quantity": Decimal("2.5"),
                 "UnitOfMeasure": row["uom"], "UnitCost": row["cost"], "ConversionFactor": 1,
                 OFFERS: tax(Decimal(0), Decimal(0))}
            ],
        },
    )  # fmt: skip
