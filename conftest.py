"""What holds for every test of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ml_connector import secrets

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> Iterator[None]:
    """A test's secrets are forgotten with it: a password `other` would blot out words of the others."""
    known = set(secrets._known)  # noqa: SLF001
    yield
    secrets._known.intersection_update(known)  # noqa: SLF001
