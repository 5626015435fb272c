"""What every schema file promises: keys, exact decimals, no secret."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

import tap_sage300
from ml_connector.extract.resource import Carried, walk
from tap_sage300.streams import RESOURCES
from tap_sage300.streams.resource import SEGMENTS, Lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Schema = dict[str, Any]

FOLDER = Path(tap_sage300.__file__).parent / "schemas"
#: Decimals as text, for 0.0000001 must be exactly that.
SCHEMAS: dict[str, Schema] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    for path in sorted(FOLDER.glob("*.json"))
}
#: The declaration of each stream: of the document and, for lines, of the lines with their path.
DECLARED = {each.stream: (each, None, ()) for each in RESOURCES} | {
    lines.stream: (each, lines, path) for each in RESOURCES for lines, path in walk(each.lines)
}
LINES = [stream for stream, (_, lines, _) in DECLARED.items() if lines]

#: The GET rows of the endpoint reference of August 2022, copied from it and not from the tap.
READABLE = {
    "AP": "AP1099CPRSAmounts AP1099CPRSCodes APAccountSets APDistributionCodes APDistributionSets"
    " APInvoiceBatches APPaymentAndAdjustmentBatches APPaymentCodes APPostedDocuments APPostedPayments"
    " APPostingErrorMessages APRecurringPayables APRemitToLocations APTerms APVendorGroups"
    " APVendorStatistics APVendors",
    "AR": "ARAccountSets ARBillingCycles ARCommentTypes ARCustomerGroups ARCustomers ARDistributionCodes"
    " ARDunningMessages ARInvoiceBatches ARItemStatistics ARItems ARNationalAccountStatistics"
    " ARNationalAccounts ARPaymentCodes ARPayments ARPostedDocuments ARPostedReceipts"
    " ARReceiptAndAdjustmentBatches ARRecurringCharges ARRefundBatches ARSalespersonStatistics"
    " ARSalespersons ARShipToLocations ARTerms",
    "BK": "BKBankDistributionCodes BKBankEntries BKBanks BKCreditCardTypes",
    "CS": "CSCompanyProfile CSCurrencyCodes CSCurrencyRateTypes CSCurrencyRates CSFiscalCalendars CSSchedules",
    "GL": "GLAccountFiscalSets GLAccountGroups GLAccounts GLJournalBatches GLPostedTransactions"
    " GLPostingJournalDetails GLProvisionalPostingErrors GLRevaluationCodes GLSegmentCodes GLSourceCodes",
    "IC": "ICAccountSets ICAdjustments ICBillsOfMaterial ICCategories ICInternalUsages ICItemPricing"
    " ICItemStructures ICItems ICLocations ICPriceListCodes ICReceipts ICShipments ICTransfers"
    " ICUnitsOfMeasure ICWeightUnitsOfMeasure",
    "MT": "MTContactForms MTContacts",
    "OE": "OECreditDebitNotes OEInvoices OEMiscellaneousCharges OEOrders OEPostingJournals OESalesHistory"
    " OESalesHistoryDetails OESalesStatistics OEShipViaCodes OETemplates",
    "PO": "POAccountSets POAdditionalCosts POCreditDebitNotes POGetReceipts POInvoices POPurchaseOrders"
    " PORequisitions POReturns POTemplates POVendorContractCosts",
    "TX": "TXTaxAuthorities TXTaxGroups TXTaxRates TXTaxTracking",
}


def fields(schema: Schema, at: str = "") -> Iterator[tuple[str, Schema]]:
    """Every field at every depth, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{at}.{name}", field
        yield from fields(field.get("items", {}), f"{at}.{name}")


def key_of(stream: str) -> tuple[str, ...]:
    """The key of a stream, without the company."""
    resource, lines, _ = DECLARED[stream]
    return (lines or resource).key


def carried_by(lines: Lines) -> set[str]:
    """The columns that lines take from above."""
    return {each.column if isinstance(each, Carried) else each for each in lines.carried}


def level(header: Schema, path: Sequence[str]) -> Schema:
    """The properties of a record after going down a path of collections."""
    properties = header["properties"]
    for step in path:
        properties = properties[step]["items"]["properties"]
    return properties


def test_every_readable_entity_set_has_one_document_stream() -> None:
    described = sorted((each.module, each.entity_set) for each in RESOURCES)
    assert described == sorted((module, name) for module, names in READABLE.items() for name in names.split())
    assert len(described) == 101


