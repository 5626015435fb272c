"""Batches on disk between the input and the warehouse: Parquet files and a manifest each."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
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
        facts: What else the ledger says of it: columns of BATCHES that only the reader knew.
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
    facts: dict[str, Any] = field(default_factory=dict)
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
            pq.write_table(
                table,
                path,
                compression="zstd",
                coerce_timestamps="us",
                use_dictionary=False,  # zstd finds what repeats as well, in half the time
                write_statistics=False,  # a file that is read whole needs none
            )
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

    def manifests(self) -> list[Manifest]:
        """Every batch that lies here, the oldest first.

        Raises:
            LoadError: If a manifest cannot be read.
        """
        return [self.manifest(path.stem) for path in sorted(self.folder.glob("*.json"))]

    def manifest(self, batch_id: str) -> Manifest:
        """What is known of a batch.

        Raises:
            LoadError: If there is no such batch here, or its manifest is no manifest.
        """
        try:
            text = self._manifest(batch_id).read_bytes()
            return msgspec.json.decode(text, type=Manifest)
        except FileNotFoundError:
            raise LoadError(f"There is no batch {batch_id} in the spool folder {self.folder}.") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise LoadError(
                f"The manifest of batch {batch_id} in {self.folder} cannot be read: {error}."
            ) from error

    def check(self, manifest: Manifest) -> None:
        """See that a batch's files are as they were written.

        Raises:
            LoadError: If they are not.
        """
        path = self.path(manifest.batch_id)
        try:
            same = _sha256(path) == manifest.sha256
        except OSError as error:
            raise LoadError(
                f"The file of batch {manifest.batch_id} cannot be read: {error.strerror}."
            ) from error
        if not same:
            raise LoadError(
                f"{path} is not what was written: its digest is not the manifest's. It cannot be loaded;"
                f" read the stream '{manifest.stream}' again."
            )

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
