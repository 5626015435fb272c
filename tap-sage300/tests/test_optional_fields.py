"""Which streams get columns of their optional fields, however the setting is written."""

from __future__ import annotations

import pytest

from tap_sage300.optional_fields import wanted


@pytest.mark.parametrize(
    ("setting", "vendors", "accounts"),
    [
        (True, True, True),
        (False, False, False),
        (None, False, False),
        (["gl_*"], False, True),
        ("true", True, True),
        ("false", False, False),
        ("", False, False),
        ('["vendors"]', True, False),
        ("vendors, gl_*", True, True),
    ],
)
def test_the_setting_is_read_as_a_shell_writes_it_too(setting, vendors, accounts):
    assert (wanted(setting, "vendors"), wanted(setting, "gl_accounts")) == (vendors, accounts)