@pytest.mark.parametrize("stream", SCHEMAS)
class TestEverySchema:
    def test_is_a_valid_draft_07_schema_with_a_description(self, stream: str) -> None:
        schema = SCHEMAS[stream]
        Draft7Validator.check_schema(json.loads((FOLDER / f"{stream}.json").read_text(encoding="utf-8")))
        assert len(schema["description"]) > len("Entity set  of ")

    def test_holds_fields_and_nothing_that_the_declaration_says(self, stream: str) -> None:
        assert set(SCHEMAS[stream]) == {"type", "description", "properties"}

    def test_begins_with_company_and_module(self, stream: str) -> None:
        assert list(SCHEMAS[stream]["properties"])[:2] == ["source_company", "source_module"]

    def test_has_keys_that_are_never_null(self, stream: str) -> None:
        for name in ("source_company", *key_of(stream)):
            assert SCHEMAS[stream]["properties"][name]["type"] in {"string", "integer"}, name

    def test_allows_null_in_every_other_field(self, stream: str) -> None:
        schema = SCHEMAS[stream]
        keys = {"source_company", "source_module", *key_of(stream)}
        for name, field in schema["properties"].items():
            assert name in keys or field["type"][1] == "null", name

    def test_has_exact_decimals(self, stream: str) -> None:
        for path, field in fields(SCHEMAS[stream]):
            if "number" not in field["type"]:
                assert "multipleOf" not in field, path
                continue
            assert field["multipleOf"] == Decimal(1).scaleb(-field["x-scale"]), path
            assert 0 < field["x-scale"] < field["x-precision"] <= 38, path

    def test_has_percentages_discounts_and_rates_with_their_decimals(self, stream: str) -> None:
        # A whole-number type here would turn every discount of 2.5 % into a dead letter.
        fractional = re.compile(
            r"(Percent(age)?|ExchangeRate|Amount|Discount(Base|Available)|Cost|Price)\d?$"
        )
        for path, field in fields(SCHEMAS[stream]):
            if fractional.search(path) and "NumberOf" not in path:
                assert "integer" not in field["type"], path

    def test_keeps_secrets_and_write_only_fields_in_the_erp(self, stream: str) -> None:
        secret = re.compile(r"password|passwd|passphrase|^UpdateOperation$", re.IGNORECASE)
        leaks = [path for path, _ in fields(SCHEMAS[stream]) if secret.search(path.rpartition(".")[2])]
        assert leaks == []


@pytest.mark.parametrize("stream", LINES)
class TestEveryLineSchema:
    def test_has_the_path_of_a_collection_in_its_documents(self, stream: str) -> None:
        resource, lines, path = DECLARED[stream]
        own = level(SCHEMAS[resource.stream], path)
        elsewhere = carried_by(lines) | {"source_company", "source_module"}
        elsewhere |= set(SEGMENTS) if lines.account else set()
        for name in SCHEMAS[stream]["properties"]:
            if name not in elsewhere:
                assert name in own, name

    def test_carries_each_field_of_its_ancestors_once(self, stream: str) -> None:
        _, lines, _ = DECLARED[stream]
        sources = [
            (each.level, each.field) if isinstance(each, Carried) else (0, each) for each in lines.carried
        ]
        assert len(sources) == len(set(sources))

    def test_types_its_fields_as_its_documents_do(self, stream: str) -> None:
        resource, lines, path = DECLARED[stream]
        own, columns = level(SCHEMAS[resource.stream], path), SCHEMAS[stream]["properties"]
        for name in own.keys() & columns.keys() - carried_by(lines):
            nested, flat = own[name], columns[name]
            assert nested.get("x-scale") == flat.get("x-scale"), name
            assert set(flat["type"] if isinstance(flat["type"], list) else [flat["type"]]) <= set(
                nested["type"]
            )


def test_a_journal_line_can_be_analysed_without_its_batch() -> None:
    columns = SCHEMAS["gl_journal_lines"]["properties"]
    wanted = (
        "BatchNumber EntryNumber TransactionNumber AccountNumber AcctFormatted Amount HomeCurrency"
        " SourceCurrencyAmount SourceCurrency Description JournalDescription BatchDescription JournalDate"
        " PostingDate DocumentDate FiscalYear FiscalPeriod SourceLedger SourceType Status ReadyToPost"
        " AccountSegmentCode1 AccountSegmentCode10 AccountGroupCode"
    )
    assert [name for name in wanted.split() if name not in columns] == []


@pytest.mark.parametrize(
    "stream",
    "purchase_order_lines purchase_receipt_lines po_invoice_lines po_return_lines po_requisition_lines".split(),
)
def test_a_purchasing_line_names_vendor_item_quantity_and_cost(stream: str) -> None:
    columns = set(SCHEMAS[stream]["properties"])
    assert {"Vendor", "ItemNumber", "UnitCost", "ExtendedCost", "LineNumber", "Location"} <= columns
    assert [name for name in columns if name.startswith("Quantity")]


def test_the_published_table_of_streams_is_complete() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sage300-streams.md").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"`(\w+)`", page)) & SCHEMAS.keys()) == sorted(SCHEMAS)
    evidence = dict(
        re.findall(r"^\| (\w+)[^|]* \|.*\| (verified|partial|inferred)\b[^|]*\|$", page, re.MULTILINE)
    )
    assert evidence == {each.entity_set: each.evidence for each in RESOURCES}
