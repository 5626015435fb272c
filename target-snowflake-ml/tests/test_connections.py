"""Every way to Snowflake keeps the same promises: bindings, transactions, staged files, patience."""

from __future__ import annotations

import datetime as dt
import socket
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ml_connector.load.connection import StagedFile
from ml_connector.load.errors import LoadError, TransientLoadError
from ml_connector.load.retry import retrying
from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.connections import connection_of, driver, session
from target_snowflake_ml.connections.address import Address, address_of
from target_snowflake_ml.connections.patience import Patience

UTC = dt.timezone.utc
ACCOUNT = {"account": "MYORG-BOOKS", "user": "LOADER", "database": "LEDGER", "token": "a-token-of-mine"}


@pytest.fixture
def opened(warehouse):
    """Opens connections to the test's database, and closes them."""
    connections = []

    def opened(transport="connector", **settings):
        config = {"query_tag": "test", **warehouse.config(transport=transport, **settings)}
        connections.append(connection_of(config, "run=1"))
        return connections[-1]

    yield opened
    for connection in connections:
        connection.close()


@pytest.fixture(params=["connector", "sql_api"])
def connection(request, opened):
    """A connection over either transport."""
    return opened(request.param)


@pytest.fixture
def schema(warehouse):
    """A schema to work in."""
    warehouse.query('CREATE SCHEMA "WORK"')
    return "WORK"


def test_parameters_are_bound_whatever_is_in_them(connection):
    text = 'it\'s a \\ 100 % ? %s -- "x" é\n'
    ((said, number, yes, nothing, quoted),) = connection.execute(
        "SELECT ? AS A, ? + 1 AS B, ? AS C, ? AS D, 'really? ''?''' AS \"E?\"", (text, 6, True, None)
    )
    assert (said, int(number), yes, nothing, quoted) == (text, 7, True, None, "really? '?'")


def test_a_statement_without_parameters_is_sent_as_it_is(connection):
    assert connection.execute("SELECT '50 % of %s ?' AS \"A%S?\"") == [("50 % of %s ?",)]


def test_a_transaction_is_wholly_there_or_not_at_all(connection, schema):
    connection.execute('CREATE TABLE "WORK"."T" ("N" NUMBER(38,0), "S" VARCHAR)')
    insert = 'INSERT INTO "WORK"."T" ("N", "S") SELECT ?, ?'
    with pytest.raises(LoadError, match="MISSING"):
        connection.transaction([(insert, (1, "a")), ('INSERT INTO "WORK"."MISSING" VALUES (1)', ())])
    assert connection.execute('SELECT COUNT(*) FROM "WORK"."T"') == [(0,)]
    connection.statement_ids.clear()
    connection.transaction([(insert, (1, "what?\\ 'so'")), lambda: (insert, (2, None))])
    assert connection.execute('SELECT "N", "S" FROM "WORK"."T" ORDER BY 1') == [
        (1, "what?\\ 'so'"),
        (2, None),
    ]
    assert len(set(connection.statement_ids)) >= 5


def test_names_are_what_they_are_written_as(connection, schema):
    connection.execute('CREATE TABLE "WORK"."mixed Case?" ("n" NUMBER(38,0))')
    connection.transaction([('INSERT INTO "WORK"."mixed Case?" ("n") SELECT ?', (1,))])
    assert connection.execute('SELECT "n" FROM "WORK"."mixed Case?" WHERE "n" = ?', (1,)) == [(1,)]


def test_what_is_refused_in_a_transaction_is_told_as_it_is_alone(connection, schema):
    missing = 'INSERT INTO "WORK"."MISSING" VALUES (1)'
    said = []
    for call in (lambda: connection.execute(missing), lambda: connection.transaction([(missing, ())])):
        with pytest.raises(LoadError, match="MISSING") as refused:
            call()
        said.append(str(refused.value))
    for text in said:
        assert "Check database, default_target_schema and role" in text
        assert f"The statement was: {missing[:20]}" in text
        assert "SYSTEM$" not in text


