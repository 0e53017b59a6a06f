"""The last accepted import, kept in the state folder: who has which id, and what an empty feed is filled with."""

import fcntl
import json
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from launcher.failure import LaunchFailed, writing_into
from launcher.people_import.feed import Advance, PeopleFeed
from launcher.people_import.roster import Record, Roster
from shared.schemas.event import encode
from shared.schemas.identifiers import PersonId
from shared.schemas.people import COMPENSATION_TYPES, TYPES, CompensationRecord, PersonRecord

AnyRecord = TypeVar("AnyRecord", PersonRecord, CompensationRecord)
_TYPES: Final = TYPES | COMPENSATION_TYPES
_RECORDS: Final = "records.jsonl"
_PENDING: Final = "publication-pending"
"""There while records are being published, so that a publication that stopped half-way is completed."""


def people_folder(folder: Path) -> Path:
    """Where people are kept in a state folder."""
    return folder / "people"


def make_people_folder(folder: Path) -> Path:
    """The same, made if it is not there; the owner alone may look into it."""
    with writing_into(folder):
        people_folder(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    return people_folder(folder)


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Two imports at once would give the same employee two ids."""
    with (make_people_folder(folder) / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchFailed("Another import is running; wait until it has ended, then try again.") from None
        yield


def keep(folder: Path, roster: Roster) -> None:
    """Write every record, whole or not at all; the owner alone may read it: it holds names and pay.

    From here on the records count as not published yet.
    """
    place = make_people_folder(folder)
    _pending(folder).touch()
    draft = place / f"{_RECORDS}.draft"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        for record in (*roster.people.values(), *roster.compensation.values()):
            file.write(f'{{"type":"{record.event_type}","data":{encode(record)}}}\n')
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place / _RECORDS)


def kept(folder: Path) -> Roster:
    """What was kept; nothing, if nothing was imported yet.

    Raises:
        LaunchFailed: the file is broken.
    """
    roster = Roster()
    file = people_folder(folder) / _RECORDS
    with suppress(FileNotFoundError), file.open(encoding="utf-8") as lines:
        for record in _decoded(lines, file):
            roster.take(record)
    return roster


def _pending(folder: Path) -> Path:
    return people_folder(folder) / _PENDING


def _decoded(lines: Iterable[str], file: Path) -> Iterable[Record]:
    for line in lines:
        try:
            entry = json.loads(line)
            record = _TYPES.decode(entry["type"], json.dumps(entry["data"]))
        except (ValueError, KeyError, TypeError) as error:
            raise LaunchFailed(f"{file} is broken: {error}. Import the people again.") from error
        if isinstance(record, PersonRecord | CompensationRecord):
            yield record


async def keep_and_publish(
    feed: PeopleFeed, folder: Path, roster: Roster, records: Sequence[Record], advance: Advance = lambda _: None
) -> None:
    """Keep the roster as it will be, then publish what brings the feed there.

    Stopped half-way, it is completed by the next import or the next `trellis up`.
    """
    keep(folder, roster)
    await feed.publish(records, advance)
    _pending(folder).unlink()


async def republish_if_empty(feed: PeopleFeed, folder: Path) -> int:
    """Publish the last accepted import again where a broker forgot it, and say how many records that were.

    A feed that holds anything is left alone, unless an earlier publication stopped half-way.
    """
    if not (people_folder(folder) / _RECORDS).exists():
        return 0
    if not _pending(folder).exists() and await feed.written():
        return 0
    return await restore(feed, folder, await feed.read())


async def restore(feed: PeopleFeed, folder: Path, found: Roster) -> int:
    """The same for a feed that was read already; `found` is brought to what the feed holds then."""
    everything = _pending(folder).exists()
    if not everything and found.people and found.compensation:
        return 0
    remembered = kept(folder)
    missing: list[Record] = []
    if everything or not found.people:
        missing += _newer(remembered.people, found.people)
    if everything or not found.compensation:
        missing += _newer(remembered.compensation, found.compensation)
    if missing:
        await keep_and_publish(feed, folder, remembered, missing)
        for record in missing:
            found.take(record)
    _pending(folder).unlink(missing_ok=True)
    return len(missing)


def _newer(remembered: Mapping[PersonId, AnyRecord], found: Mapping[PersonId, AnyRecord]) -> list[AnyRecord]:
    return [r for p, r in remembered.items() if p not in found or r.revision > found[p].revision]


def person_id(folder: Path, employee_number: str) -> PersonId | None:
    """The id of an employee of the last accepted import."""
    return kept(folder).numbers().get(employee_number)
