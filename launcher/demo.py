"""`trellis demo`: a whole performance cycle of the imported company, over public HTTP, as its people would."""

import asyncio
import sys
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from launcher.addresses import running_services
from launcher.demo_cycle import loop, tables
from launcher.demo_cycle.client import Client, Refused
from launcher.demo_cycle.company import Company
from launcher.demo_cycle.journal import Journal
from launcher.demo_cycle.stage import Stage, hr, manager, progress_bars
from launcher.state import DEFAULT_FOLDER, Folder
from launcher.target import Target, folder_of
from shared.runtime.clock import now
from shared.schemas.identifiers import PersonId
from shared.schemas.people import PersonRecord

app = typer.Typer(add_completion=False)
JournalFile = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="Append a line for each acknowledged command.")
]
_ASKED_ABOUT: Final = 500


@app.command()
def demo(*, folder: Folder = DEFAULT_FOLDER, target: Target = None, journal: JournalFile = None) -> None:
    """Set goals, give feedback, review, reward and pay; run again, it goes through another cycle."""
    console = Console(highlight=False)
    difference = asyncio.run(_cycle(folder_of(folder, target), console, Journal(journal)))
    if difference:
        console.print(f"[red]Payroll differs by {difference} minor units; see `trellis reconcile`.")
        sys.exit(1)


async def _cycle(folder: Path, console: Console, journal: Journal) -> int:
    company = Company.imported(folder)
    client = Client(folder, running_services(folder), journal)
    began = now()
    try:
        with progress_bars(console) as bars:
            number = await _number(client, company)
            stage = Stage(client, company, _period(number), number, bars)
            await _known_everywhere(stage)
            played = await loop.play(stage)
        difference = await tables.show(console, stage, played)
        seconds = (now() - began).total_seconds()
        console.print(
            f"{client.commands} commands in {seconds:.1f} s; cycle no. {number} of {len(company.people)} people."
        )
        return difference
    finally:
        await client.close()
        journal.close()


async def _known_everywhere(stage: Stage) -> None:
    """Right after an import the services may not know everybody yet: a manager's question about a report tells."""
    pairs = [(m, p) for p in stage.company.people[:_ASKED_ABOUT] if (m := stage.company.manager_of(p)) is not None]
    for what, path, parameter in (
        ("people with a manager, known to goals", "/goals/v1/plans", "owner"),
        ("people with a manager, known to feedback", "/feedback/v1/feedback", "person"),
    ):
        await stage.each(what, pairs, lambda pair, p=path, n=parameter: _known(stage, pair[0], p, {n: pair[1].person}))


async def _known(stage: Stage, above: PersonRecord, path: str, about: dict[str, PersonId]) -> None:
    while True:
        try:
            await stage.client.get(manager(above), path, **{name: str(p) for name, p in about.items()})
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            await asyncio.sleep(0.1)
        else:
            return


async def _number(client: Client, company: Company) -> int:
    """Which cycle this is: one more than there were."""
    return 1 + len(await client.everything(hr(company.hr), "/reviews/v1/cycles"))


def _period(number: int) -> tuple[str, str]:
    """This year; each cycle begins a day later, so that its plans are others than the last one's."""
    year = now().year
    start = date(year, 1, 1) + timedelta(days=(number - 1) % 300)
    return start.isoformat(), date(year, 12, 31).isoformat()