COLUMNS = [
    Column("ID", Kind.INTEGER, 38, 0),
    Column("EXACT", Kind.DECIMAL, 38, 9),
    Column("DOUBLE", Kind.DOUBLE),
    Column("YES", Kind.BOOLEAN),
    Column("DAY", Kind.DATE),
    Column("AT", Kind.TIMESTAMP_TZ),
    Column("LOCAL", Kind.TIMESTAMP_NTZ),
    Column("HOUR", Kind.TIME),
    Column("TEXT", Kind.STRING),
    Column("BYTES", Kind.BINARY),
    Column("TREE", Kind.VARIANT),
]
MOMENT = dt.datetime(2026, 2, 28, 23, 59, 59, 1)
ROWS = {
    "ID": pa.array([1, 2], pa.int64()),
    "EXACT": pa.array([Decimal("12345678901234567890123456789.123456789"), None], pa.decimal128(38, 9)),
    "DOUBLE": pa.array([0.1, None], pa.float64()),
    "YES": pa.array([True, None]),
    "DAY": pa.array([MOMENT.date(), None]),
    "AT": pa.array([MOMENT.replace(tzinfo=UTC), None], pa.timestamp("us", "UTC")),
    "LOCAL": pa.array([MOMENT, None], pa.timestamp("us")),
    "HOUR": pa.array([MOMENT.time(), None], pa.time64("us")),
    "TEXT": pa.array(["\\N and 'é' ?", None]),
    "BYTES": pa.array([b"\x00\xff", None]),
    "TREE": pa.array(['{"n":0.10}', None]),
}


@pytest.fixture
def staged(tmp_path):
    """A file with every kind of column; nested values are there as text."""
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(ROWS), path)
    return StagedFile(path, COLUMNS, frozenset({"TREE"}), 2)


def test_a_staged_file_is_a_table_with_every_value_as_it_was(connection, schema, staged):
    connection.stage(schema, "ML_STAGED_X", staged)
    names = ", ".join(f'"{column.name}"' for column in COLUMNS)
    full, empty = connection.execute(f'SELECT {names} FROM "WORK"."ML_STAGED_X" ORDER BY "ID"')
    assert [*full[1:4], full[4]] == [ROWS["EXACT"][0].as_py(), 0.1, True, MOMENT.date()]
    assert full[5].astimezone(UTC) == MOMENT.replace(tzinfo=UTC)
    assert full[6:9] == (MOMENT, MOMENT.time(), "\\N and 'é' ?")
    assert bytes(full[9]) == b"\x00\xff"
    assert full[10] == '{"n":0.10}'
    assert empty == (2, *[None] * 10)
    connection.unstage(schema, ["ML_STAGED_X", "ML_STAGED_NEVER"])
    with pytest.raises(LoadError, match="ML_STAGED_X"):
        connection.execute('SELECT COUNT(*) FROM "WORK"."ML_STAGED_X"')


def test_another_number_of_rows_than_the_file_has_is_an_error(connection, schema, staged):
    with pytest.raises(LoadError, match="2 of the 3 rows"):
        connection.stage(schema, "ML_STAGED_X", StagedFile(staged.path, COLUMNS, staged.texts, 3))


def test_the_session_says_what_is_relied_on(opened, network):
    opened().execute("SELECT 1")
    (login,) = network.logins()
    wanted = {**session.RELIED_ON, "QUERY_TAG": "test run=1"}
    said = {name: str(login["SESSION_PARAMETERS"].get(name)).lower() for name in wanted}
    assert said == {name: str(value).lower() for name, value in wanted.items()}
    assert session.RELIED_ON["STATEMENT_TIMEOUT_IN_SECONDS"] == 172_800


