"""Complete reads: what they did not bring is gone, but only of the partitions that they were of."""

from __future__ import annotations

import pytest
from singer_messages import COMPANY, Stream, state

C = Stream("accounts", COMPANY, ("source_company", "id"))
METHODS = ["upsert", "scd2"]


def of(company, *numbers, version=None, name=None):
    return [C.record(source_company=company, id=number, name=name, version=version) for number in numbers]


def told(version, *companies):
    return C.version(version, [{"source_company": company} for company in companies])


def live(warehouse):
    return warehouse.rows("ACCOUNTS", columns=["SOURCE_COMPANY", "ID"])


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("method", METHODS)
def test_each_pipeline_deletes_its_own_company_s_rows(warehouse, method, hard):
    warehouse.settings |= {"load_method": method, "hard_delete": hard}
    warehouse.load(C.schema(), *of("A", 1, 2, 3, version=1), told(1, "A"), state(1))
    warehouse.load(C.schema(), *of("B", 1, 2, version=2), told(2, "B"), state(1))
    assert live(warehouse) == [("A", 1), ("A", 2), ("A", 3), ("B", 1), ("B", 2)]
    outcome = warehouse.load(C.schema(), *of("A", 1, 3, version=3), told(3, "A"), state(1))
    assert outcome.code == 0
    assert live(warehouse) == [("A", 1), ("A", 3), ("B", 1), ("B", 2)]
    everything = len(warehouse.rows("ACCOUNTS", live=False))
    assert everything == (4 if hard and method == "upsert" else 5)
    assert warehouse.batches("RECORDS_DELETED", "PARTITIONS")[-1] == (1, '[{"source_company":"A"}]')
    assert warehouse.last_run()["RECORDS_DELETED"] == 1


@pytest.mark.parametrize("method", METHODS)
def test_no_partition_touches_nothing(warehouse, method):
    warehouse.settings |= {"load_method": method, "hard_delete": True}
    warehouse.load(C.schema(), *of("A", 1, 2, version=1), C.version(1))
    warehouse.load(C.schema(), C.version(2, []), state(1))
    assert live(warehouse) == [("A", 1), ("A", 2)]
    assert warehouse.batches("RECORDS_DELETED", "PARTITIONS")[-1] == (0, "[]")


@pytest.mark.parametrize("method", METHODS)
def test_a_version_without_partitions_is_of_the_whole_table(warehouse, method):
    warehouse.settings |= {"load_method": method}
    warehouse.load(C.schema(), *of("A", 1, 2, version=1), *of("B", 1, version=1), C.version(1))
    warehouse.load(C.schema(), *of("A", 1, version=2), C.version(2), state(1))
    assert live(warehouse) == [("A", 1)]
    assert warehouse.batches("RECORDS_DELETED", "PARTITIONS")[-1] == (2, "[{}]")


@pytest.mark.parametrize("method", METHODS)
def test_a_read_of_nothing_deletes_everything_of_its_partition(warehouse, method):
    warehouse.settings |= {"load_method": method}
    warehouse.load(C.schema(), *of("A", 1, 2, version=1), *of("B", 1, version=1), C.version(1))
    warehouse.load(C.schema(), told(2, "A"), state(1))
    assert live(warehouse) == [("B", 1)]


@pytest.mark.parametrize("method", METHODS)
def test_partitions_told_one_after_the_other_all_count(warehouse, method):
    warehouse.settings |= {"load_method": method}
    warehouse.load(C.schema(), *[each for name in "ABC" for each in of(name, 1, 2, version=1)], C.version(1))
    again = [each for name in "ABC" for each in of(name, 1, version=2)]
    warehouse.load(C.schema(), *again, told(2, "A"), told(2, "B"), told(2, "C"), state(1))
    assert live(warehouse) == [("A", 1), ("B", 1), ("C", 1)]
    assert sum(deleted for (deleted,) in warehouse.batches("RECORDS_DELETED")) == 3


@pytest.mark.parametrize("method", METHODS)
def test_partitions_announced_before_their_records_all_count(warehouse, method):
    warehouse.settings |= {"load_method": method}
    warehouse.load(C.schema(), *[each for name in "ABC" for each in of(name, 1, 2, version=1)], C.version(1))
    again = [each for name in "ABC" for each in of(name, 1, version=2)]
    warehouse.load(C.schema(), told(2, "A"), told(2, "B"), told(2, "C"), *again, state(1))
    assert live(warehouse) == [("A", 1), ("B", 1), ("C", 1)]


@pytest.mark.parametrize("method", METHODS)
def test_a_version_before_its_schema_is_kept_until_that_comes(warehouse, method):
    warehouse.settings |= {"load_method": method}
    warehouse.load(C.schema(), *of("A", 1, 2, version=1), C.version(1))
    outcome = warehouse.load(C.version(2), C.schema(), *of("A", 1, version=2), state(1))
    assert outcome.code == 0
    assert live(warehouse) == [("A", 1)]


