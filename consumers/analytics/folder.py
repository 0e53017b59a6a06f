"""The export's folder: Parquet files and the manifest that names them, changed by one process, a commit at a time."""

import fcntl
import hashlib
import os
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from aiokafka import TopicPartition

from consumers.analytics.manifest import Manifest, NoManifest, ParquetFile, load, replace, sync
from consumers.analytics.rows import Row, Table, drawer_of, table

EVENTS: Final = "events"
MERGED_BEYOND: Final = 16
"""Files of one drawer: what many small exports leave becomes one file."""

Void: TypeAlias = Mapping[TopicPartition, str]
"""Partitions whose rows are void but for those of this log; a feed's rows have none."""


class FolderBusy(Exception):  # noqa: N818 - named for the fact
    """Another export works in the folder."""


class Folder:
    """Rows go in by `commit`: files first, under names that nobody reads yet, then the manifest that names them."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    def commit(self, rows: Sequence[Row], void: Void) -> None:
        """Add the rows and take away what is void; the manifest's partitions are as far as the rows go."""
        number = self.manifest.commit + 1
        kept = [self._without(file, void, number) for file in self.manifest.files] if void else self.manifest.files
        files = [file for file in kept if file is not None] + self._written(rows, number)
        self.manifest.files = self._merged(files, number)
        self.manifest.commit = number
        replace(self.path, self.manifest)

    def _written(self, rows: Sequence[Row], number: int) -> list[ParquetFile]:
        drawers: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            drawers[drawer_of(row).path].append(row)
        return [self._write(table(own), f"{path}/{number:08}.parquet") for path, own in sorted(drawers.items())]

    def _merged(self, files: list[ParquetFile], number: int) -> list[ParquetFile]:
        """One file for each drawer that has too many."""
        drawers: defaultdict[str, list[ParquetFile]] = defaultdict(list)
        for file in files:
            drawers[file.drawer].append(file)
        merged: list[ParquetFile] = []
        for path, own in drawers.items():
            merged += own if len(own) <= MERGED_BEYOND else [self._merge(path, own, number)]
        return merged

    def _merge(self, drawer: str, files: Sequence[ParquetFile], number: int) -> ParquetFile:
        whole = pa.concat_tables([pq.ParquetFile(self.path / file.path).read() for file in files])
        path = drawer.removeprefix(f"{EVENTS}/")
        return self._write(whole, f"{path}/{number:08}-merged.parquet")

    def _without(self, file: ParquetFile, void: Void, number: int) -> ParquetFile | None:
        """The file without the rows of logs that were replaced; None: nothing is left of it."""
        whole = pq.ParquetFile(self.path / file.path).read()
        rows = zip(*(whole[name].to_pylist() for name in ("topic", "partition", "log_id")), strict=True)
        left = whole.filter(pa.array([void.get(TopicPartition(*row[:2]), row[2]) == row[2] for row in rows]))
        if left.num_rows == whole.num_rows:
            return file
        path = file.path.removeprefix(f"{EVENTS}/").removesuffix(".parquet")
        return self._write(left, f"{path}-{number:08}.parquet") if left.num_rows else None

    def _write(self, content: Table, name: str) -> ParquetFile:
        path = self.path / EVENTS / name
        for made in _make(path.parent):
            sync(made.parent)
        pq.write_table(content, path, compression="zstd")
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        sync(path.parent)
        return ParquetFile(path=f"{EVENTS}/{name}", rows=content.num_rows, sha256=digest)

    def clean(self) -> int:
        """Remove every file that the manifest does not name: of a commit that was killed, or since merged."""
        named = {self.path / file.path for file in self.manifest.files}
        orphans = [file for file in (self.path / EVENTS).rglob("*.parquet") if file not in named]
        for orphan in orphans:
            orphan.unlink()
        return len(orphans)


def _make(folder: Path) -> list[Path]:
    """The folder and those above it, made where they are missing; which were made."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


@contextmanager
def opened(path: Path, *, anew: bool = False) -> Generator[Folder]:
    """The folder for this process alone; `anew`: as if nothing had been exported.

    Raises:
        FolderBusy: another process has it.
        NoManifest: its manifest cannot be read.
    """
    _make(path)
    with (path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderBusy(f"another export works in {path}") from error
        folder = Folder(path, _manifest(path, anew=anew))
        folder.clean()
        yield folder


def _manifest(path: Path, *, anew: bool) -> Manifest:
    try:
        known = load(path)
    except NoManifest as error:
        if isinstance(error.__cause__, FileNotFoundError) or anew:
            return Manifest()
        raise
    if not anew:
        return known
    begun = Manifest(commit=known.commit)
    replace(path, begun)
    return begun
