"""Checklist 4 and 7: pages, next links, counts and the order of rows."""

from __future__ import annotations

import pytest

SET = "SAMINC/AR/ARCustomers"
ALL = [f"C{number:04d}" for number in range(1, 251)]


def numbers(rows):
    return [row["CustomerNumber"] for row in rows]


def test_a_page_holds_100_records_and_links_to_the_next(api):
    answer = api.get(SET).json()
    assert list(answer) == ["@odata.context", "value", "@odata.nextLink"]
    assert numbers(answer["value"]) == ALL[:100]
    assert answer["@odata.nextLink"] == f"{api.base}/{SET}?$skip=100"


def test_following_the_links_reads_every_record_once_in_key_order(api):
    assert numbers(api.walk(SET)) == ALL


@pytest.mark.parametrize("page_size", [1, 7, 50, 250, 1000])
def test_the_page_size_is_the_servers(start, page_size):
    api = start(page_size=page_size)
    assert len(api.get(SET, top=1000).json()["value"]) == min(page_size, 250)
    assert numbers(api.walk(SET)) == ALL


def test_the_last_page_has_no_link(api):
    assert "@odata.nextLink" not in api.get(SET, skip=200).json()
    assert "@odata.nextLink" not in api.get(SET, skip=150).json()
    assert api.values(SET, skip=250) == []


def test_skip_and_top_cut_a_range(api):
    answer = api.get(SET, skip=5, top=2).json()
    assert numbers(answer["value"]) == ALL[5:7]
    assert "@odata.nextLink" not in answer
    assert api.values(SET, top=0) == []


def test_a_top_above_the_page_size_shrinks_from_link_to_link(api):
    first = api.get(SET, top=150).json()
    assert first["@odata.nextLink"].endswith("?$top=50&$skip=100")
    assert numbers(api.walk(SET, top=150)) == ALL[:150]


def test_a_link_repeats_the_options_it_was_asked_with(api):
    wanted = "City ne 'O''Fallon' and CreditLimitCustomerCurrency gt 0"
    answer = api.get(SET, filter=wanted, select="CustomerNumber,City", count="true").json()
    assert answer["@odata.nextLink"].startswith(f"{api.base}/{SET}?$filter=City%20ne%20")
    rows = api.walk(SET, filter=wanted, select="CustomerNumber,City", count="true")
    assert numbers(rows) == [number for number in ALL if int(number[1:]) % 3 != 2]
    assert set(rows[0]) == {"CustomerNumber", "City"}


def test_the_count_is_of_all_matches_and_only_on_request(api):
    assert "@odata.count" not in api.get(SET).json()
    assert "@odata.count" not in api.get(SET, count="false").json()
    assert api.get(SET, count="true", skip=240, top=3).json()["@odata.count"] == 250
    assert api.get(SET, count="true", filter="City eq 'Boston'").json()["@odata.count"] == 83


def test_numbers_are_ordered_as_numbers(api):
    assert [row["BatchNumber"] for row in api.values("SAMINC/AR/ARInvoiceBatches")] == [9, 65, 66, 100]


def test_a_record_deleted_between_pages_shifts_the_rows_as_offsets_do(api, books):
    link = api.get(SET).json()["@odata.nextLink"]
    books.delete("ARCustomers", "C0050")
    assert numbers(api.session.get(link).json()["value"])[0] == "C0102"


def test_an_unchanged_file_gives_the_same_page_by_link_and_by_offset(api):
    by_link = api.session.get(api.get(SET).json()["@odata.nextLink"]).json()["value"]
    books_seen_afresh = api.values(SET, skip=99)[1:]
    assert by_link[:99] == books_seen_afresh


def test_a_record_changed_between_reads_is_seen_at_once(api, books):
    assert api.get(SET, count="true").json()["@odata.count"] == 250
    books.write("ARCustomers", {"CustomerNumber": "C9999", "CustomerName": "New"})
    assert api.get(SET, count="true").json()["@odata.count"] == 251
    assert api.get(f"{SET}('C9999')").json()["CustomerName"] == "New"


def test_details_come_inline_and_the_update_operation_last(api):
    batch = api.get("SAMINC/AR/ARInvoiceBatches(65)").json()
    assert [line["Description"] for line in batch["Invoices"][0]["InvoiceDetails"]] == ["first", "second"]
    assert list(batch)[-1] == "UpdateOperation"
    assert batch["UpdateOperation"] == "Unspecified"
    assert batch["BatchDate"] == "2024-05-01T00:00:00Z"


def test_decimals_keep_their_digits_with_and_without_select(api):
    assert '"CreditLimitCustomerCurrency":700.000' in api.get(f"{SET}('C0007')").text
    assert (
        '"CreditLimitCustomerCurrency":700.000'
        in api.get(f"{SET}('C0007')", select="CreditLimitCustomerCurrency").text
    )
    assert '"CreditLimitCustomerCurrency":700.000' in api.get(SET, select="CreditLimitCustomerCurrency").text


def test_select_prunes_and_names_the_columns_in_the_context(api):
    answer = api.get(SET, select="City, CustomerNumber", top=1).json()
    assert answer["@odata.context"].endswith("#ARCustomers(City,CustomerNumber)")
    assert answer["value"] == [{"CustomerNumber": "C0001", "City": "San Francisco"}]
    entry = api.get(f"{SET}('C0001')", select="City").json()
    assert entry["@odata.context"].endswith("#ARCustomers(City)/$entity")
    assert entry["City"] == "San Francisco"


def test_a_whole_collection_can_be_selected(api):
    batch = api.get("SAMINC/AR/ARInvoiceBatches(65)", select="BatchNumber,Invoices").json()
    assert set(batch) == {"@odata.context", "BatchNumber", "Invoices"}
    assert len(batch["Invoices"][0]["InvoiceDetails"]) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"orderby": "CustomerNumber"},
        {"expand": "CustomerOptionalFieldValues"},
        {"search": "x"},
        {"Top": "5"},
        {"top": "-1"},
        {"top": "ten"},
        {"skip": "1.5"},
        {"count": "yes"},
        {"select": "Nothing"},
        {"select": "CustomerNumber,"},
        {"filter": ""},
    ],
)
def test_options_the_server_does_not_know_are_refused(api, options):
    assert api.refusal("GET", SET, **options) == (400, "InvalidParameters")


def test_a_lenient_server_ignores_orderby_and_expand(start):
    api = start(lenient=True)
    assert numbers(api.values(SET, orderby="City desc", expand="X", top=3)) == ALL[:3]


def test_options_of_others_are_ignored(api):
    assert api.session.get(f"{api.base}/{SET}?api_key=1").status_code == 200


def test_an_option_given_twice_is_refused(api):
    answer = api.session.get(f"{api.base}/{SET}?$top=1&$top=2")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidParameters")
