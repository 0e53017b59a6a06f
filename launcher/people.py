"""`trellis people`: people from an HR export to the people feed, and made-up ones to try it with."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from launcher.addresses import running_broker_of
from launcher.failure import LaunchFailed
from launcher.people_generation import export
from launcher.people_generation.months import company_later
from launcher.people_import import last_import, mapping, report
from launcher.people_import.feed import PeopleFeed
from launcher.people_import.importing import Imported, Progress, compare, import_people
from launcher.people_import.reading import read
from launcher.people_import.roster import Roster
from launcher.state import DEFAULT_FOLDER, Folder
from launcher.target import Target, folder_of
from shared.eventsourcing.kafka import Kafka
from shared.runtime.clock import now

app = typer.Typer(no_args_is_help=True, add_completion=False)
File = Annotated[Path, typer.Argument(metavar="FILE", help="The export: CSV with a header.", show_default=False)]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="MAP.toml", help="What the columns mean; unset: FILE's name with .toml, if any."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and report only; nothing is published.")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Write every problem to this .csv or .json file.")]


@app.callback()
def people() -> None:
    """People come from the HR system: import its export, or make one up."""


@app.command("import")
def import_(
    file: File,
    *,
    mapping_file: MappingFile = None,
    dry_run: DryRun = False,
    report_file: ReportFile = None,
    target: Target = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Publish who is new or different in FILE; refused rows are reported, the others go through.

    Whom FILE does not mention stays as they are. Ends with 1 if any row was refused. See docs/importing-people.md.
    """
    console, folder = Console(highlight=False, soft_wrap=True), folder_of(folder, target)
    found = mapping_file or mapping.beside(file)
    meaning = mapping.load(found) if found else mapping.Mapping()
    console.print(f"Mapping: {escape(str(found)) if found else 'none; columns are named as the facts are'}")
    sheet = read(file, meaning)
    with _bar(console) as progress:
        today = now().astimezone().date()
        if dry_run:
            roster = asyncio.run(_known(folder))
            imported = compare(sheet, meaning, roster, today=today, progress=progress)
        else:
            imported = asyncio.run(
                import_people(sheet, meaning, feed=people_feed(folder), folder=folder, today=today, progress=progress)
            )
    _tell(imported, console, dry_run=dry_run)
    if report_file is not None:
        report.write(report_file, imported.checked, imported.changes)
        console.print(f"Report: {escape(str(report_file))}")
    raise typer.Exit(1 if imported.checked.refused else 0)


@app.command()
def generate(
    *,
    size: Annotated[int, typer.Option(min=1, max=1_000_000, help="People employed.", show_default=False)],
    seed: Annotated[int, typer.Option(help="The same one gives the same people.")] = 1,
    months: Annotated[int, typer.Option(min=0, max=120, help="The same company so many months later.")] = 0,
    file: Annotated[Path, typer.Option("--out", metavar="FILE.csv", help="Where to.")] = Path("people.csv"),
) -> None:
    """Make up a company of any size, as an export that `trellis people import` takes, with its mapping beside it.

    A tree of managers, leavers of the year before, several countries and currencies, pay ranges. With --months people
    left and were succeeded, joined, moved and were paid more since: import both files to see them change.
    """
    employees = company_later(size, seed, months=months)
    mapping_file = export.write(file, employees)
    here = sum(employee.left_on is None for employee in employees)
    print(f"{here} people employed, {len(employees) - here} who left: {file}, with the mapping {mapping_file}")
    print(f"Publish them: trellis people import {file}")


def people_feed(folder: Path) -> PeopleFeed:
    """The feed on the broker that runs in the state folder."""
    broker = running_broker_of(folder)
    return PeopleFeed(Kafka(bootstrap=broker.bootstrap, idempotence=broker.idempotent_producer))


async def _known(folder: Path) -> Roster:
    """What is in the feed, or was when it last ran."""
    try:
        feed = people_feed(folder)
    except LaunchFailed:
        return last_import.kept(folder)
    return await feed.read()


class _Bar:
    """One bar after the other."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("starting", total=None)

    def begin(self, what: str, total: int | None) -> None:
        self._bars.reset(self._task, description=what, total=total)

    def advance(self, by: int) -> None:
        self._bars.advance(self._task, by)


@contextmanager
def _bar(console: Console) -> Generator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield _Bar(bars)


def _tell(imported: Imported, console: Console, *, dry_run: bool) -> None:
    if imported.checked.problems:
        console.print(report.problem_table(imported.checked))
    counts = report.summary(imported.checked, imported.changes)
    rows = counts.pop("rows")
    console.print(f"{rows} rows: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    if imported.not_mentioned:
        console.print(f"{imported.not_mentioned} known people are not in the file and stay as they are")
    if dry_run:
        console.print("dry run: nothing was published")
    elif imported.changes.records:
        console.print(f"{len(imported.changes.records)} records published")
