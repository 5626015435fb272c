"""Ask the demo's Snowflake one question: ``python demo/query.py PORT SQL``."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import snowflake.connector

KEY = Path(__file__).resolve().parent.parent / ".demo" / "loader.p8"


def main(port: str, sql: str) -> None:
    """Print the answer, tab-separated, with its header."""
    connection = snowflake.connector.connect(
        account="SANDBOX",
        user="LOADER",
        private_key_file=str(KEY),
        authenticator="SNOWFLAKE_JWT",
        host="127.0.0.1",
        port=int(port),
        protocol="http",
        database="BOOKS",
        schema="SAGE300",
    )
    with closing(connection), closing(connection.cursor()) as cursor:
        rows = cursor.execute(sql).fetchall()
        print("\t".join(column.name for column in cursor.description))
        for row in rows:
            print("\t".join(str(value) for value in row))


if __name__ == "__main__":
    main(*sys.argv[1:])
