"""`trellis projections`: the read models, how far they are, and building one anew beside the one that serves."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from launcher.administration import Administration, AnyService, ServiceName
from launcher.failure import LaunchFailed
from launcher.processes import SERVICES
from launcher.rebuild_progress import percent, watch_build
from launcher.state import DEFAULT_FOLDER, Folder

app = typer.Typer(no_args_is_help=True, add_completion=False)
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `trellis projections list` shows it.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not watch; `trellis projections watch` does.")]
_COLUMNS: Final = (
    "Service",
    "Projection",
    "Build",
    "Version",
    "State",
    "Reads",
    "Applied up to",
    "Lag",
    "Parked",
    "Stopped",
)
_IN_USE: Final = ("serving", "building", "kept")


@app.callback()
def projections() -> None:
    """Read models can be built anew from the events, beside the ones that serve."""


@app.command("list")
def list_(service: AnyService = None, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Say what serves, what is being built and what is kept, how far each is, and what stopped it."""
    table = Table(box=None)
    for column in _COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column == "Projection")
    for name in [service] if service else SERVICES:
        for item in Administration(folder, name).get("/projections")["items"]:
            for build in [build for build in item["builds"] if build["state"] in _IN_USE]:
                table.add_row(name, item["name"], *_columns(item, build))
    Console(highlight=False).print(table)


def _columns(item: Mapping[str, Any], build: Mapping[str, Any]) -> Iterable[str]:
    topics = sorted({checkpoint["topic"] for checkpoint in item["checkpoints"]})
    state = f"building {percent(build)} %" if build["state"] == "building" else build["state"]
    yield from (str(build["build"]), str(build["version"]), state, "\n".join(topics), str(build["position"]))
    yield "?" if build["lag"] is None else str(build["lag"])
    yield str(build["parked"])
    yield "\n".join([*build["stopped"], *filter(None, [build["trouble"]])])


@app.command()
def rebuild(
    service: ServiceName,
    name: Name,
    *,
    require_equal: Annotated[
        bool, typer.Option("--require-equal", help="Do not switch to a build that differs from what serves.")
    ] = False,
    detach: Detach = False,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Build a read model anew beside the one that serves, and switch when it has caught up."""
    administration = Administration(folder, service)
    _named(administration, name)
    begun = administration.post(f"/projections/{name}/rebuild", {"require_equal": require_equal})
    print(f"{service}: {name} is being built anew, as build {begun['build']}")
    if not detach:
        watch_build(administration, name, begun["build"])


@app.command()
def watch(service: ServiceName, name: Name, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Watch a rebuild or a roll-back that is running."""
    administration = Administration(folder, service)
    building = [build for build in _named(administration, name)["builds"] if build["state"] == "building"]
    if not building:
        raise LaunchFailed(f"No rebuild of {name} is running in {service}.")
    watch_build(administration, name, building[0]["build"])


@app.command()
def rollback(service: ServiceName, name: Name, *, detach: Detach = False, folder: Folder = DEFAULT_FOLDER) -> None:
    """Let the kept build catch up, and switch back to it."""
    administration = Administration(folder, service)
    _named(administration, name)
    begun = administration.post(f"/projections/{name}/rollback")
    print(f"{service}: {name} goes back to build {begun['build']}")
    if not detach:
        watch_build(administration, name, begun["build"])


@app.command()
def accept(service: ServiceName, name: Name, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Switch to a build although it differs from what serves."""
    administration = Administration(folder, service)
    _named(administration, name)
    accepted = administration.post(f"/projections/{name}/accept")
    watch_build(administration, name, accepted["build"])


@app.command()
def cancel(service: ServiceName, name: Name, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Stop a rebuild that is running and drop what it has built; a roll-back goes back to being kept."""
    administration = Administration(folder, service)
    _named(administration, name)
    cancelled = administration.post(f"/projections/{name}/cancel")
    print(f"{service}: build {cancelled['build']} of {name} is cancelled; what served goes on serving")


@app.command()
def drop(service: ServiceName, name: Name, *, folder: Folder = DEFAULT_FOLDER) -> None:
    """Drop the build that is kept for a roll-back."""
    administration = Administration(folder, service)
    _named(administration, name)
    dropped = administration.post(f"/projections/{name}/drop")
    print(f"{service}: build {dropped['build']} of {name} is dropped")


def _named(administration: Administration, name: str) -> Mapping[str, Any]:
    items = administration.get("/projections")["items"]
    found = next((item for item in items if item["name"] == name), None)
    if found is None:
        there = ", ".join(item["name"] for item in items)
        raise LaunchFailed(f"{administration.service} has no projection {name}; it has {there or 'none'}.")
    return found
