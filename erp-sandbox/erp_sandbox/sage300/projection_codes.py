"""Code tables: what a company sets up once and every document refers to."""

from __future__ import annotations

import calendar
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.masters import (
    ACCOUNTS,
    CATEGORIES,
    DEPARTMENTS,
    LOCATIONS,
    RATES,
    SALESPERSONS,
    TAX_RATE,
    TERMS,
    UNITS,
    account,
    decimals,
)
from erp_sandbox.business.subledger import BANKS
from erp_sandbox.sage300.projection_facts import TAX_AUTHORITY, TAX_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from erp_sandbox.sage300.projection_shape import Writer

_GROUPS: Final = ("RTL", "WHL", "MFG")
_YEARS: Final = (2025, 2026)
_OVERDUE: Final = "Votre compte est échu; please remit."
_SOURCES: Final = (
    ("GL", "JE"), ("AP", "IN"), ("AP", "CR"), ("AP", "PY"), ("AP", "RV"), ("AR", "IN"), ("AR", "CR"),
    ("AR", "PY"),
    ("AR", "RV"), ("AR", "RF"), ("PO", "RC"), ("PO", "RT"), ("IC", "AD"), ("BK", "EN"),
)  # fmt: skip

Record = tuple[str, dict[str, Any]]


def codes(writer: Writer, day: str) -> None:
    """Write every code table as of the company's first day."""
    offers = {"DateLastMaintained": day, "LastMaintained": day, "Status": "Active", "Description": "Standard"}
    for source in (_company, _payables, _receivables, _banking, _ledger, _inventory, _trade, _taxes, _errors):
        for entity_set, values in source(writer.books.currency, writer.books.company, day):
            writer.put(entity_set, values, offers)


def rate(writer: Writer, currency: str) -> None:
    """The rates of one currency, all dates of it nested."""
    key = {"ToCurrency": writer.books.currency, "RateType": "SP"}
    details = [
        {**key, "FromCurrency": row["currency"], "RateDate": row["day"], "Rate": row["rate"]}
        for row in writer.books.rows(
            "SELECT * FROM biz_rates WHERE company = :company ORDER BY currency, day"
        )
    ]
    writer.put(
        "CSCurrencyRates",
        {**key, "TableDescription": f"Spot, last {currency}", "CurrencyRateDetail": details},
    )


def _company(currency: str, company: str, day: str) -> Iterator[Record]:
    yield "CSCompanyProfile", {
        "OrgID": company, "CompanyName": f"{company} Sample Co. “Ünïcode”", "City": "Vancouver",
        "Country": "Canada",
        "FunctionalCurrency": currency, "Multicurrency": True, "DefaultRateType": "SP",
        "NumberOfFiscalPeriods": 12, "CurrentFiscalYear": day[:4],
    }  # fmt: skip
    for code in RATES:
        places = -int(decimals(code).as_tuple().exponent)
        yield (
            "CSCurrencyCodes",
            {"CurrencyCodeKey": code, "Description": f"Currency {code}", "DecimalPlaces": str(places)},
        )
    yield "CSCurrencyRateTypes", {"RateTypeKey": "SP", "Description": "Spot rate"}
    yield "CSCurrencyRateTypes", {"RateTypeKey": "AV", "Description": "Average rate"}
    yield (
        "CSSchedules",
        {"ScheduleCode": "MONTHLY", "Description": "Each month", "Frequency": "Monthly", "Active": True},
    )
    for year in _YEARS:
        values: dict[str, Any] = {"FiscalYear": str(year)}
        for month in range(1, 13):
            last = calendar.monthrange(year, month)[1]
            values[f"FiscalPeriod{month}StartDate"] = f"{year}-{month:02d}-01"
            values[f"FiscalPeriod{month}EndDate"] = f"{year}-{month:02d}-{last}"
        yield "CSFiscalCalendars", values
    for form, module in (("ARINV", "AR"), ("OEORD", "OE"), ("POPOR", "PO")):
        yield "MTContactForms", {"FormID": form, "Description": f"Form {form}", "Module": module}


