"""Which errors pass, by every number and class that the two generations and the SQL API use."""

from __future__ import annotations

import pytest
from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml import failures
from target_snowflake_ml.errors import LOG_ON, explained

NAMES = {"account": "MYORG-BOOKS", "user": "LOADER", "database": "LEDGER", "role": "LOADING"}


def error_of(kind="ProgrammingError", number=-1, state=None, text="Something."):
    """An error in the shape of the connectors', both of which have these attributes."""
    made = type(kind, (Exception,), {"__module__": "snowflake.connector.errors"})(text)
    made.errno, made.sqlstate, made.raw_msg, made.msg = number, state, text, f"{number}: {text}"
    return made


PASSING = [
    # 4.8: refused, reset or silent while logging in, whatever the cause
    ("OperationalError", 250001, "n/a", "Could not connect to Snowflake backend after 2 attempt(s).Aborting"),
    ("OperationalError", 250003, "n/a", "Failed to execute request: Connection aborted."),
    ("OperationalError", 251011, "n/a", "ConnectionTimeout occurred during login."),
    ("OperationalError", 251012, "n/a", "Login request is retryable."),
    ("ServiceUnavailableError", 580503, "n/a", "HTTP 503: Service Unavailable"),
    ("ServiceUnavailableError", 540001, "08001", "Failed to connect to DB. Service is unavailable."),
    ("TooManyRequests", 580429, "n/a", "HTTP 429: Too Many Requests"),
    ("InternalServerError", 290500, "n/a", "HTTP 500: Internal Server Error"),
    ("OtherHTTPRetryableError", 290408, "n/a", "HTTP 408"),
    ("OperationalError", 252010, "n/a", "Chunk download failed"),
    ("OperationalError", 253003, "n/a", "Failed to upload"),
    ("OperationalError", 254006, "n/a", "The status of the certificate's revocation is not known"),
    # 5.2: kinds of its core, and the login's own number
    ("OperationalError", 4, None, "HTTP request failed after retries: query request. last status 503"),
    ("OperationalError", 4, None, "HTTP request failed after retries: query request. operation timed out"),
    ("OperationalError", 14, "HYT00", "Failed to login: login timed out after 4s"),
    ("OperationalError", 5, None, "Cancelled"),
    ("InternalError", 6, None, "Invalid Snowflake response. missing field `success` at line 1 column 8"),
    ("ProgrammingError", 13, None, "Unknown error"),
    (
        "DatabaseError",
        250001,
        "08001",
        "Failed to login: HTTP request failed after retries: Connection refused",
    ),
    ("DatabaseError", 250001, "08001", "Failed to login: max attempts (3) reached; last status 503"),
    ("DatabaseError", 250001, "08001", "Failed to refresh session: Failed to communicate with Snowflake."),
    # the session is gone
    *(("ProgrammingError", number, "08001", "Gone.") for number in (390104, 390111, 390112, 390114, 390115)),
    ("ReauthenticationRequest", 390114, "08001", "Master token can never be renewed"),
    ("ProgrammingError", 390195, "08001", "The ID token is invalid."),
    ("HttpError", 290401, "08001", "401 Unauthorized: post"),
    # Snowflake itself
    ("ProgrammingError", 625, "57014", "Your statement was aborted: the number of waiters exceeds 20."),
    (
        "ProgrammingError",
        630,
        "57014",
        "Statement reached its statement or warehouse timeout of 60 second(s).",
    ),
    ("ProgrammingError", 604, "57014", "SQL execution canceled"),
    (
        "ProgrammingError",
        603,
        "XX000",
        "SQL execution internal error: Processing aborted due to error 300010",
    ),
    ("ProgrammingError", 300002, "XX000", "Internal error."),
]

REFUSED = [
    ("ProgrammingError", 1003, "42000", "SQL compilation error: syntax error line 1", "SELEC"),
    ("ProgrammingError", 2, "0A000", "Unsupported feature 'X'.", "SELEC"),
    ("ProgrammingError", 8, "0A000", "Actual statement count 2 did not match.", "SELEC"),
    ("ProgrammingError", 100038, "22018", "Numeric value 'lock timeout' is not recognized", "SELEC"),
    ("ProgrammingError", 3, None, "Invalid argument", "SELEC"),
    ("ProgrammingError", 253006, "n/a", "File doesn't exist", "SELEC"),
    ("ProgrammingError", 255002, "n/a", "pyarrow is not installed", "SELEC"),
    ("NonRetryableTlsError", 250003, "n/a", "Hit non-retryable SSL error, certificate verify failed", "TLS"),
    ("DatabaseError", 250001, "08001", "Failed to login: invalid peer certificate: UnknownIssuer", "TLS"),
    (
        "ForbiddenError",
        540001,
        "08001",
        "Failed to connect to DB. 290000: HTTP 403: Forbidden",
        "network policy",
    ),
    ("InternalError", 6, None, "Invalid Snowflake response. error status: 403 Forbidden", "network policy"),
    ("HttpError", 290413, "08001", "413 Payload Too Large", "small_batch_bytes"),
    ("ProgrammingError", 606, "57P03", "No active warehouse selected.", "AUTO_RESUME"),
    ("ProgrammingError", 3001, "42501", "Insufficient privileges to operate on schema", "README"),
    ("ProgrammingError", 2003, "02000", "Schema 'X' does not exist or not authorized.", "role LOADING"),
]

