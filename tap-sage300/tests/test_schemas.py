"""What every schema file promises: keys, exact decimals, no secret, and agreement with the table of streams."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

import tap_sage300
from tap_sage300.streams import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]

FOLDER = Path(tap_sage300.__file__).parent / "schemas"
#: Decimals as text, for 0.0000001 must be exactly that.
SCHEMAS: dict[str, Schema] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    for path in sorted(FOLDER.glob("*.json"))
}
HEADERS = {name: schema for name, schema in SCHEMAS.items() if "x-path" not in schema}
LINES = {name: schema for name, schema in SCHEMAS.items() if "x-path" in schema}

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


def parent(lines: Schema) -> Schema:
    """The schema of the documents that lines are made from."""
    return next(header for header in HEADERS.values() if header["x-entity-set"] == lines["x-entity-set"])


def looked_up(schema: Schema) -> set[str]:
    """The columns that come from the chart of accounts."""
    columns = SCHEMAS["gl_accounts"]["properties"].keys() & schema["properties"].keys()
    named = {name for name in columns if name.startswith(("AccountSegmentCode", "AccountGroupCode"))}
    return named if "x-looked-up" in schema else set()


def level(header: Schema, path: list[str]) -> Schema:
    """The properties of a record after going down a path of collections."""
    properties = header["properties"]
    for step in path:
        properties = properties[step]["items"]["properties"]
    return properties


def test_every_readable_entity_set_has_one_document_stream() -> None:
    described = sorted((schema["x-module"], schema["x-entity-set"]) for schema in HEADERS.values())
    assert described == sorted((module, name) for module, names in READABLE.items() for name in names.split())
    assert len(described) == 101


@pytest.mark.parametrize("stream", SCHEMAS)
class TestEverySchema:
    def test_is_a_valid_draft_07_schema_with_a_description(self, stream: str) -> None:
        schema = SCHEMAS[stream]
        Draft7Validator.check_schema(json.loads((FOLDER / f"{stream}.json").read_text(encoding="utf-8")))
        assert schema["$schema"].startswith("http://json-schema.org/draft-07/")
        assert schema["title"] == stream
        assert len(schema["description"]) > len("Entity set  of ")
        assert schema["x-evidence"] in {"verified", "partial", "inferred"}

    def test_begins_with_company_and_module(self, stream: str) -> None:
        assert list(SCHEMAS[stream]["properties"])[:2] == ["source_company", "source_module"]

    def test_has_keys_that_are_never_null(self, stream: str) -> None:
        schema = SCHEMAS[stream]
        assert schema["x-key"]
        assert schema["required"] == ["source_company", *schema["x-key"]]
        for name in schema["required"]:
            assert schema["properties"][name]["type"] in {"string", "integer"}, name

    def test_allows_null_in_every_other_field(self, stream: str) -> None:
        schema = SCHEMAS[stream]
        keys = {"source_company", "source_module", *schema["x-key"]}
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

    def test_has_its_replication_key_among_its_fields(self, stream: str) -> None:
        schema = SCHEMAS[stream]
        assert schema["x-replication-key"] is None or schema["x-replication-key"] in schema["properties"]


@pytest.mark.parametrize("stream", LINES)
class TestEveryLineSchema:
    def test_has_the_path_of_a_collection_in_its_documents(self, stream: str) -> None:
        lines = LINES[stream]
        own = level(parent(lines), lines["x-path"])
        carried = lines["x-carried"].keys() | looked_up(lines)
        for name in lines["properties"]:
            if name not in carried and name not in {"source_company", "source_module"}:
                assert name in own, name

    def test_carries_fields_that_its_ancestors_have_and_each_once(self, stream: str) -> None:
        lines = LINES[stream]
        for name, (depth, source) in lines["x-carried"].items():
            ancestor = level(parent(lines), lines["x-path"][:depth])
            assert source in ancestor, name
            assert name in lines["properties"], name
        sources = [tuple(source) for source in lines["x-carried"].values()]
        assert len(sources) == len(set(sources))

    def test_types_its_fields_as_its_documents_do(self, stream: str) -> None:
        lines = LINES[stream]
        own = level(parent(lines), lines["x-path"])
        for name in own.keys() & lines["properties"].keys() - lines["x-carried"].keys():
            nested, flat = own[name], lines["properties"][name]
            assert nested.get("x-scale") == flat.get("x-scale"), name
            assert set(flat["type"] if isinstance(flat["type"], list) else [flat["type"]]) <= set(
                nested["type"]
            )


def test_the_table_of_streams_says_the_same_as_the_schemas() -> None:
    told = {
        name: (
            schema["x-module"],
            schema["x-entity-set"],
            tuple(schema["x-key"]),
            schema["x-replication-key"],
            schema["x-selected-by-default"],
            tuple(schema.get("x-path", ())),
        )
        for name, schema in SCHEMAS.items()
    }
    done: dict[str, tuple[object, ...]] = {}
    for resource in RESOURCES:
        place = (resource.module, resource.entity_set)
        done[resource.stream] = (*place, resource.key, resource.replication_key, resource.selected, ())
        for lines in resource.lines:
            chosen = lines.selected and resource.selected
            done[lines.stream] = (*place, lines.key, resource.replication_key, chosen, lines.path)
    assert done == told


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
    assert evidence == {schema["x-entity-set"]: schema["x-evidence"] for schema in HEADERS.values()}