def _payables(currency: str, _company: str, _day: str) -> Iterator[Record]:
    yield "AP1099CPRSCodes", {"Num1099CPRSCode": "7", "MinimumAmountToReport": Decimal(600), "FormType": "4"}
    for code in RATES:
        yield "APAccountSets", {
            "AccountSetCode": code, "PayablesControlAccount": account("2000"), "CurrencyCodeForAccount": code,
            "ExchangeGainAccount": account("7000"), "ExchangeLossAccount": account("7000"),
        }  # fmt: skip
    for code, natural in (("RENT", "6100"), ("OFFICE", "6000"), ("TRAVEL", "6300")):
        yield "APDistributionCodes", {"DistributionCodeKey": code, "GLAccount": account(natural)}
    yield "APDistributionSets", {
        "DistributionSetKey": "OVERHD", "CurrencyCode": currency, "DistributionMethod": "FixedPercentage",
        "NumberOfDetails": 1,
        "DistributionSetDetails": [
            {"DistributionSetKey": "OVERHD", "LineNumber": 20, "DistributionCode": "RENT",
             "GLAccount": account("6100"), "DistributionPercentage": Decimal(100)}
        ],
    }  # fmt: skip
    for code in ("CHECK", "CASH"):
        yield "APPaymentCodes", {"PaymentCodeKey": code, "PaymentType": code.capitalize()}
    for code, days in TERMS.items():
        yield "APTerms", {
            "TermsCode": code, "Description": f"Net {days} days", "NumberOfPayments": 1,
            "TotalPercentageDue": Decimal(100),
            "TermsPaymentSchedule": [
                {"TermsCode": code, "PaymentNumber": 1, "PercentageDue": Decimal(100),
                 "DueNumberOfDays": days}
            ],
        }  # fmt: skip
    for code in _GROUPS:
        yield (
            "APVendorGroups",
            {"GroupCode": code, "AccountSet": currency, "CurrencyCode": currency, "TaxGroup": TAX_GROUP},
        )


def _receivables(currency: str, _company: str, _day: str) -> Iterator[Record]:
    for code in RATES:
        yield "ARAccountSets", {
            "AccountSetKey": code, "ReceivablesControlAccount": account("1100"), "CurrencyCode": code,
            "ExchangeGainAccount": account("7000"), "ExchangeLossAccount": account("7000"),
        }  # fmt: skip
    yield (
        "ARBillingCycles",
        {"BillingCycleKey": "MTHLY", "BillingCycleFrequency": 30, "RemitToName": "Head office"},
    )
    yield "ARCommentTypes", {"CommentTypeKey": "CALL", "AlertColor": "Red"}
    for code in _GROUPS:
        yield "ARCustomerGroups", {"GroupCode": code, "AccountSet": currency, "TaxGroup": TAX_GROUP}
        yield "ARNationalAccounts", {
            "NationalAccountNumber": code, "GroupCode": code, "NationalAccountName": f"Chain {code}",
            "CurrencyCode": currency, "AccountType": "OpenItem", "CreditLimit": Decimal("500000.000"),
        }  # fmt: skip
    yield "ARDistributionCodes", {"DistributionCodeKey": "SALES", "RevenueAccount": account("4000")}
    yield (
        "ARDunningMessages",
        {"DunningMessageCode": "STD", "CurrentMessage": "Thank you", "Period3Message": _OVERDUE},
    )
    for code in ("CHECK", "CASH"):
        yield "ARPaymentCodes", {"PaymentCodeKey": code, "PaymentType": code.capitalize()}
    for code in SALESPERSONS:
        yield (
            "ARSalespersons",
            {"SalespersonKey": code, "Name": f"Søren {code}", "AnnualSalesTarget": Decimal(250000)},
        )
    for code, days in TERMS.items():
        yield "ARTerms", {
            "TermsCodeKey": code, "Description": f"Net {days} days", "NumberOfPayments": 1,
            "TotalPercentDue": Decimal(100),
            "TermsPaymentSchedules": [
                {"TermsCode": code, "PaymentNumber": 1, "PercentDue": Decimal(100), "DueNumberOfDays": days}
            ],
        }  # fmt: skip


def _banking(currency: str, _company: str, _day: str) -> Iterator[Record]:
    yield "BKBankDistributionCodes", {"DistributionCode": "FEES", "GLAccount": account("6500")}
    for code in BANKS:
        yield "BKBanks", {
            "BankCode": code, "Description": f"Bank {code}", "Multicurrency": True,
            "StatementCurrency": currency,
            "BankAccountNumber": "00112233", "BankAccount": account("1020"),
            "BankCurrencies": [{"BankCode": code, "CurrencyCode": name,
            "CheckRateType": "SP"} for name in RATES],
            "CheckStocks": [{"BankCode": code, "CheckStockCode": "STD", "NextCheckNumber": 5001}],
        }  # fmt: skip
    for code in ("VISA", "AMEX"):
        yield "BKCreditCardTypes", {"CreditCardTypeKey": code, "Description": code.title()}


def _ledger(_currency: str, _company: str, _day: str) -> Iterator[Record]:
    for code in dict.fromkeys(group for _, _, group, _ in ACCOUNTS.values()):
        yield "GLAccountGroups", {"AccountGroupCode": code, "Description": f"Group {code}", "SortCode": code}
    yield "GLRevaluationCodes", {"RevaluationCodeKey": "MONTH", "RateType": "SP", "SourceCodeID": "GL"}
    for natural, (description, *_) in ACCOUNTS.items():
        yield (
            "GLSegmentCodes",
            {"SegmentNumber": "000001", "SegmentCode": natural, "Description": description},
        )
    for department in DEPARTMENTS:
        yield "GLSegmentCodes", {
            "SegmentNumber": "000002", "SegmentCode": department, "Description": f"Dept. {department}",
            "RetainedEarningsAccount": account("3500"),
        }  # fmt: skip
    for source, kind in _SOURCES:
        yield "GLSourceCodes", {"SourceLedger": source, "SourceType": kind, "Description": f"{source}-{kind}"}


