"""Batches on disk: whole or not at all, for nobody else's eyes, tidied after runs that died."""

from __future__ import annotations

import stat

import pyarrow as pa
import pytest

from ml_connector.load import dead_letters, spool
from ml_connector.load.errors import LoadError
from ml_connector.load.spool import Spool

RUN = "20260101T000000Z-00000001"
ROWS = pa.table({"ID": [1, 2]})
NONE = dead_letters.COLUMNS.empty_table()


def written(folder, number=1, **more):
    about = {
        "batch_id": f"{RUN}-{number:06d}",
        "run_id": RUN,
        "stream": "s",
        "load_method": "upsert",
        "schema": {},
        "key_properties": ["id"],
        **more,
    }
    return folder.write(ROWS, NONE, **about)


@pytest.fixture
def folder(tmp_path):
    return Spool(tmp_path / "spool")


def names(folder):
    return sorted(path.name for path in folder.folder.glob("*"))


def test_a_batch_comes_back_as_it_was(folder):
    manifest = written(folder, columns={"id": "ID"}, document_key=["id"], target_schema="BOOKS")
    assert folder.manifest(manifest.batch_id) == manifest
    folder.check(manifest)
    folder.drop(manifest.batch_id)
    assert names(folder) == []


def test_files_are_for_nobody_else_s_eyes(folder):
    written(folder)
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.folder.glob("*")} == {0o600}


def test_a_file_that_changed_is_not_loaded(folder):
    manifest = written(folder)
    with folder.path(manifest.batch_id).open("ab") as file:
        file.write(b"x")
    with pytest.raises(LoadError, match="not what was written"):
        folder.check(manifest)


def test_a_full_disk_leaves_no_part_of_a_batch(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool, "write_atomically", full)
    with pytest.raises(LoadError, match="No space left on device"):
        written(folder)
    assert names(folder) == []


def test_a_torn_manifest_is_named_and_hides_no_other(folder):
    torn, whole = written(folder, 1), written(folder, 2)
    (folder.folder / f"{torn.batch_id}.json").write_text("")
    assert [manifest.batch_id for manifest in folder.manifests()] == [whole.batch_id]
    (missing, said), _ = folder.readable()
    assert missing is None
    assert f"{torn.batch_id}.json cannot be read" in said


def test_a_manifest_of_an_earlier_version_is_read(folder):
    manifest = written(folder)
    path = folder.folder / f"{manifest.batch_id}.json"
    text = path.read_text()
    for name in ("target_schema", "target_table", "columns", "document_key", "sequence"):
        assert f'"{name}"' in text
    lines = [line for line in text.splitlines() if '"target_' not in line]
    path.write_text("\n".join(lines))
    assert folder.manifest(manifest.batch_id).target_table is None


def test_what_dead_runs_left_is_tidied_but_for_what_failed(folder):
    failed, left = written(folder, 1), written(folder, 2)
    failed.error = "no"
    folder.keep(failed)
    (folder.folder / f"{RUN}-000003.parquet").write_bytes(b"half")
    (folder.folder / "20260101T000001Z-00000002-000001.parquet").write_bytes(b"another run's")
    removed = folder.tidy([RUN])
    assert removed == [f"{left.batch_id}.json", f"{left.batch_id}.parquet", f"{RUN}-000003.parquet"]
    assert folder.has_failed("s")
    assert not folder.has_failed("other")
    assert len(names(folder)) == 3