LOGINS = [
    ("DatabaseError", 390144, "28000", "JWT token is invalid.", "RSA_PUBLIC_KEY"),
    ("DatabaseError", 394304, "28000", "Fingerprint mismatch", "RSA_PUBLIC_KEY"),
    ("DatabaseError", 250001, "08001", "Failed to connect: 390144 JWT token is invalid.", "RSA_PUBLIC_KEY"),
    ("DatabaseError", 394400, "28000", "Programmatic access token is invalid.", "PROGRAMMATIC ACCESS TOKEN"),
    ("DatabaseError", 390303, "28000", "Invalid OAuth access token.", "OAuth"),
    ("DatabaseError", 390318, "28000", "OAuth access token expired.", "OAuth"),
    ("DatabaseError", 390100, "28000", "Incorrect username or password was specified.", "not disabled"),
    ("DatabaseError", 390102, "28000", "User temporarily locked.", "MINS_TO_UNLOCK"),
    (
        "DatabaseError",
        390189,
        "28000",
        "Requested role 'X' is not assigned to the user.",
        "GRANT ROLE LOADING",
    ),
    ("DatabaseError", 390422, "28000", "IP 1.2.3.4 is not allowed to access Snowflake.", "network policy"),
    ("ProgrammingError", 251018, "n/a", "No workload identity credential was found.", "WORKLOAD_IDENTITY"),
    ("HttpError", 290404, "08001", "404 Not Found: post", "no Snowflake account MYORG-BOOKS"),
    (
        "DatabaseError",
        250001,
        "08001",
        "Failed to login: error status: 404 Not Found",
        "no Snowflake account",
    ),
]


@pytest.mark.parametrize(("kind", "number", "state", "text"), PASSING)
def test_what_may_pass_is_tried_again(kind, number, state, text):
    said = explained(error_of(kind, number, state, text), "COMMIT", NAMES)
    assert isinstance(said, TransientLoadError), said


@pytest.mark.parametrize(("kind", "number", "state", "text", "word"), REFUSED)
def test_what_cannot_pass_is_a_sentence(kind, number, state, text, word):
    said = explained(error_of(kind, number, state, text), "SELEC 1", NAMES)
    assert type(said) is LoadError
    assert word in str(said)


@pytest.mark.parametrize(("kind", "number", "state", "text", "word"), LOGINS)
def test_each_refused_login_has_its_remedy(kind, number, state, text, word):
    said = explained(error_of(kind, number, state, text), LOG_ON, NAMES)
    assert type(said) is LoadError
    assert word in str(said)


def test_an_access_token_that_ended_is_renewed_where_it_can_be():
    ended = error_of("DatabaseError", 390318, "28000", "OAuth access token expired.")
    assert isinstance(explained(ended, LOG_ON, NAMES, renewable=True), TransientLoadError)


def several(cause, statement="INSERT INTO T VALUES ('timeout, lock')"):
    return error_of(
        "ProgrammingError",
        100132,
        "P0000",
        f'JavaScript execution error: Uncaught Execution of multiple statements failed on statement "{statement}"'
        f" (at line 3, position 0).\n{cause} in SYSTEM$MULTISTMT at '    throw `Execution of multiple"
        " statements failed` position 4\nstackstrace: \nSYSTEM$MULTISTMT line: 10",
    )


@pytest.mark.parametrize(
    "cause",
    [
        "Statement 'x' has locked table 'T' in transaction 17 and this lock has not yet been released.",
        "Your statement was aborted because the number of waiters for this lock exceeds the 20 statements limit.",
        "Statement reached its statement or warehouse timeout of 60 second(s) and was canceled.",
        "SQL execution canceled",
        "Warehouse 'LOAD_WH' is being resumed, try again.",
        "SQL execution internal error: Processing aborted due to error 300010:1; incident 7.",
    ],
)
def test_the_cause_of_a_request_of_several_statements_is_in_its_text(cause):
    assert isinstance(explained(several(cause), "BEGIN; ...", NAMES), TransientLoadError)


@pytest.mark.parametrize(
    ("cause", "word"),
    [
        ("SQL compilation error:\nTable 'T' does not exist or not authorized.", "role LOADING"),
        ("SQL access control error: Insufficient privileges to operate on table 'T'", "README"),
        (
            "Warehouse 'LOAD_WH' cannot be resumed because resource monitor 'M' has exceeded its quota.",
            "monitor",
        ),
        ("Numeric value 'x' is not recognized", "refused a statement"),
    ],
)
def test_a_refusal_among_several_statements_is_told_by_its_own_sentence(cause, word):
    said = explained(several(cause), "BEGIN; ...", NAMES)
    assert type(said) is LoadError
    assert word in str(said)
    assert "SYSTEM$MULTISTMT" not in str(said)


def test_an_answer_that_the_connector_stumbles_over_may_pass():
    import snowflake.connector.errors as theirs

    try:
        theirs.Error.errorhandler_wrapper(None, None, None, None)
    except (TypeError, AttributeError) as error:
        assert failures.failure_of(error).passes
    else:
        pytest.fail("it did not stumble")
    assert not failures.failure_of(TypeError("a mistake of ours")).passes
    assert failures.failure_of(ConnectionResetError(104, "reset")).passes


def test_what_was_repeated_in_vain_is_told_by_its_last_failure():
    def exhausted():
        try:
            raise RuntimeError(error_of("ServiceUnavailableError", 290503, "n/a", "HTTP 503"))
        except RuntimeError:
            raise failures.GaveUpError  # noqa: B904 - in the midst of the failure, as the driver does

    with pytest.raises(failures.GaveUpError) as gave_up:
        exhausted()
    said = explained(gave_up.value, "COMMIT", NAMES)
    assert isinstance(said, TransientLoadError)
    assert said.code == "290503"
    assert "HTTP 503" in str(said)


def test_no_secret_is_quoted():
    from ml_connector import secrets

    secrets.remember("s3cr3t-token-of-mine")
    said = explained(error_of("DatabaseError", 390100, "28000", "Bad s3cr3t-token-of-mine"), LOG_ON, NAMES)
    assert "s3cr3t" not in str(said)