def test_what_a_statement_is_for_costs_no_statement(opened, network):
    connection = opened()
    connection.execute("SELECT 1")
    connection.tag("batch=7")
    connection.execute("SELECT 2")
    connection.tag("")
    connection.execute("SELECT 3")
    assert network.statements == ["SELECT 1", "SELECT 2", "SELECT 3"]
    assert [b'"test batch=7"' in body for path, body in network.bodies if "query-request" in path] == [
        False,
        True,
        False,
    ]


def test_a_statement_that_takes_long_is_waited_for(opened, network, schema, monkeypatch):
    """Snowflake answers 333333 every 45 s; here it is every half a second, and longer than there are retries."""
    monkeypatch.setattr(driver, "ANSWER_SECONDS", 5.0)
    connection = opened(max_retry_time=1)
    connection.execute('CREATE TABLE "WORK"."T" ("N" NUMBER(38,0))')
    network.trouble = network.slow(4, 0.5, "INSERT")
    connection.execute('INSERT INTO "WORK"."T" VALUES (1)')
    assert network.results, "it was kept back"
    assert connection.execute('SELECT "N" FROM "WORK"."T"') == [(1,)]
    assert not any("abort" in path for path in network.paths), "nobody asked for it to be cancelled"


@pytest.mark.parametrize("what", ["reset", "refuse"])
@pytest.mark.parametrize("transport", ["connector", "sql_api"])
def test_an_outage_shorter_than_the_time_for_retries_is_survived(opened, network, transport, what):
    connection = opened(transport, max_retry_time=60)
    connection.execute("SELECT 1")
    network.trouble = network.outage(1, what, after="SELECT 2")

    def again(_):
        return connection.execute("SELECT 2")

    assert retrying(again, seconds=60, what="It", logger=driver.logging.getLogger()) == [(2,)]


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
@pytest.mark.parametrize("what", ["reset", "refuse", "cut"])
def test_an_answer_to_commit_that_is_lost_for_good_may_pass(opened, network, schema, transport, what):
    connection = opened(transport, max_retry_time=1)
    connection.execute('CREATE TABLE "WORK"."T" ("N" NUMBER(38,0))')
    network.trouble = network.times(100, what, "COMMIT", "BEGIN;", "ALTER SESSION")
    with pytest.raises(TransientLoadError):
        connection.transaction([('INSERT INTO "WORK"."T" VALUES (1)', ())])


@pytest.mark.parametrize("code", ["390104", "390111", "390114", "390195"])
def test_a_session_that_is_gone_is_opened_anew(opened, network, code):
    gone = {
        "success": False,
        "code": code,
        "message": "Gone.",
        "data": {"errorCode": code, "sqlState": "08001"},
    }
    connection = opened()
    connection.execute("SELECT 1")
    network.trouble = network.times(1, gone, "SELECT 2")
    with pytest.raises(TransientLoadError, match="session has ended"):
        connection.execute("SELECT 2")
    assert connection.execute("SELECT 2") == [(2,)]
    assert len(network.logins()) == 2


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
def test_a_host_that_nobody_knows_is_refused_at_once(opened, monkeypatch, transport):
    def unknown(*_):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(Address.check, "__defaults__", (unknown,))
    connection = opened(transport, host="no-such-account.example", max_retry_time=600)
    with pytest.raises(
        LoadError, match="no host no-such-account.example: correct the setting host"
    ) as refused:
        connection.execute("SELECT 1")
    assert not isinstance(refused.value, TransientLoadError)


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
def test_https_where_plain_http_is_spoken_is_refused_at_once(opened, transport):
    with pytest.raises(LoadError, match="correct protocol and port") as refused:
        opened(transport, protocol="https").execute("SELECT 1")
    assert not isinstance(refused.value, TransientLoadError)


