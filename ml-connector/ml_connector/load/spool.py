"""Batches on disk between the input and the warehouse: Parquet files and a manifest each."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow.parquet as pq

from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

_ONLY_OURS = 0o700
_CHUNK = 1 << 20


@dataclass
class Manifest:
    """What is needed to load a spooled batch again.

    Attributes:
        batch_id: The batch's name in the ledger; its files are named for it.
        run_id: The run that read it.
        stream: Its stream.
        load_method: How it is to be loaded.
        records: Rows in ``<batch_id>.parquet``.
        rejected: Dead letters in ``<batch_id>.rejected.parquet``; there is no such file for none.
        bytes: Size of the batch's file.
        sha256: Digest of the batch's file.
        schema: JSON schema it was decoded with.
        key_properties: Key of the stream.
        error: Why it could not be loaded, once that is known.
    """

    batch_id: str
    run_id: str
    stream: str
    load_method: str
    records: int
    rejected: int
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
        """Where the rows of a batch lie."""
        return self.folder / f"{batch_id}.parquet"

    def rejected_path(self, batch_id: str) -> Path:
        """Where the dead letters of a batch lie."""
        return self.folder / f"{batch_id}.rejected.parquet"

    def write(self, table: pa.Table, rejected: pa.Table, **about: Any) -> Manifest:
        """Write a batch, its dead letters and its manifest.

        Args:
            table: The rows, with the columns' final names.
            rejected: The dead letters, with the columns of their audit table.
            about: The manifest's fields, but for those that are measured here.

        Raises:
            LoadError: If the folder cannot be written.
        """
        batch_id: str = about["batch_id"]
        path = self.path(batch_id)
        try:
            # these are somebody's books: not for the machine's other users
            self.folder.mkdir(parents=True, exist_ok=True, mode=_ONLY_OURS)
            pq.write_table(table, path, compression="zstd", coerce_timestamps="us")
            if rejected.num_rows:
                pq.write_table(rejected, self.rejected_path(batch_id), compression="zstd")
            manifest = Manifest(
                **about,
                records=table.num_rows,
                rejected=rejected.num_rows,
                bytes=path.stat().st_size,
                sha256=_sha256(path),
            )
            self.keep(manifest)
        except OSError as error:
            raise LoadError(
                f"Cannot write a batch of '{about['stream']}' to the spool folder {self.folder}:"
                f" {error.strerror or error}. Free some space or point spool_dir at another disk.",
            ) from error
        return manifest

    def keep(self, manifest: Manifest) -> None:
        """Write the manifest beside its files."""
        text = msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(asdict(manifest)))
        self._manifest(manifest.batch_id).write_bytes(text)

    def drop(self, batch_id: str) -> None:
        """Forget a batch that is in the warehouse."""
        for path in (self.path(batch_id), self.rejected_path(batch_id), self._manifest(batch_id)):
            path.unlink(missing_ok=True)

    def _manifest(self, batch_id: str) -> Path:
        return self.folder / f"{batch_id}.json"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
