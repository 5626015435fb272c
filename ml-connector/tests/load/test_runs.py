"""Notes of runs in the spool folder: which of them live, and what the dead ones had come to."""

from __future__ import annotations

import stat

import msgspec

from ml_connector.load.runs import RunFile, RunNote, is_alive

FIRST, SECOND = "20260101T000000Z-00000001", "20260101T000001Z-00000002"


def opened(folder, run_id, **settings):
    found = RunFile(folder, run_id, **settings)
    return found, found.open()


def test_a_run_that_lives_is_not_dead(tmp_path):
    first, _ = opened(tmp_path, FIRST)
    second, dead = opened(tmp_path, SECOND)
    assert dead == []
    assert is_alive(tmp_path, FIRST)
    first.close(forget=True)
    assert not is_alive(tmp_path, FIRST)
    second.close(forget=True)
    assert list(tmp_path.glob("*")) == []


def test_a_dead_run_s_note_says_how_far_it_came(tmp_path):
    first, _ = opened(tmp_path, FIRST)
    first.promise(7, {"s": ["digest"]})
    first.promise(3, {})
    first.close(forget=False)
    _, (note,) = opened(tmp_path, SECOND)
    assert (note.run_id, note.promised, note.unpromised, note.reads) == (FIRST, 7, {}, True)


def test_a_note_of_an_earlier_version_or_a_torn_one_is_read_as_it_is(tmp_path):
    (tmp_path / f"{FIRST}.run").write_bytes(msgspec.json.encode({"run_id": FIRST, "promised": 5}))
    (tmp_path / f"{SECOND}.run").write_bytes(b"{")
    _, dead = opened(tmp_path, "20260101T000002Z-00000003")
    assert dead == [RunNote(FIRST, 5), RunNote(SECOND)]


def test_a_note_is_for_nobody_else_s_eyes(tmp_path):
    first, _ = opened(tmp_path / "spool", FIRST)
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spool").glob("*")} == {0o600}
    first.close(forget=True)


def test_a_note_that_was_dealt_with_is_forgotten(tmp_path):
    first, _ = opened(tmp_path, FIRST)
    first.close(forget=False)
    second, _ = opened(tmp_path, SECOND)
    second.forget(FIRST)
    second.close(forget=True)
    assert list(tmp_path.glob("*")) == []
