"""`trellis log`: each service's log of events, and a new one after a restore from a backup."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from launcher.administration import Administration, AnyService, ServiceName
from launcher.processes import SERVICES
from launcher.state import DEFAULT_FOLDER, Folder

app = typer.Typer(no_args_is_help=True, add_completion=False)
Reason = Annotated[
    str, typer.Option("--reason", help="Kept with the fork, for whoever asks later.", show_default=False)
]
Reaction = Annotated[str, typer.Argument(metavar="REACTION", help="As the message of `trellis log fork` shows it.")]


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
    console.print("The other services' readers of this topic, too; `trellis status` names those that stopped.")


@app.command()
def follow(service: ServiceName, reaction: Reaction, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Tell a reaction to follow the log that it stopped at; what it did before it does not do again."""
    Administration(folder, service).post(f"/reactions/{reaction}/follow")
    Console(highlight=False).print(f"{service}: {reaction} follows the new log")