def test_a_version_whose_schema_never_comes_is_an_error(plain_warehouse):
    outcome = plain_warehouse.load(C.version(2), Stream("b").schema())
    assert outcome.code == 1
    assert "'accounts'" in str(outcome.error)


@pytest.mark.parametrize("method", METHODS)
def test_the_sdk_s_child_streams_tell_the_same_version_before_each_parent_s_records(warehouse, method):
    warehouse.settings |= {"load_method": method, "hard_delete": True}
    warehouse.load(C.schema(), *of("A", 1, 2, 3, version=1), C.version(1))
    warehouse.load(
        C.schema(), C.version(2), *of("A", 1, version=2), C.version(2), *of("A", 2, version=2), state(1)
    )
    assert live(warehouse) == [("A", 1), ("A", 2)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("died", ["at once", "among its records"])
def test_a_tap_that_died_after_its_announcement_deletes_nothing(warehouse, method, died):
    warehouse.settings |= {"load_method": method, "hard_delete": True}
    warehouse.load(C.schema(), *of("A", 1, 2, 3, version=1), C.version(1))
    came = [] if died == "at once" else [*of("A", 1, version=2), state(1), *of("A", 2, version=2)]
    outcome = warehouse.load(C.schema(), C.version(2), *came)
    assert outcome.told("accounts", "nothing is taken for deleted")
    assert live(warehouse) == [("A", 1), ("A", 2), ("A", 3)]


@pytest.mark.parametrize("method", METHODS)
def test_records_without_a_version_are_not_taken_for_absent(warehouse, method):
    warehouse.settings |= {"load_method": method, "hard_delete": True}
    outcome = warehouse.load(C.schema(), *of("A", 1, 2), C.version(1), state(1))
    assert outcome.code == 0
    assert outcome.told("none of its 2 records bears a version")
    assert live(warehouse) == [("A", 1), ("A", 2)]


def test_another_company_s_records_may_come_without_a_version(warehouse):
    warehouse.load(C.schema(), *of("A", 1, 2, version=1), *of("B", 1, 2, version=1), C.version(1))
    warehouse.load(C.schema(), *of("A", 3), *of("B", 1, version=2), told(2, "B"), state(1))
    assert live(warehouse) == [("A", 1), ("A", 2), ("A", 3), ("B", 1)]


def test_partitions_of_a_property_that_is_not_there_are_refused(plain_warehouse):
    plain_warehouse.load(C.schema(), *of("A", 1, version=1), C.version(1))
    outcome = plain_warehouse.load(C.schema(), C.version(2, [{"folder": "A"}]), state(1))
    assert outcome.code == 1
    assert "folder" in str(outcome.error)
    assert live(plain_warehouse) == [("A", 1)]


@pytest.mark.parametrize("partitions", [[7], {"source_company": "A"}, "A"])
def test_partitions_that_are_none_are_refused(plain_warehouse, partitions):
    plain_warehouse.load(C.schema(), *of("A", 1, version=1), C.version(1))
    outcome = plain_warehouse.load(C.schema(), C.version(2, partitions), state(1))
    assert outcome.code == 1
    assert outcome.states == []
    assert live(plain_warehouse) == [("A", 1)]


@pytest.mark.parametrize("method", [*METHODS, "overwrite"])
def test_a_partition_may_be_the_rows_without_a_value_or_of_several_columns(warehouse, method):
    warehouse.settings |= {"load_method": method}
    P = Stream(
        "accounts", {**COMPANY, "entity": {"type": ["string", "null"]}, "year": {"type": "integer"}}, ("id",)
    )
    first = [
        P.record(id=1, source_company="A", entity=None, year=1, version=1),
        P.record(id=2, source_company="A", entity="e", year=1, version=1),
        P.record(id=3, source_company="A", entity="e", year=2, version=1),
    ]
    warehouse.load(P.schema(), *first, P.version(1))
    warehouse.load(P.schema(), P.version(2, [{"entity": None}]), state(1))
    assert warehouse.rows("ACCOUNTS", columns=["ID"]) == [(2,), (3,)]
    warehouse.load(P.schema(), P.version(3, [{"entity": "e", "year": 2}]), state(1))
    assert warehouse.rows("ACCOUNTS", columns=["ID"]) == [(2,)]


def test_a_row_that_was_deleted_comes_back_with_its_next_record(warehouse):
    warehouse.load(C.schema(), *of("A", 1, 2, version=1), told(1, "A"))
    warehouse.load(C.schema(), *of("A", 1, version=2), told(2, "A"))
    warehouse.load(C.schema(), *of("A", 1, 2, version=3), told(3, "A"))
    assert live(warehouse) == [("A", 1), ("A", 2)]
