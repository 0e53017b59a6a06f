"""`trellis dead-letters`: what could not be applied and why, replaying it once the code is mended, or giving it up."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from launcher.administration import Administration, AnyService, ServiceName
from launcher.processes import SERVICES
from launcher.state import DEFAULT_FOLDER, Folder

app = typer.Typer(no_args_is_help=True, add_completion=False)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Identity = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `trellis dead-letters list` shows it.")]
StreamOrId = Annotated[str, typer.Argument(metavar="STREAM|ID", help="A parked stream, or the id of a dead letter.")]
Reader = Annotated[str | None, typer.Option("--reader", help="Only this one of the stream's readers.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it is given up; kept.", show_default=False)]
Item = Mapping[str, Any]
_PAGE: Final = 200


@app.callback()
def dead_letters() -> None:
    """An event that cannot be applied is parked, and its stream behind it; other streams go on."""


@app.command("list")
def list_(service: AnyService = None, *, as_json: AsJson = False, folder: Folder = DEFAULT_FOLDER) -> None:
    """Say what is parked: one line a stream, with the event that holds it up."""
    found = _everywhere(service, lambda name: _pages(Administration(folder, name), "/dead-letters"))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    if not found:
        _say("Nothing is parked.")
        return
    table = Table("Service", "Id", "Reader", "Stream", "Event", "State", "Parked", "Attempts", "Since", "Why", box=None)
    for item in found:
        numbers = (str(item["parked"]), str(item["attempts"]))
        what = (item["stream"] or "", _short(item["event_type"]), item["standing"])
        table.add_row(
            item["service"], str(item["id"]), item["reader"], *what, *numbers, item["since"][:19], Text(_why(item))
        )
    Console(highlight=False).print(table)


@app.command()
def show(service: ServiceName, identity: Identity, *, as_json: AsJson = False, folder: Folder = DEFAULT_FOLDER) -> None:
    """Show one record whole: its cause, its headers, its payload as stored, and what is parked with it."""
    found: Item = Administration(folder, service).get(f"/dead-letters/{identity}")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for name in ("id", "reader", "kind", "stream", "event_type", "standing", "waiting_for", "attempts", "since"):
        console.print(f"{name.replace('_', ' '):12} {found[name]}")
    console.print(f"{'where':12} {found['topic']}/{found['partition']} at offset {found['offset']}")
    console.print(f"{'why':12} {_why(found)}")
    console.print(f"\n{found['traceback']}" if found["traceback"] else "")
    for header in found["headers"]:
        console.print(f"{header['name']}: {header['value']}")
    console.print(f"\n{found['payload']}\n")
    _show_stream(found["records"])


def _show_stream(records: Iterable[Item]) -> None:
    table = Table("Id", "Offset", "Event", "State", box=None)
    for record in records:
        table.add_row(str(record["id"]), str(record["offset"]), _short(record["event_type"]), record["standing"])
    Console(highlight=False).print(table)


@app.command()
def retry(service: ServiceName, what: StreamOrId, *, reader: Reader = None, folder: Folder = DEFAULT_FOLDER) -> None:
    """Replay a parked stream in order, all of it or nothing."""
    administration = Administration(folder, service)
    if what.isascii() and what.isdigit():
        done = administration.post(f"/dead-letters/{what}/retry")
    else:
        done = administration.post("/dead-letters/retry", {"stream": what, "reader": reader})
    for item in done["items"]:
        _say(f"{service}: {item['reader']} applied {item['applied']} parked records of {item['stream'] or what}")


@app.command()
def discard(service: ServiceName, identity: Identity, *, reason: Reason, folder: Folder = DEFAULT_FOLDER) -> None:
    """Give one record up for good; what stands behind it goes on with `retry`."""
    done = Administration(folder, service).post(f"/dead-letters/{identity}/discard", {"reason": reason})
    _say(f"{service}: dead letter {done['id']} of {done['reader']} is given up. {done['note']}")
    if done["left"]:
        _say(f"{done['left']} more of its stream are parked: trellis dead-letters retry {service} {done['stream']}")


@app.command()
def acts(service: AnyService = None, *, as_json: AsJson = False, folder: Folder = DEFAULT_FOLDER) -> None:
    """Say what was retried and discarded, when, by whom, why, and what it led to; the latest first."""
    found = _everywhere(service, lambda name: _pages(Administration(folder, name), "/dead-letters/acts"))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table("Service", "At", "Act", "Id", "Reader", "Stream", "By", "Reason", "Outcome", box=None)
    for item in found:
        where = (str(item["dead_letter"]), item["reader"], item["stream"] or "", item["actor"])
        said = (Text(item["reason"] or ""), Text(item["outcome"]))
        table.add_row(item["service"], item["at"][:19], item["act"], *where, *said)
    Console(highlight=False).print(table)


def _everywhere(service: str | None, ask: Callable[[str], Iterable[Item]]) -> list[Item]:
    return [{"service": name, **item} for name in ([service] if service else SERVICES) for item in ask(name)]


def _pages(administration: Administration, path: str) -> list[Item]:
    items, asked = list[Item](), {"limit": str(_PAGE)}
    while True:
        page = administration.get(f"{path}?{urlencode(asked)}")
        items += page["items"]
        if page["next"] is None:
            return items
        asked["cursor"] = page["next"]


def _short(event_type: str | None) -> str:
    """`GoalSet.v1` of `trellis.goals.GoalSet.v1`."""
    return ".".join((event_type or "").split(".")[-2:])


def _why(item: Item) -> str:
    error = item["error"]
    return f"{error.rpartition('.')[2]}: {item['message']}" if error else item["message"]


def _say(line: str) -> None:
    Console(highlight=False, soft_wrap=True, markup=False).print(line)