def _inventory(_currency: str, _company: str, _day: str) -> Iterator[Record]:
    yield "ICAccountSets", {
        "AccountSetCode": "STD", "CostingMethod": "MovingAverage", "InventoryControlAccount": account("1300"),
        "PayablesClearingAccount": account("2100"), "AdjustmentWriteOffAccount": account("5100"),
    }  # fmt: skip
    for code in CATEGORIES:
        yield "ICCategories", {
            "CategoryCode": code, "CostOfGoodsSoldAccount": account("5000"), "SalesAccount": account("4000"),
            "ReturnsAccount": account("4100"), "CommissionRate": Decimal("1.5"), "Status": True,
            "CategoryTaxAuthorities": [
                {"Category": code, "TaxAuthority": TAX_AUTHORITY, "PurchaseTaxClass": 1, "SalesTaxClass": 1}
            ],
        }  # fmt: skip
    yield "ICItemStructures", {"ItemStructureCode": "STD", "SegmentSeparator": "-", "UseSegment1": True}
    for code in LOCATIONS:
        yield "ICLocations", {"LocationKey": code, "Name": f"Entrepôt {code}", "City": "Seattle"}
    yield "ICPriceListCodes", {"PriceListCodeKey": "RTL", "SellingPriceBasedon": "Markup"}
    for code in UNITS:
        yield "ICUnitsOfMeasure", {"UnitOfMeasureKey": code, "DefaultConversionFactor": 1}
    yield "ICWeightUnitsOfMeasure", {"WeightUnitOfMeasureKey": "kg", "DefaultConversionFactor": 1}
    yield (
        "ICWeightUnitsOfMeasure",
        {"WeightUnitOfMeasureKey": "lbs", "DefaultConversionFactor": Decimal("0.453592")},
    )


def _trade(currency: str, _company: str, _day: str) -> Iterator[Record]:
    yield "OEMiscellaneousCharges", {
        "Currency": currency, "MiscellaneousChargeCode": "HANDL", "Amount": Decimal("15.005"),
        "MiscellaneousChargeRevenueAccount": account("4000"),
    }  # fmt: skip
    for code, name in (("UPS", "United Parcel"), ("DHL", "DHL Expreß")):
        yield "OEShipViaCodes", {"Code": code, "Name": name}
    yield (
        "OETemplates",
        {"TemplateCode": "ACTIVE", "DefaultOrderType": "Active", "DefaultLocation": LOCATIONS[0]},
    )
    yield "POAccountSets", {"AccountSetCode": "STD", "PayablesClearingAccount": account("2100")}
    yield "POAdditionalCosts", {
        "AdditionalCostKey": "FRT", "Description": "Freight", "ExpenseAccount": account("6300"),
        "Amount": Decimal("25.5"), "Currency": currency,
    }  # fmt: skip
    yield "POTemplates", {"TemplateCode": "ACTIVE", "PurchaseOrderType": "Active", "TaxGroup": TAX_GROUP}


def _taxes(currency: str, _company: str, _day: str) -> Iterator[Record]:
    yield "TXTaxAuthorities", {
        "TaxAuthority": TAX_AUTHORITY, "Description": "Washington state", "TaxReportingCurrency": currency,
        "TaxLiabilityAccount": account("2200"), "RecoverableTaxAccount": account("2210"),
        "RecoverableRate": Decimal(100),
    }  # fmt: skip
    for kind in ("Sales", "Purchases"):
        yield "TXTaxGroups", {
            "TaxGroupKey": TAX_GROUP, "TransactionType": kind, "TaxReportingCurrency": currency,
            "TaxAuthority1": TAX_AUTHORITY, "Taxable1": True,
        }  # fmt: skip
        for buyer in (1, 2):
            yield "TXTaxRates", {
                "TaxAuthority": TAX_AUTHORITY, "TransactionType": kind, "BuyerClass": buyer,
                "ItemRate1": TAX_RATE if buyer == 1 else Decimal(0),
            }  # fmt: skip


def _errors(_currency: str, _company: str, day: str) -> Iterator[Record]:
    yield "APPostingErrorMessages", {
        "PostingSequenceNumber": 1, "ErrorSequenceNumber": 1, "BatchType": "IN", "BatchNumber": 1,
        "EntryNumber": 1,
        "ErrorMessage": 'Warning: "Fiscal period" 01 is locked for A/P.', "DateOfPosting": day,
    }  # fmt: skip
    yield "GLProvisionalPostingErrors", {
        "PostingSequenceNumber": 1, "BatchNumber": "000001", "EntryNumber": "00001",
        "TransactionNumber": "0000000020", "ErrorCode": 12, "AccountNumber": account("9000"),
        "ErrorMessage": "Amount exceeds the provisional limit", "FiscalYear": day[:4],
        "FiscalPeriod": day[5:7],
    }  # fmt: skip
