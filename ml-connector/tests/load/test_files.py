"""BATCH files: where they lie, and how they are read."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from singer_sdk.helpers._batch import BaseBatchFileEncoding

from ml_connector.load.errors import BadInputError, LoadError
from ml_connector.load.files import lines_of, path_of, tables_of
from ml_connector.load.reader import ColumnarReader

RECORDS = [b'{"id": 1}', b'{"id": NaN}', b'{"id": "\xff"}', b'{"id": "\\ud800"}']


def jsonl(compression):
    return BaseBatchFileEncoding("jsonl", compression)


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("file://dir/file.jsonl", "dir/file.jsonl"),
        ("file://file.jsonl", "file.jsonl"),
        ("file://./dir/file.jsonl", "./dir/file.jsonl"),
        ("file://a%20dir/the%20file%231", "a dir/the file#1"),
        ("file:///abs/file.jsonl", "/abs/file.jsonl"),
        ("file://localhost/abs/file.jsonl", "/abs/file.jsonl"),
        ("file:/abs/file.jsonl", "/abs/file.jsonl"),
        ("dir/a file#1", "dir/a file#1"),
        ("/abs/file", "/abs/file"),
    ],
)
def test_addresses_are_relative_or_absolute(file, path):
    assert path_of(file) == path


def test_an_address_elsewhere_is_refused():
    with pytest.raises(LoadError, match="s3://bucket/file: only files on this machine"):
        path_of("s3://bucket/file")


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_relative_file_is_found_from_the_working_directory(tmp_path, monkeypatch, compression):
    (tmp_path / "dir").mkdir()
    opener = gzip.open if compression == "gzip" else open
    with opener(tmp_path / "dir" / "file", "wb") as file:
        file.write(b"\n".join([*RECORDS, b""]))
    monkeypatch.chdir(tmp_path)
    assert list(lines_of("file://dir/file", jsonl(compression))) == RECORDS


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        (BaseBatchFileEncoding("jsonl", "zstd"), "compression `zstd`"),
        (BaseBatchFileEncoding("jsonl", "gzip2"), "compression `gzip2`"),
        (BaseBatchFileEncoding("avro"), "format `avro`"),
    ],
)
def test_a_file_that_is_not_json_lines_is_refused_by_name(tmp_path, encoding, named):
    (tmp_path / "file").write_bytes(b"{}")
    with pytest.raises(LoadError, match=f"{named} cannot be read; jsonl, plain or with gzip, can"):
        list(lines_of(str(tmp_path / "file"), encoding))


@pytest.mark.parametrize(
    ("bad", "why"),
    [(b'{"id": 1', "not JSON"), (b"rubbish", "not JSON"), (b"{} {}", "more follows after the end")],
)
def test_a_line_of_a_file_that_is_not_json_is_named(tmp_path, bad, why):
    file = tmp_path / "file"
    file.write_bytes(b"\n".join([*RECORDS, b"", bad]))
    with pytest.raises(LoadError, match=f"Line 6 of BATCH file {file} cannot be used") as caught:
        list(lines_of(str(file), jsonl(None)))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"{}" * 50)[:-9], gzip.compress(b"{}")[:10] + b"\xff" * 20]
)
def test_a_broken_archive_is_an_error(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(LoadError, match="cannot be read"):
        list(lines_of(str(tmp_path / "file"), jsonl("gzip")))


def test_a_broken_parquet_file_is_an_error(tmp_path):
    file = tmp_path / "file.parquet"
    pq.write_table(pa.table({"id": list(range(1000))}), file)
    content = bytearray(file.read_bytes())
    content[20:200] = b"\xff" * 180
    file.write_bytes(content)
    with pytest.raises(LoadError, match="cannot be read"):
        list(tables_of(str(file), 100))


def read(encoding):
    """The encoding that reaches the target."""
    found = []
    message = {"type": "BATCH", "stream": "s", "encoding": encoding, "manifest": []}
    callbacks = {"BATCH": found.append, "RECORD": lambda _: None}
    ColumnarReader().process_lines(iter([json.dumps(message)]), callbacks)
    return found[0]["encoding"]


@pytest.mark.parametrize(
    ("encoding", "why"),
    [
        ({"format": "avro"}, "the format `avro` of its files cannot be read; jsonl and parquet can"),
        ({"format": "csv", "compression": "gzip"}, "the format `csv`"),
        ({"compression": "gzip"}, "the format `none`"),
        ({"format": 5}, "the format `5`"),
        (
            {"format": "jsonl", "compression": "zstd"},
            "the compression `zstd` of its jsonl files cannot be read",
        ),
        ({"format": "jsonl", "compression": ["gzip"]}, "cannot be read"),
    ],
)
def test_a_batch_that_cannot_be_read_is_an_error_that_names_the_line(encoding, why):
    with pytest.raises(
        BadInputError, match="Line 1 of the input, BATCH of stream 's', cannot be used"
    ) as caught:
        read(encoding)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [
        ({"format": "jsonl", "compression": "gzip"}, ("jsonl", "gzip")),
        ({"format": "JSONL", "compression": "none", "more": 1}, ("jsonl", None)),
        ({"format": "jsonl"}, ("jsonl", None)),
        ({"format": "parquet", "compression": "snappy"}, ("parquet", "snappy")),
        ({"format": "parquet"}, ("parquet", None)),
    ],
)
def test_what_can_be_read_is_said_in_one_way(encoding, read_as):
    assert read(encoding) == dict(zip(("format", "compression"), read_as, strict=True))
