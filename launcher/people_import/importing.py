"""One import from the file to the feed: what is published is what changed, and nothing twice."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from launcher.people_import import last_import
from launcher.people_import.changes import Changes, changes
from launcher.people_import.checking import Checked, check
from launcher.people_import.feed import PeopleFeed
from launcher.people_import.mapping import Mapping
from launcher.people_import.reading import Sheet
from launcher.people_import.roster import Roster
from shared.eventsourcing.identifiers import uuid7


class Progress(Protocol):
    """Told what is being done, out of how many, and how far it is."""

    def begin(self, what: str, total: int | None) -> None: ...
    def advance(self, by: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows, and how many known people the export does not mention: they stay as they are."""

    checked: Checked
    changes: Changes
    not_mentioned: int


async def import_people(
    sheet: Sheet, mapping: Mapping, *, feed: PeopleFeed, folder: Path, today: date, progress: Progress
) -> Imported:
    """Publish what is new or different in the export and keep all of it in the state folder.

    Raises:
        LaunchFailed: the feed cannot be read or written.
    """
    with last_import.alone(folder):
        progress.begin("reading the people feed", None)
        roster = await feed.read()
        await last_import.restore(feed, folder, roster)
        imported = compare(sheet, mapping, roster, today=today, progress=progress)
        progress.begin("publishing", len(imported.changes.records))
        for record in imported.changes.records:
            roster.take(record)
        await last_import.keep_and_publish(feed, folder, roster, imported.changes.records, progress.advance)
    return imported


def compare(sheet: Sheet, mapping: Mapping, roster: Roster, *, today: date, progress: Progress) -> Imported:
    """What an import would do, without doing it."""
    progress.begin("checking", len(sheet.lines) - sheet.header.number)
    checked = check(sheet, mapping, roster, today=today, advance=progress.advance)
    found = changes(checked.employees, roster, mint=uuid7)
    return Imported(checked, found, len(roster.numbers().keys() - checked.mentioned))
