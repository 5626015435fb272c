"""Settings that every target has."""

from __future__ import annotations

from singer_sdk import typing as th

LOAD_METHODS = ("upsert", "append-only", "overwrite", "scd2")
IDENTIFIER_CASES = ("upper_snake", "upper", "preserve")


def loading_settings(parallel_loads: int = 1) -> th.PropertiesList:
    """The loading settings, as every target declares them.

    Args:
        parallel_loads: The default of that setting.
    """
    return th.PropertiesList(
        th.Property(
            "default_target_schema",
            th.StringType,
            title="Schema",
            description="Schema of streams for which neither streams.<stream>.schema nor the tap says one.",
        ),
        th.Property(
            "load_method",
            th.StringType,
            title="Load method",
            allowed_values=list(LOAD_METHODS),
            default="upsert",
            description=(
                "upsert: one row a key, the last one wins. append-only: every record is a row."
                " overwrite: the table holds what the last complete read brought, which a tap proves with"
                " ACTIVATE_VERSION. scd2: every version of a record is a row."
                " Streams without a key are appended where upsert is asked for."
            ),
        ),
        th.Property(
            "hard_delete",
            th.BooleanType,
            title="Hard delete",
            default=False,
            description="Remove rows that the source deleted, instead of marking them in _sdc_deleted_at.",
        ),
        th.Property(
            "identifier_case",
            th.StringType,
            title="Identifier case",
            allowed_values=list(IDENTIFIER_CASES),
            default="upper_snake",
            description="How VendorNumber is spelled: VENDOR_NUMBER, VENDORNUMBER or as it is.",
        ),
        th.Property(
            "number_type",
            th.StringType,
            title="Number type",
            default="double",
            description="Type of a number whose schema gives no scale: double, decimal or decimal(p,s).",
        ),
        th.Property(
            "batch_size_rows",
            th.IntegerType(minimum=1),
            title="Rows a batch",
            default=100_000,
            description="A stream's batch is loaded when it has this many records.",
        ),
        th.Property(
            "batch_size_bytes",
            th.IntegerType(minimum=1024),
            title="Bytes a batch",
            default=64 * 1024 * 1024,
            description="A stream's batch is loaded when its lines have this many bytes.",
        ),
        th.Property(
            "small_batch_bytes",
            th.IntegerType(minimum=0),
            title="Bytes of a small batch",
            default=256_000,
            description="A batch under this size travels with its statement, without a file and a temporary"
            " table; small batches that are due together share a transaction.",
        ),
        th.Property(
            "batch_max_age",
            th.IntegerType(minimum=1),
            title="Age of a batch",
            default=300,
            description="Seconds after which all batches are loaded and the state is let out.",
        ),
        th.Property(
            "parallel_loads",
            th.IntegerType(minimum=1),
            title="Parallel loads",
            default=parallel_loads,
            description="Sessions that load at once, each another table; one table's batches stay in order.",
        ),
        th.Property(
            "audit_schema",
            th.StringType,
            title="Audit schema",
            default="ML_AUDIT",
            description="Schema of RUNS, BATCHES and DEAD_LETTERS.",
        ),
        th.Property(
            "max_dead_letters",
            th.CustomType({"type": ["string", "number", "null"]}),
            title="Dead letters allowed",
            description="How many records a run may reject: a count, or a percentage such as 1%. No limit"
            " if unset, but a stream of which every record was rejected ends the run with an error.",
        ),
        th.Property(
            "max_retry_time",
            th.IntegerType(minimum=0),
            title="Retry time",
            default=600,
            description="Seconds for which a batch is tried again after a transient failure.",
        ),
        th.Property(
            "spool_dir",
            th.StringType,
            title="Spool folder",
            description="Folder for batches on their way; a batch that cannot be loaded stays there."
            " Default: ml-connector/spool in the user's cache folder.",
        ),
        th.Property(
            "streams",
            th.ObjectType(additional_properties=_stream_settings()),
            title="Streams",
            description="Per stream, or glob such as gl_*: schema, table, load_method, columns (property to"
            " column name), cluster_by (list of properties), replace_at_end_of_input (true: with overwrite,"
            " replace the table when the input ends, for taps that never send ACTIVATE_VERSION; a tap that"
            " dies half-way then leaves half a table). The first pattern that fits is taken.",
        ),
    )


def _stream_settings() -> th.ObjectType:
    return th.ObjectType(
        th.Property("schema", th.StringType),
        th.Property("table", th.StringType),
        th.Property("load_method", th.StringType, allowed_values=list(LOAD_METHODS)),
        th.Property("columns", th.ObjectType(additional_properties=th.StringType)),
        th.Property("cluster_by", th.ArrayType(th.StringType)),
        th.Property("replace_at_end_of_input", th.BooleanType),
        additional_properties=False,
    )
