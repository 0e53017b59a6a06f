"""`trellis down`: stops what `trellis up` started, and removes its data if told to."""

import shutil
from typing import Annotated

import typer

from launcher import postgres
from launcher.failure import writing_into
from launcher.processes import NAMES, recorded_workers
from launcher.progress import Progress
from launcher.servers import BROKER, POSTGRES
from launcher.state import DEFAULT_FOLDER, Folder, State
from launcher.supervisor import Supervisor

app = typer.Typer(add_completion=False)
Erase = Annotated[bool, typer.Option("--erase", help="Delete all data of the folder too: events, keys, logs.")]


@app.command()
def down(folder: Folder = DEFAULT_FOLDER, *, erase: Erase = False) -> None:
    """Stop everything; the data stay."""
    state, progress = State(folder), Progress()
    if not state.exists:
        progress.say(f"Nothing was ever started in {state.folder}.")
        return
    with state.lock():
        _stop_everything(state, progress)
        if erase:
            with writing_into(state.folder):
                shutil.rmtree(state.folder)
            progress.say(f"{state.folder} is deleted.")


def _stop_everything(state: State, progress: Progress) -> None:
    """The services first, while what they depend on still answers."""
    supervisor = Supervisor(state, progress.say)
    running = [recorded.name for recorded in state.recorded() if recorded.process.alive()]
    with progress.waiting_for("the processes to end"):
        supervisor.stop({*NAMES, *recorded_workers(state)})
        supervisor.stop_unrecorded()
        supervisor.stop([BROKER])
        server = postgres.running(state.folder / "postgres")
        if server is not None:
            server.stop()
        state.forget(POSTGRES)
    progress.say(f"stopped: {', '.join(running)}" if running else "nothing was running")
