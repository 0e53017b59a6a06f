"""`trellis projections`: the read models, how far they are, and building one anew."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, TypeAlias

import typer
from rich.console import Console
from rich.table import Table

from launcher.administration import Administration, AnyService, ServiceName
from launcher.failure import LaunchFailed
from launcher.processes import SERVICES
from launcher.state import DEFAULT_FOLDER, Folder

app = typer.Typer(no_args_is_help=True, add_completion=False)
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `trellis projections list` shows it.")]
Within = Annotated[float, typer.Option("--within", min=0, help="Seconds to wait until it has caught up; 0: do not.")]
Progress: TypeAlias = Mapping[tuple[str, int], int]
"""The position applied last, by topic and partition."""
_LOOK_SECONDS: Final = 0.2


@app.callback()
def projections() -> None:
    """Read models can be thrown away: list them, rebuild one from the events."""


@app.command("list")
def list_(service: AnyService = None, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Say how far the read models are, what stopped them, and what they have parked."""
    table = Table("Service", "Projection", "Reads", "Applied up to", "Parked", "Stopped", box=None)
    for name in [service] if service else SERVICES:
        for item in Administration(folder, name).get("/projections")["items"]:
            table.add_row(name, item["name"], *_columns(item["checkpoints"]), str(item["parked"]), _stopped(item))
    Console(highlight=False).print(table)


def _columns(checkpoints: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    reached: dict[str, int] = {}
    for checkpoint in checkpoints:
        reached[checkpoint["topic"]] = max(checkpoint["position"], reached.get(checkpoint["topic"], 0))
    return "\n".join(reached), "\n".join(str(position) for position in reached.values())


def _stopped(projection: Mapping[str, Any]) -> str:
    stopped = [c for c in projection["checkpoints"] if c["stopped"]]
    return "\n".join(f"{c['topic']}/{c['partition']}: {c['stopped']}" for c in stopped)


@app.command()
def rebuild(service: ServiceName, name: Name, *, within: Within = 60, folder: Folder = DEFAULT_FOLDER) -> None:
    """Empty a read model and build it again from the events; returns when it is as far as it was before."""
    administration, console = Administration(folder, service), Console(highlight=False)
    before = _progress(administration, name)
    administration.post(f"/projections/{name}/rebuild")
    console.print(f"{service}: {name} is being rebuilt")
    if within:
        began = time.monotonic()
        with console.status("reading the events from the beginning"):
            _wait(lambda: _progress(administration, name), before, within=within)
        console.print(f"{service}: {name} is as far as before, after {time.monotonic() - began:.1f} s")


def _progress(administration: Administration, name: str) -> Progress:
    items = administration.get("/projections")["items"]
    found = next((item for item in items if item["name"] == name), None)
    if found is None:
        there = ", ".join(item["name"] for item in items)
        raise LaunchFailed(f"{administration.service} has no projection {name}; it has {there or 'none'}.")
    return {(c["topic"], c["partition"]): c["position"] for c in found["checkpoints"]}


def _wait(look: Callable[[], Progress], before: Progress, *, within: float) -> None:
    end = time.monotonic() + within
    while True:
        now = look()
        behind = [place for place, position in before.items() if now.get(place, 0) < position]
        if not behind:
            return
        if time.monotonic() > end:
            raise LaunchFailed(
                f"After {within:g} s {len(behind)} partitions are not as far as before. It goes on by itself: "
                "`trellis projections list` shows how far it is, `trellis status` whether the worker runs."
            )
        time.sleep(_LOOK_SECONDS)
