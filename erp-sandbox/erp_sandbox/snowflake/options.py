"""How the account behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from erp_sandbox.snowflake.polling import PATIENCE
from erp_sandbox.snowflake.sessions import MASTER_SECONDS, SESSION_SECONDS, SILENCE_OF_THE_DEAD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from erp_sandbox.snowflake.grants import Grants


@dataclass(frozen=True)
class Options:
    """How the account behaves.

    Attributes:
        latency: Seconds each statement is held back.
        patience: Seconds before a request is answered although its statement still runs.
        slow: Words, and the seconds for which a statement that contains one runs longer.
        session_lifetime: Seconds a session's token is good for.
        master_lifetime: Seconds for which it can be renewed.
        idle_transaction: Seconds of silence after which a session in a transaction is dead.
        grants: What each role may; None where everybody may everything.
        request_log: File that takes one JSON line a request.
    """

    latency: float = 0.0
    patience: float = PATIENCE
    slow: Sequence[tuple[str, float]] = ()
    session_lifetime: float = SESSION_SECONDS
    master_lifetime: float = MASTER_SECONDS
    idle_transaction: float = SILENCE_OF_THE_DEAD
    grants: Grants | None = None
    request_log: Path | None = None