def test_a_host_that_cannot_be_looked_up_now_may_be_known_later():
    def nobody_to_ask(*_):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with pytest.raises(TransientLoadError, match="cannot be looked up"):
        address_of(ACCOUNT).check(nobody_to_ask)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://myorg-books.snowflakecomputing.com"),
        ({"account": "My_Org-books"}, "https://my-org-books.snowflakecomputing.com"),
        ({"account": "xy12345.eu-west-1"}, "https://xy12345.eu-west-1.snowflakecomputing.com"),
        ({"account": "xy12345.cn-northwest-1"}, "https://xy12345.cn-northwest-1.snowflakecomputing.cn"),
        ({"host": "a.privatelink.snowflakecomputing.com"}, "https://a.privatelink.snowflakecomputing.com"),
        ({"host": "127.0.0.1", "port": 8080, "protocol": "http"}, "http://127.0.0.1:8080"),
    ],
)
def test_where_an_account_is(settings, url):
    assert address_of({**ACCOUNT, **settings}).url == url


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"account": "https://myorg-books.snowflakecomputing.com"}, "set account to myorg-books"),
        ({"account": "https://app.snowflake.com/myorg/books"}, "without https://"),
        ({"account": "myorg-books.snowflakecomputing.com"}, "set account to myorg-books"),
        ({"account": "myorg books"}, "account identifier alone"),
        ({"host": "https://a.example"}, "host name alone"),
        ({"host": "a.example/path"}, "host name alone"),
        ({"host": "a.example:443"}, "host name alone"),
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(transport, settings, words):
    with pytest.raises(LoadError, match=words):
        connection_of({**ACCOUNT, "transport": transport, **settings}, "run=1")


@pytest.mark.parametrize("generation", [4, 5])
def test_no_layer_takes_longer_than_the_time_for_retries(generation):
    now = [0.0]
    patience = Patience(3, lambda: now[0])
    arguments = driver.Driver(ACCOUNT, address_of(ACCOUNT), generation, patience).arguments({})
    assert arguments["login_timeout"] == 3
    if generation == 4:
        assert "network_timeout" not in arguments, "it would cancel statements"
        assert arguments["socket_timeout"] == 3
        pauses = arguments["backoff_policy"]()
        taken = [next(pauses)]
        with pytest.raises(driver.GaveUpError):
            while True:
                now[0] += taken[-1]
                taken.append(next(pauses))
        assert sum(taken) <= 3 + taken[0]
    else:
        assert arguments.get("query_timeout", 0) == 0, "it would cancel statements"
        assert arguments["connect_timeout"] == 3
        assert arguments["retry_max_attempts"] == 1
    patience.succeeded()
    now[0] += 100
    patience.failed()
    now[0] += 2.5
    assert (
        driver.Driver(ACCOUNT, address_of(ACCOUNT), generation, patience).arguments({})["login_timeout"] == 1
    )
    patience.succeeded()
    assert patience.left == 3


def test_the_driver_repeats_a_request_for_as_long_as_there_is_patience():
    now = [0.0]
    patience = Patience(300, lambda: now[0])
    pauses = driver.Driver(ACCOUNT, address_of(ACCOUNT), 4, patience).arguments({})["backoff_policy"]()
    taken = [next(pauses)]
    with pytest.raises(driver.GaveUpError):
        while True:
            now[0] += taken[-1]
            taken.append(next(pauses))
    assert 300 <= sum(taken) <= 300 + taken[0]
    more = driver.Driver(ACCOUNT, address_of(ACCOUNT), 5, Patience(300)).arguments({})
    assert more["retry_max_attempts"] == 6, "six times a minute of silence, at most"


def test_silence_is_not_waited_for_again_where_patience_is_shorter():
    now = [0.0]
    patience = Patience(30, lambda: now[0])
    pauses = driver.Driver(ACCOUNT, address_of(ACCOUNT), 4, patience).arguments({})["backoff_policy"]()
    now[0] += driver.ANSWER_SECONDS + next(pauses)
    with pytest.raises(driver.GaveUpError):
        next(pauses)
