"""The demos' journal against the event stores: nothing acknowledged is missing, nothing happened twice."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launcher.postgres import PostgresServer
from shared.schemas.identifiers import SYSTEM
from tests.e2e.stored import EventLog, query

_KEYS: Final = "select key, version, position from idempotency_keys where key = any($1::text[])"
_OPENS_MANY: Final = "trellis.reviews.ReviewOpened.v1"
"""The one command that appends in several transactions: each review's stream is derived, so it cannot be doubled."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of one service's acknowledged commands; `lost` and `doubled` name them."""

    service: str
    commands: int
    lost: Sequence[str]
    doubled: Sequence[str]
    longest_seconds: float


def journal_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def audit(server: PostgresServer, log: EventLog, journal: Sequence[Mapping[str, Any]], after: int = 0) -> Audit:
    """Compare the journal's commands to this service with its store, as far as it was written behind `after`."""
    mine = [line for line in journal if line["service"] == log.service]
    rows = await query(server, log.service, _KEYS, [line["key"] for line in mine])
    kept = {row["key"]: row for row in rows}
    stored = {(event.stream.split("-", 1)[1], event.version) for event in log.events}
    lost = [
        f"{line['path']} {line['key']}"
        for line in mine
        if line["key"] not in kept or (line["id"], line["version"]) not in stored
    ]
    lost += [f"acknowledged twice: {key}" for key, times in Counter(line["key"] for line in mine).items() if times > 1]
    longest = max((line["seconds"] for line in mine), default=0.0)
    return Audit(log.service, len(mine), lost, _unaccounted(log, {row["position"] for row in rows}, after), longest)


def _unaccounted(log: EventLog, acknowledged: set[int], after: int) -> list[str]:
    """Commands in the store that no acknowledged key stands for: such a command was executed besides the one."""
    commands: dict[str, list[Any]] = {}
    for event in log.events:
        by_a_person = event.metadata["actor"] != str(SYSTEM) and "causation_id" not in event.metadata
        if by_a_person and event.position > after and event.type != _OPENS_MANY:
            commands.setdefault(event.metadata["command_id"], []).append(event)
    return [
        f"{events[0].type} {events[0].stream} command {command}"
        for command, events in commands.items()
        if not any(event.position in acknowledged for event in events)
    ]
