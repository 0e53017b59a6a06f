"""The demos' journal against the event stores: nothing acknowledged is missing, nothing happened twice."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from launcher.postgres import PostgresServer
from shared.schemas.identifiers import SYSTEM
from tests.e2e.stored import EventLog, StoredEvent, query

JournalLine: TypeAlias = Mapping[str, Any]
_KEYS: Final = "select key, position from idempotency_keys where key = any($1::text[])"
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


def journal_of(file: Path) -> list[JournalLine]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def audit_of(server: PostgresServer, log: EventLog, journal: Sequence[JournalLine], after: int = 0) -> Audit:
    """Compare the journal's commands to this service with its store; what is stored up to `after` is not judged."""
    mine = [line for line in journal if line["service"] == log.service]
    rows = await query(server, log.service, _KEYS, [line["key"] for line in mine])
    return audit(log, mine, {row["key"]: row["position"] for row in rows}, after)


def audit(log: EventLog, journal: Sequence[JournalLine], kept: Mapping[str, int], after: int = 0) -> Audit:
    """`kept`: by Idempotency-Key the position of the last event that its command appended."""
    stored = {(event.stream.split("-", 1)[1], event.version) for event in log.events}
    lost = [
        f"{line['path']} {line['key']}"
        for line in journal
        if line["key"] not in kept or (line["id"], line["version"]) not in stored
    ]
    return Audit(
        service=log.service,
        commands=len(journal),
        lost=lost,
        doubled=_unaccounted(log, set(kept.values()), after),
        longest_seconds=max((line["seconds"] for line in journal), default=0.0),
    )


def _unaccounted(log: EventLog, acknowledged: set[int], after: int) -> list[str]:
    """Commands in the store that no acknowledged key stands for: such a command was executed besides the one."""
    commands: dict[str, list[StoredEvent]] = {}
    for event in log.events:
        by_a_person = event.metadata["actor"] != str(SYSTEM) and "causation_id" not in event.metadata
        if by_a_person and event.position > after and event.type != _OPENS_MANY:
            commands.setdefault(event.metadata["command_id"], []).append(event)
    return [
        f"{events[0].type} {events[0].stream} command {command}"
        for command, events in commands.items()
        if not any(event.position in acknowledged for event in events)
    ]
