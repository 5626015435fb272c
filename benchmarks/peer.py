"""Runs ``target-snowflake`` of a peer's own environment against the sandbox.

Neither peer has a setting for the host, so the connector that they call is told it here; pipelinewise knows
passwords only, which the sandbox does not, so the key goes the same way. All else is what the peer installs.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import Any

import snowflake.connector
from cryptography.hazmat.primitives import serialization


def tell(told: dict[str, Any]) -> None:
    """Have every connection made to the sandbox."""
    genuine = snowflake.connector.connect
    key = serialization.load_pem_private_key(Path(told.pop("private_key_file")).read_bytes(), None)
    told["private_key"] = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    told["authenticator"] = "SNOWFLAKE_JWT"

    def connect(**arguments: Any) -> Any:
        arguments.pop("password", None)
        return genuine(**{**arguments, **told})

    snowflake.connector.connect = connect


def main() -> None:
    """Run the command line of the target."""
    tell(json.loads(os.environ["BENCH_SNOWFLAKE"]))
    sys.argv[0] = "target-snowflake"
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="target-snowflake")
    entry.load()()


if __name__ == "__main__":
    main()
