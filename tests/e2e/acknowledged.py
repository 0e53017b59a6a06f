"""What clients were answered against the event stores: nothing acknowledged is missing, nothing happened twice.

A journal line that carries the command's correlation id is judged by what the store holds under that id alone, without
the table of idempotency keys: with it, what was refused and what nobody knows can be judged too.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from launcher.postgres import PostgresServer
from shared.schemas.identifiers import SYSTEM
from tests.e2e.stored import EventLog, StoredEvent, query

JournalLine: TypeAlias = Mapping[str, Any]
_KEYS: Final = "select key, position from idempotency_keys where key = any($1::text[])"
_OPENS_MANY: Final = "trellis.reviews.ReviewOpened.v1"
"""The one command that appends in several transactions: each review's stream is derived, so it cannot be doubled."""
_AN_ID: Final = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}")


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of one service's commands; `lost` and `doubled` name them.

    `left_behind`: refused, and yet something is stored; `torn`: unknown, and there in part. `windows`: of the lost and
    of the doubled, where the journal says when each was sent.
    """

    service: str
    commands: int
    lost: Sequence[str]
    doubled: Sequence[str]
    longest_seconds: float
    refused: int = 0
    unknown: int = 0
    left_behind: Sequence[str] = ()
    torn: Sequence[str] = ()
    windows_of_lost: Sequence[int] = ()
    windows_of_doubled: Sequence[int] = ()


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
    by = _Outcomes.of(journal)
    lost = [line for line in by.acknowledged if _is_lost(line, stored, kept)]
    marked = _Marked.in_(log, journal, after)
    doubled = [line for line in journal if "correlation" in line and len(marked.commands(line)) > 1]
    return Audit(
        service=log.service,
        commands=len(by.acknowledged),
        lost=_named(lost),
        doubled=[*_named(doubled), *_unaccounted(marked.others, set(kept.values()))],
        longest_seconds=max((line["seconds"] for line in by.acknowledged), default=0.0),
        refused=len(by.refused),
        unknown=len(by.unknown),
        left_behind=_named(line for line in by.refused if marked.commands(line)),
        torn=_named(_torn(by.acknowledged, by.unknown, marked)),
        windows_of_lost=[line.get("window", 0) for line in lost],
        windows_of_doubled=[line.get("window", 0) for line in doubled],
    )


@dataclass(slots=True)
class _Outcomes:
    """The journal's lines by what the client was told in the end; the demo's journal knows the acknowledged alone."""

    acknowledged: list[JournalLine] = field(default_factory=list[JournalLine])
    refused: list[JournalLine] = field(default_factory=list[JournalLine])
    unknown: list[JournalLine] = field(default_factory=list[JournalLine])

    @classmethod
    def of(cls, journal: Iterable[JournalLine]) -> "_Outcomes":
        sorted_out = cls()
        for line in journal:
            getattr(sorted_out, line.get("outcome", "acknowledged")).append(line)
        return sorted_out


@dataclass(slots=True)
class _Marked:
    """What people's commands stored: under a correlation id of the journal by that and by command, else by command."""

    known: dict[str, dict[str, list[StoredEvent]]]
    others: dict[str, list[StoredEvent]]

    @classmethod
    def in_(cls, log: EventLog, journal: Iterable[JournalLine], after: int) -> "_Marked":
        correlations = {line["correlation"] for line in journal if "correlation" in line}
        known: dict[str, dict[str, list[StoredEvent]]] = defaultdict(lambda: defaultdict(list))
        others: dict[str, list[StoredEvent]] = defaultdict(list)
        for event in log.events:
            by_a_person = event.metadata["actor"] != str(SYSTEM) and "causation_id" not in event.metadata
            if not by_a_person or event.type == _OPENS_MANY:
                continue
            correlation, command = event.metadata.get("correlation_id", ""), event.metadata["command_id"]
            if correlation in correlations:
                known[correlation][command].append(event)
            elif event.position > after:
                others[command].append(event)
        return cls(known, others)

    def commands(self, line: JournalLine) -> Mapping[str, Sequence[StoredEvent]]:
        """What is stored under the line's correlation id, by command."""
        return self.known.get(line["correlation"], {}) if "correlation" in line else {}


def _is_lost(line: JournalLine, stored: Collection[tuple[str, int]], kept: Mapping[str, int]) -> bool:
    """An answer that names no version of a stream, as to a measurement, is known by its key alone."""
    by_its_key = line["version"] is None or "correlation" not in line
    if by_its_key and line["key"] not in kept:
        return True
    return line["version"] is not None and (line["id"], line["version"]) not in stored


def _named(lines: Iterable[JournalLine]) -> list[str]:
    return [f"{line['path']} {line['key']}" for line in lines]


def _unaccounted(others: Mapping[str, Sequence[StoredEvent]], acknowledged: set[int]) -> list[str]:
    """Commands in the store that no acknowledged key stands for: such a command was executed besides the one."""
    return [
        f"{events[0].type} {events[0].stream} command {command}"
        for command, events in others.items()
        if not any(event.position in acknowledged for event in events)
    ]


def _torn(
    acknowledged: Sequence[JournalLine], unknown: Sequence[JournalLine], marked: _Marked
) -> Iterable[JournalLine]:
    """Unknown commands whose events are not all there: other types than the same request stored where it was sure."""
    whole: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for line in acknowledged:
        whole[_request(line)].update(map(_types, marked.commands(line).values()))
    for line in unknown:
        shapes = whole.get(_request(line))
        if shapes and not shapes.issuperset(map(_types, marked.commands(line).values())):
            yield line


def _request(line: JournalLine) -> str:
    return _AN_ID.sub("/{id}", line["path"])


def _types(events: Sequence[StoredEvent]) -> tuple[str, ...]:
    return tuple(sorted(event.type for event in events))
