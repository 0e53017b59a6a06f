"""`trellis timers`: reminders and deadlines, those that failed and why, and what puts them right."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from launcher.administration import Administration, AnyService, ServiceName
from launcher.processes import SERVICES
from launcher.state import DEFAULT_FOLDER, Folder

app = typer.Typer(no_args_is_help=True, add_completion=False)
Name = Annotated[str, typer.Argument(metavar="TIMER", help="As `trellis timers list` shows it.")]
Stream = Annotated[str, typer.Argument(metavar="STREAM", help="As `trellis timers list` shows it.")]


@app.callback()
def timers() -> None:
    """What is due happens by itself, once; here is what did not, and why."""


@app.command("list")
def list_(service: AnyService = None, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Say how many timers are set, late, failing and parked, and the cause of each that failed."""
    found = {name: Administration(folder, name).get("/timers") for name in ([service] if service else SERVICES)}
    table = Table("Service", "Set", "Late", "Failing", "Parked", box=None)
    for name, said in found.items():
        table.add_row(name, *(str(said[count]) for count in ("pending", "late", "failing", "parked")))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for name, said in found.items():
        for timer in said["items"]:
            state = "parked" if timer["parked_at"] else "is tried again"
            console.print(f"{name}: {timer['name']} {timer['stream']} {state} after {timer['attempts']} attempts, due")
            console.print(f"  {timer['due_at']}: {timer['cause'].strip().rpartition(chr(10))[2]}", markup=False)


@app.command()
def retry(service: ServiceName, name: Name, stream: Stream, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Let a timer that failed fire again at once, with all its attempts."""
    Administration(folder, service).post("/timers/retry", {"name": name, "stream": stream})
    Console(highlight=False).print(f"{service}: {name} of {stream} is due again")


@app.command()
def rebuild(service: ServiceName, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Forget a service's timers and set them again from its events; what has fired does not fire again."""
    Administration(folder, service).post("/timers/rebuild")
    Console(highlight=False).print(f"{service}: its timers are being set again")
