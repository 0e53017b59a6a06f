"""A rebuild as a bar on the terminal: how much is read, how fast, how long still; then how old and new compare."""

import time
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from launcher.administration import Administration
from launcher.failure import LaunchFailed

_LOOK_SECONDS: Final = 0.3
_DIFFERS: Final = "differs from what serves"


class _RateColumn(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} records/s")


def percent(build: Mapping[str, Any]) -> int:
    """How much of what is there a build has read; 100 only when it has read all."""
    return 100 if build["read"] >= build["total"] else build["read"] * 100 // build["total"]


def watch_build(administration: Administration, name: str, build: int) -> None:
    """Show a build until it serves. It does not need to be watched: whoever leaves can come back.

    Raises:
        LaunchFailed: it was cancelled, or waits for a decision because it differs.
    """
    console = Console(highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=console) as progress:
            ended = _followed(administration, name, build, progress)
    except KeyboardInterrupt:
        console.print(f"It goes on: `trellis projections watch {administration.service} {name}`.")
        raise
    _say_outcome(console, administration, name, ended)


def _followed(administration: Administration, name: str, build: int, progress: Progress) -> Mapping[str, Any]:
    task, began = progress.add_task(f"build {build}", total=None), time.monotonic()
    while True:
        now = _build(administration, name, build)
        if now["state"] != "building" or (now["trouble"] or "").startswith(_DIFFERS):
            total = progress.tasks[0].total
            progress.update(task, completed=total, description=f"build {build}: {time.monotonic() - began:.1f} s")
            return now
        doing = now["trouble"] or ("comparing and switching" if percent(now) == 100 else "reading")  # noqa: PLR2004 - per cent
        progress.update(task, completed=now["read"], total=now["total"], description=f"build {build}: {doing}")
        time.sleep(_LOOK_SECONDS)


def _build(administration: Administration, name: str, build: int) -> Mapping[str, Any]:
    builds = administration.get(f"/projections/{name}")["builds"]
    return next(known for known in builds if known["build"] == build)


def _say_outcome(console: Console, administration: Administration, name: str, build: Mapping[str, Any]) -> None:
    said = f"{administration.service}: build {build['build']} of {name}"
    if build["comparison"] is not None:
        _say_comparison(console, build["comparison"])
    command = f"`trellis projections {{}} {administration.service} {name}`"
    match build["state"]:
        case "serving":
            back, away = command.format("rollback"), command.format("drop")
            console.print(f"{said} serves. What served is kept: {back} goes back to it, {away} drops it.")
        case "building":
            accept, cancel = command.format("accept"), command.format("cancel")
            raise LaunchFailed(f"{said} differs, and waits: {accept} switches to it, {cancel} drops it.")
        case ended:
            raise LaunchFailed(f"{said} does not serve: it is {ended}.")


def _say_comparison(console: Console, comparison: Mapping[str, Any]) -> None:
    """Old and new at the same positions, table by table."""
    table = Table("Table", "Rows before", "Rows now", "Checksum before", "Checksum now", "", box=None)
    for compared in comparison["tables"]:
        rows, checksum = compared["rows"], compared["checksum"]
        verdict = "equal" if compared["equal"] else "DIFFERENT"
        counted = (f"{rows['old']:,}", f"{rows['new']:,}")
        table.add_row(compared["name"], *counted, checksum["old"], checksum["new"], verdict)
    console.print(table)
    for where in comparison["not_comparable"]:
        console.print(f"not comparable, since what served stood still: {where}")
