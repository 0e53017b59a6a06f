"""Proves the export complete: what its files hold, by topic, partition and day, against what the event store says."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from consumers.analytics.manifest import Manifest, ParquetFile, load
from consumers.analytics.rows import Table
from shared.schemas.proof import Digest

_COLUMNS: Final = ("topic", "partition", "log_id", "position", "offset", "id", "data", "data_bytes")
_ORDER: Final = [(name, "ascending") for name in ("topic", "partition", "position", "offset")]

Verified: TypeAlias = Mapping[str, Any]
"""What `trellis log verify --json` says: a verification for each service."""


class FileAltered(Exception):  # noqa: N818 - named for the fact
    """A file is gone, or is not what was written; the message names it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the files hold of one partition that was stored on one day; `checksum` as `shared/schemas/proof.py` says."""

    topic: str
    partition: int
    day: str
    events: int
    checksum: str


def prove(folder: Path, *, horizons: Mapping[str, int] | None = None) -> list[Line]:
    """Every topic, partition and day, from the files alone; of topics with a horizon, the events up to that position.

    Raises:
        NoManifest: nothing was exported there.
        FileAltered: the files are not those that were written.
    """
    lines: list[Line] = []
    for day, files in _by_day(load(folder)):
        whole = pa.concat_tables([_read(folder, file) for file in files]).sort_by(_ORDER)
        lines += _lines(day, whole, horizons or {})
    return sorted(lines, key=lambda line: (line.topic, line.partition, line.day))


def _by_day(manifest: Manifest) -> Iterator[tuple[str, list[ParquetFile]]]:
    days: defaultdict[tuple[str, str], list[ParquetFile]] = defaultdict(list)
    for file in manifest.files:
        parts = dict(part.split("=", 1) for part in file.drawer.split("/") if "=" in part)
        days[parts["service"], parts["day"]].append(file)
    for (_, day), files in days.items():
        yield day, files


def _read(folder: Path, file: ParquetFile) -> Table:
    # Arrow's own buffer: its threads would give Python's back to an interpreter that ends, and abort the process.
    try:
        content = pa.OSFile(str(folder / file.path)).read_buffer()
    except FileNotFoundError as error:
        raise FileAltered(f"{file.path} is gone") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise FileAltered(f"{file.path} is not the file that was written")
    return pq.read_table(pa.BufferReader(content), columns=list(_COLUMNS))


def _lines(day: str, whole: Table, horizons: Mapping[str, int]) -> Iterator[Line]:
    digests: defaultdict[tuple[str, int], Digest] = defaultdict(Digest)
    for topic, partition, log_id, position, _, identity, data, data_bytes in zip(
        *(whole[name].to_pylist() for name in _COLUMNS), strict=True
    ):
        if log_id is None or position <= horizons.get(topic, position):
            content = data_bytes if data is None else data.encode()
            digests[topic, partition].add(_identity(identity, chained=log_id is not None), content)
    for (topic, partition), digest in digests.items():
        yield Line(topic, partition, day, digest.events, digest.checksum)


def _identity(text: str | None, *, chained: bool) -> bytes:
    """The 16 bytes of an event's id; a feed's writer may have put anything there."""
    return UUID(text).bytes if chained else (text or "").encode()


def horizons_of(verified: Verified) -> dict[str, int]:
    """Up to which position of each topic the store was asked."""
    return {found["topic"]: found["horizon"] for found in verified.values()}


def differences(lines: Sequence[Line], verified: Verified) -> list[str]:
    """Where the files and the event stores differ, in words; none: the export is complete, and nothing is twice."""
    topics = {found["topic"] for found in verified.values()}
    here = {(line.topic, line.partition, line.day): (line.events, line.checksum) for line in lines}
    here = {place: figures for place, figures in here.items() if place[0] in topics}
    stored = {
        (found["topic"], partition["partition"], day): (digest["events"], digest["sha256"])
        for found in verified.values()
        for partition in found["partitions"]
        for day, digest in partition["days"].items()
    }
    return [_told(place, here.get(place), stored.get(place)) for place in _unequal(here, stored)]


_Place: TypeAlias = tuple[str, int, str]
_Figures: TypeAlias = tuple[int, str]


def _unequal(here: Mapping[_Place, _Figures], stored: Mapping[_Place, _Figures]) -> list[_Place]:
    return sorted(place for place in here.keys() | stored.keys() if here.get(place) != stored.get(place))


def _told(place: _Place, here: _Figures | None, stored: _Figures | None) -> str:
    topic, partition, day = place
    ours, theirs = (here or (0, ""))[0], (stored or (0, ""))[0]
    what = f"{ours} events, the store has {theirs}" if ours != theirs else f"other events, {ours} of them"
    return f"{topic} partition {partition} on {date.fromisoformat(day)}: {what}"
