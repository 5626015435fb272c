"""Values that many entity sets want under the same names."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.masters import TAX_RATE
from erp_sandbox.sage300.projection_shape import OFFERS

if TYPE_CHECKING:
    import sqlite3

    from erp_sandbox.business.books import Books

TAX_GROUP: Final = "WATAX"
TAX_AUTHORITY: Final = "WASTATE"
#: Numbers of document types where the model names none but the invoice: they then appear as on a server that
#: does not know the name either.
CREDIT_NOTE: Final = {"AP": "3", "AR": "3"}


def yes_no(value: object) -> str:
    """The ERP's Yes/No."""
    return "Yes" if value else "No"


def period(day: str) -> dict[str, Any]:
    """Fiscal year and period of a day: calendar months."""
    return {"FiscalYear": day[:4], "FiscalPeriod": day[5:7]}


def money(row: sqlite3.Row, books: Books) -> dict[str, Any]:
    """Currency and rate of a document under their usual names."""
    return {
        "CurrencyCode": row["currency"], "Currency": row["currency"], "RateType": "SP",
        "RateDate": row["day"],
        "ExchangeRate": row["rate"], "RateOperation": "Multiply", "RateOperator": 1,
        "HomeCurrency": books.currency,
        "SourceCurrency": row["currency"],
    }  # fmt: skip


def tax(base: Decimal, amount: Decimal) -> dict[str, Any]:
    """The one tax of a document or line under its usual names."""
    return {
        "TaxGroup": TAX_GROUP, "TaxAuthority1": TAX_AUTHORITY, "TaxClass1": 1, "TaxBase1": base,
        "BaseTax1": base,
        "TaxRate1": TAX_RATE, "TaxAmount1": amount, "TaxTotal": amount,
        "TaxAuth1Description": "Washington state",
    }  # fmt: skip


def party_name(books: Books, ledger: str, number: str) -> str:
    """Name of a vendor or customer."""
    return str(books.find("parties", ledger=ledger, id=number)["name"])


def optional_fields(model: str, keys: dict[str, Any], **fields: str | Decimal | bool) -> list[dict[str, Any]]:
    """Optional fields as the API lists them; blank ones are not on the record.

    Args:
        model: The detail's model name: it prefixes the type's property.
        keys: The record's key.
        **fields: Field code to value.
    """
    result = []
    for position, (code, value) in enumerate(fields.items(), 1):
        if value == "":
            continue
        kind = "YesNo" if isinstance(value, bool) else "Amount" if isinstance(value, Decimal) else "Text"
        text = f"{int(value):>60}" if isinstance(value, bool) else str(value)
        typed = {"Text": "TextValue", "Amount": "AmountValue", "YesNo": "YesNoValue"}[kind]
        offers = {
            **keys, f"{model}Type": kind, "Length": 60, "Decimals": 3 if kind == "Amount" else 0,
            "AllowBlank": True, "ValueSet": "Yes", "TypedValueFieldIndex": 20 + position, typed: value,
            "OptionalFieldDescription": f"Optional field {code.lower()}",
        }  # fmt: skip
        result.append({"OptionalField": code, "Value": text, OFFERS: offers})
    return result
