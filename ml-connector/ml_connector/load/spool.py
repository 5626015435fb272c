"""Batches on disk between the input and the warehouse: Parquet files and a manifest each."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow.parquet as pq

from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

ONLY_OURS = 0o700
"""Mode of the folder: these are somebody's books, not for the machine's other users."""
_FILE_OURS = 0o600
_CHUNK = 1 << 20
_ASIDE = ".unreadable"
_OF_RUN = re.compile(r"(\d{8}T\d{6}Z-[0-9a-f]{8})-\d+(?:\.|$)")


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
        target_schema: The warehouse's schema that it is for; None in a manifest of an earlier version.
        target_table: The table that it is for.
        columns: Property to column.
        document_key: Properties that name a line's document.
        sequence: The greatest sequence of its rows.
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
    target_schema: str | None = None
    target_table: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    document_key: list[str] = field(default_factory=list)
    sequence: int | None = None


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
            self.folder.mkdir(parents=True, exist_ok=True, mode=ONLY_OURS)
            _write_rows(path, table)
            if rejected.num_rows:
                with open(self.rejected_path(batch_id), "wb", opener=_ours) as file:
                    pq.write_table(rejected, file, compression="zstd")
            manifest = Manifest(
                **about,
                records=table.num_rows,
                rejected=rejected.num_rows,
                bytes=path.stat().st_size,
                sha256=digest_of(path),
            )
            self.keep(manifest)
        except OSError as error:
            self.drop(batch_id)  # a part of a batch is of no use to anybody
            raise LoadError(
                f"Cannot write a batch of '{about['stream']}' to the spool folder {self.folder}:"
                f" {error.strerror or error}. Free some space or point spool_dir at another disk.",
            ) from error
        return manifest

    def rewrite(self, manifest: Manifest, table: pa.Table) -> Manifest:
        """Write a batch's rows anew, and its manifest with them."""
        path = self.path(manifest.batch_id)
        _write_rows(path, table)
        measured = replace(
            manifest, records=table.num_rows, bytes=path.stat().st_size, sha256=digest_of(path)
        )
        self.keep(measured)
        return measured

    def keep(self, manifest: Manifest) -> None:
        """Write the manifest beside its files, whole or not at all."""
        text = msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(asdict(manifest)))
        write_atomically(self._manifest(manifest.batch_id), text)

    def batch_ids(self) -> list[str]:
        """Names of the batches that have a manifest here, the oldest first."""
        return [path.stem for path in sorted(self.folder.glob("*.json"))]

    def manifests(self) -> list[Manifest]:
        """Every batch that lies here with a manifest that can be read, the oldest first."""
        return [manifest for manifest, _ in self.readable() if manifest is not None]

    def readable(self) -> list[tuple[Manifest | None, str]]:
        """Every batch that lies here, the oldest first; without its manifest where that cannot be read.

        Returns:
            The manifest, or None; and the batch's name, or what is wrong.
        """
        found: list[tuple[Manifest | None, str]] = []
        for batch_id in self.batch_ids():
            try:
                found.append((self.manifest(batch_id), batch_id))
            except LoadError as error:  # noqa: PERF203 - one bad manifest is not to hide the others
                found.append((None, str(error)))
        return found

    def set_aside(self, batch_id: str) -> Path:
        """Rename a manifest that cannot be read, so that nothing stops at it again; gives its new name."""
        path = self._manifest(batch_id)
        return path.replace(path.with_name(f"{path.name}{_ASIDE}"))

    def aside(self) -> list[Path]:
        """Manifests that were set aside."""
        return sorted(self.folder.glob(f"*.json{_ASIDE}"))

    def manifest(self, batch_id: str) -> Manifest:
        """What is known of a batch.

        Raises:
            LoadError: If there is no such batch here, or its manifest is no manifest.
        """
        path = self._manifest(batch_id)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Manifest)
        except FileNotFoundError:
            raise LoadError(f"There is no batch {batch_id} in the spool folder {self.folder}.") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise LoadError(
                f"The manifest {path} cannot be read: {error}. The batch cannot be loaded; its state was not"
                f" let out, so the next run reads its records again. Remove {self.path(batch_id)} and the"
                " manifest.",
            ) from error

    def check(self, manifest: Manifest) -> None:
        """See that a batch's files are as they were written.

        Raises:
            LoadError: If they are not.
        """
        path = self.path(manifest.batch_id)
        try:
            same = digest_of(path) == manifest.sha256
        except OSError as error:
            raise LoadError(
                f"The file of batch {manifest.batch_id} cannot be read: {error.strerror}.",
            ) from error
        if not same:
            raise LoadError(
                f"{path} is not what was written: its digest is not the manifest's. It cannot be loaded;"
                f" read the stream '{manifest.stream}' again.",
            )

    def drop(self, batch_id: str) -> None:
        """Forget a batch that is in the warehouse."""
        for path in (self.path(batch_id), self.rejected_path(batch_id), self._manifest(batch_id)):
            path.unlink(missing_ok=True)

    def has_failed(self, stream: str) -> bool:
        """Whether a batch of a stream waits here to be replayed."""
        return any(manifest.error and manifest.stream == stream for manifest in self.manifests())

    def tidy(self, dead_runs: Iterable[str]) -> list[str]:
        """Remove what dead runs left behind, but for the batches that failed: those can be replayed.

        What was not loaded was not promised either, so the next run reads it again.

        Returns:
            The files that were removed.
        """
        dead = set(dead_runs)
        kept = {manifest.batch_id for manifest in self.manifests() if manifest.error}
        removed = []
        for path in sorted(self.folder.glob("*")):
            match = _OF_RUN.match(path.name)
            if match and match[1] in dead and path.name.partition(".")[0] not in kept:
                path.unlink(missing_ok=True)
                removed.append(path.name)
        return removed

    def _manifest(self, batch_id: str) -> Path:
        return self.folder / f"{batch_id}.json"


def _write_rows(path: Path, table: pa.Table) -> None:
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, _FILE_OURS))
    pq.write_table(
        table,
        path,  # pyarrow's own file is faster than one of Python's
        compression="zstd",
        use_dictionary=False,  # zstd finds what repeats as well, in half the time
        write_statistics=False,  # a file that is read whole needs none
    )


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole, or leave what was there."""
    arriving = path.with_name(f"{path.name}.arriving")
    with open(arriving, "wb", opener=_ours) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    arriving.replace(path)


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _ours(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_OURS)
