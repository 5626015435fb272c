"""Batches on disk between the input and the warehouse: a Parquet file and a manifest each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


@dataclass
class Manifest:
    """What is needed to load a spooled batch again.

    Attributes:
        batch_id: The batch's name in the ledger.
        run_id: The run that read it.
        stream: Its stream.
        load_method: How it is to be loaded.
        records: Rows in the file.
        bytes: Size of the file.
        sha256: Digest of the file.
        schema: JSON schema it was decoded with.
        key_properties: Key of the stream.
        error: Why it could not be loaded, once that is known.
    """

    batch_id: str
    run_id: str
    stream: str
    load_method: str
    records: int
    bytes: int
    sha256: str
    schema: dict[str, Any]
    key_properties: list[str]
    error: str | None = None


class Spool:
    """A folder of batches that are not in the warehouse yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, batch_id: str) -> Path:
        """Where the Parquet file of a batch lies."""
        return self.folder / f"{batch_id}.parquet"

    def write(self, table: pa.Table, **about: Any) -> Manifest:
        """Write a batch and its manifest.

        Args:
            table: The rows, with the columns' final names.
            about: The manifest's fields, but for those that are measured here.

        Raises:
            LoadError: If the folder cannot be written.
        """
        path = self.path(about["batch_id"])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path, compression="zstd", use_dictionary=True, coerce_timestamps="us")
            with path.open("rb") as file:
                digest = (
                    hashlib.file_digest(file, "sha256") if hasattr(hashlib, "file_digest") else _digest(file)
                )
            manifest = Manifest(
                **about,
                records=table.num_rows,
                bytes=path.stat().st_size,
                sha256=digest.hexdigest(),
            )
            self.keep(manifest)
        except OSError as error:
            raise LoadError(
                f"Cannot write a batch of '{about['stream']}' to the spool folder {self.folder}:"
                f" {error.strerror}. Free some space or point spool_dir at another disk.",
            ) from error
        return manifest

    def keep(self, manifest: Manifest) -> None:
        """Write the manifest beside its file."""
        text = json.dumps(asdict(manifest), indent=1, default=str)
        self.path(manifest.batch_id).with_suffix(".json").write_text(text)

    def drop(self, batch_id: str) -> None:
        """Forget a batch that is in the warehouse."""
        self.path(batch_id).unlink(missing_ok=True)
        self.path(batch_id).with_suffix(".json").unlink(missing_ok=True)


def _digest(file: Any) -> Any:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest
