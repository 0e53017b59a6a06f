"""`trellis log`: each service's log of events, and a new one after a restore from a backup."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from launcher.addresses import addresses
from launcher.administration import Administration, AnyService, ServiceName
from launcher.failure import LaunchFailed
from launcher.processes import SERVICES
from launcher.state import DEFAULT_FOLDER, Folder
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.verification import Progress as Verified
from shared.runtime.log_commands import CANNOT, LogAddress, as_json, in_words

app = typer.Typer(no_args_is_help=True, add_completion=False)
Reason = Annotated[
    str, typer.Option("--reason", help="Kept with the fork, for whoever asks later.", show_default=False)
]
Reaction = Annotated[str, typer.Argument(metavar="REACTION", help="As the message of `trellis log fork` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, with whole checksums.")]
Topic = Annotated[str | None, typer.Option("--topic", help="Another topic than SERVICE.events: a copy of it.")]
Result = TypeVar("Result")


@app.callback()
def log() -> None:
    """A service's log is its event store as Kafka knows it."""


@app.command()
def status(service: AnyService = None, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Say how much is stored, how much of it is published, and what keeps the rest."""
    table = Table("Service", "Log", "State", "Stored", "Published", "Led", "Error", box=None)
    for name in [service] if service else SERVICES:
        found = Administration(folder, name).get("/log")
        numbers = (str(found["stored"]), str(found["published"]))
        led = "yes" if found["led"] else "by nobody"
        table.add_row(name, found["log_id"], found["state"], *numbers, led, found["error"] or "")
    Console(highlight=False).print(table)


@app.command()
def fork(service: ServiceName, *, reason: Reason, folder: Folder = DEFAULT_FOLDER) -> None:
    """Publish everything again as a new log, when Kafka holds what the store does not: after a restore.

    Readers of the old log stop at the new one until they are told, so that nobody mixes the two unknowingly.
    """
    administration, console = Administration(folder, service), Console(highlight=False, soft_wrap=True)
    log_id = administration.post("/log/fork", {"reason": reason})["log_id"]
    console.print(f"{service} publishes from its first event again, as log {log_id}.")
    console.print("Its readers stop there. When you know what the old log held more:")
    for item in administration.get("/projections")["items"]:
        console.print(f"  trellis projections rebuild {service} {item['name']}")
    for item in administration.get("/reactions")["items"]:
        console.print(f"  trellis log follow {service} {item['name']}")
    if administration.get("/timers")["kept"]:
        console.print(f"  trellis timers rebuild {service}")
    console.print("The other services' readers of this topic, too; `trellis status` names those that stopped.")


@app.command()
def follow(service: ServiceName, reaction: Reaction, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Tell a reaction to follow the log that it stopped at; what it did before it does not do again."""
    Administration(folder, service).post(f"/reactions/{reaction}/follow")
    Console(highlight=False).print(f"{service}: {reaction} follows the new log")


@app.command()
def verify(
    service: AnyService = None, *, topic: Topic = None, json_: AsJson = False, folder: Folder = DEFAULT_FOLDER
) -> None:
    """Compare the event store with Kafka, record by record. Ends with 1 and the first difference if there is one.

    Events may be written meanwhile: what was stored when it began is what is compared. It ends with 1, too, where the
    relay does not publish that within ten seconds.
    """
    if topic is not None and service is None:
        raise typer.BadParameter("--topic needs a SERVICE: which log is it a copy of?")
    names = [service] if service else SERVICES
    found = {name: _done(_log_of(folder, name, topic), LogAddress.verify) for name in names}
    if json_:
        print(json.dumps({name: as_json(verification) for name, verification in found.items()}, indent=2))
    else:
        print("\n".join(line for verification in found.values() for line in in_words(verification)))
    raise typer.Exit(0 if all(verification.complete for verification in found.values()) else 1)


@app.command()
def refill(service: ServiceName, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Have what is missing in an emptied topic published again. A full topic is refused, and one that was altered."""
    print(_done(_log_of(folder, service, None), LogAddress.refill))


def _log_of(folder: Path, service: str, topic: str | None) -> LogAddress:
    known = addresses(folder)
    kafka = Kafka(bootstrap=known.broker.bootstrap)
    return LogAddress(service, database_url=known.postgres.url(service), kafka=kafka, topic=topic)


def _done(log: LogAddress, work: Callable[[LogAddress, Verified], Coroutine[Any, Any, Result]]) -> Result:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what is wrong is said once, below
    try:
        with _bar(log.topic) as progress:
            return asyncio.run(work(log, progress))
    except CANNOT as error:
        raise LaunchFailed(f"{log.service}: {error}") from error


@contextmanager
def _bar(topic: str) -> Generator[Verified]:
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bars:
        bar = bars.add_task(topic, total=None)
        yield lambda position, horizon: bars.update(bar, completed=position, total=horizon)
