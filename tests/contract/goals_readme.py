"""The tables in the README of the goals service that are written from its code."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from services.goals.app import SERVICE
from shared.eventsourcing.decider import Command
from shared.runtime.api import declared_routes
from shared.runtime.process import create_service_api
from shared.runtime.service import Runtime
from shared.runtime.settings import Settings
from tests.contract import command_table

README: Final = Path(__file__).parents[2] / "services" / "goals" / "README.md"
_BLOCK: Final = re.compile(r"(<!-- written from the code: (\w+) -->\n).*?(<!-- until here -->)", re.DOTALL)
_NOWHERE: Final = {
    "database_url": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    "keys_database_url": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    "master_key": "A" * 43 + "=",
    "kafka_bootstrap": "127.0.0.1:1",
    "issuer": "https://issuer.example",
    "jwks_url": "https://issuer.example/jwks.json",
}


def page() -> str:
    """The README, its tables written anew."""
    return _BLOCK.sub(lambda found: found[1] + "\n".join(_TABLES[found[2]]()) + "\n" + found[3], README.read_text())


def application() -> FastAPI:
    """The service's HTTP application, which reaches nothing."""
    return create_service_api(Runtime(SERVICE, Settings.model_validate(_NOWHERE)))


def commands() -> Iterator[str]:
    """Each command: how to give it, what then has happened, what may refuse it, and who may give it."""
    yield from ("| Command | Events | Refused by | Who may |", "|---|---|---|---|")
    app = application()
    for route, endpoint in declared_routes(app).items():
        if route.startswith("POST ") and "/admin/" not in route:
            who = command_table.who_may(command_table.needs_of(endpoint))
            method, _, path = route.partition(" ")
            summary = app.openapi()["paths"][path][method.lower()]["summary"]
            for command in command_table.commands_of(endpoint) or [None]:
                name = f"**{command.__name__}** " if command else ""
                yield f"| {name}`{path}`<br>{summary} | {_outcome(command, endpoint)} | {who} |"


def _outcome(command: type[Command] | None, endpoint: Callable[..., object]) -> str:
    if command is None:
        return "those of the commands in it | what refuses them"
    events = command_table.events_of(command, endpoint)
    return f"{_coded(events)} | {_coded(command_table.problems_of(command, endpoint))}"


def events() -> Iterator[str]:
    """Every event that the service publishes, with the newest version, and what it says."""
    yield from ("| Event | Version | Says |", "|---|---|---|")
    own = [event for event in SERVICE.types.models.values() if event.event_type.startswith("trellis.goals.")]
    for event in sorted(own, key=lambda event: event.__name__):
        yield f"| `{event.__name__}` | {event.event_type.rpartition('.v')[2]} | {_first_line(event)} |"


def _first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def _coded(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_TABLES: Final[Mapping[str, Callable[[], Iterator[str]]]] = {"commands": commands, "events": events}
