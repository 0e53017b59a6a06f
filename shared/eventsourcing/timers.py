"""Timers: reminders and deadlines as rows, kept by a reader of the service's own topic and fired by any worker."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.checkpoints import reset
from shared.eventsourcing.dead_letters import clear
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.recorded import Recorded

READER: Final = "timers"
"""The name of the reader that keeps a service's timers, in its checkpoints and its consumer group."""
LATE_AFTER: Final = timedelta(seconds=60)
"""A timer that fires no later than this after it was due is in time."""

_SET: Final = text(
    "insert into timers as t (name, stream, due_at, set_by, correlation_id) "
    "select * from unnest(cast(:names as text[]), cast(:streams as text[]), cast(:due_at as timestamptz[]), "
    "                     cast(:set_by as uuid[]), cast(:correlation_ids as uuid[])) order by 1, 2 "
    "on conflict (name, stream) do update set due_at = excluded.due_at, set_by = excluded.set_by, "
    "correlation_id = excluded.correlation_id, attempts = 0, retry_at = null, cause = null, parked_at = null"
)
_CANCEL: Final = text(
    "delete from timers where (name, stream) in "
    "(select * from unnest(cast(:names as text[]), cast(:streams as text[])))"
)
_POSTPONE: Final = text(
    "update timers set due_at = :later, attempts = 0, retry_at = null, cause = null "
    "where name = :name and stream = :stream and due_at = :due_at and set_by = :set_by"
)
_STATUS: Final = text(
    "select count(*) as pending, count(*) filter (where due_at < :late_before) as late, "
    "count(parked_at) as parked, count(cause) as failing from timers"
)
_PARKED: Final = text(
    "select name, stream, due_at, attempts, parked_at, cause from timers where cause is not null "
    "order by due_at, name, stream limit :limit"
)
_RETRY: Final = text(
    "update timers set attempts = 0, retry_at = null, parked_at = null where cause is not null "
    "and name = :name and stream = :stream"
)


@dataclass(frozen=True, slots=True)
class SetTimer:
    """The stream's timer of this name is due then; it replaces the one that was set before."""

    name: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """The stream has no timer of this name any more."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    """A timer that is due. `late_by` is zero unless it is more than `LATE_AFTER` late; `set_by` is the event's id."""

    name: str
    stream: str
    due_at: datetime
    late_by: timedelta
    set_by: UUID
    correlation_id: UUID
    attempts: int

    @property
    def stream_id(self) -> UUID:
        return UUID(self.stream.split("-", 1)[1])

    @property
    def late_seconds(self) -> int:
        return int(self.late_by.total_seconds())

    @property
    def command_id(self) -> UUID:
        """Deterministic: the same timer, set by the same event for the same time, gives the same command."""
        return derived("timer", self.name, self.stream, self.due_at.astimezone(UTC).isoformat(), self.set_by)


Planned: TypeAlias = Sequence[SetTimer | CancelTimer]
Plan: TypeAlias = Callable[[Recorded], Planned]
Fire: TypeAlias = Callable[[Decision, DueTimer], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """What a service's events set, move and cancel, and what is decided when a timer is due.

    `plan` says what an event of `topic`, the service's own, does to the timers of its stream; the event that a timer
    leads to cancels it. `fire` has one function for each name: it decides commands with `at=decision.context.at`; what
    holds already decides nothing, and the timer is gone.
    """

    topic: str
    plan: Plan
    fire: Mapping[str, Fire]


@dataclass(frozen=True, slots=True)
class TimerStatus:
    """How many timers there are; how many of them are late, failed at least once, or are parked."""

    pending: int
    late: int
    failing: int
    parked: int


@dataclass(frozen=True, slots=True)
class FailedTimer:
    """A timer whose command failed by its own fault. `parked_at` None: it is tried again by itself."""

    name: str
    stream: str
    due_at: datetime
    attempts: int
    parked_at: datetime | None
    cause: str


class TimerPlanner:
    """What a reader does for timers: an event's changes are made in the transaction that moves the checkpoint."""

    largest_slice = 1_000
    events = None

    def __init__(self, timers: Timers) -> None:
        self.name = READER
        self.topics = (timers.topic,)
        self._plan = timers.plan

    async def apply(self, connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        """The last word on each timer of the slice counts."""
        last: dict[tuple[str, str], tuple[SetTimer | CancelTimer, Recorded]] = {}
        for recorded in events:
            for change in self._plan(recorded):
                last[change.name, recorded.stream] = change, recorded
        cancelled = [key for key, (change, _) in last.items() if isinstance(change, CancelTimer)]
        if cancelled:
            columns = {"names": [name for name, _ in cancelled], "streams": [stream for _, stream in cancelled]}
            await connection.execute(_CANCEL, columns)
        await _set(connection, [(change, by) for change, by in last.values() if isinstance(change, SetTimer)])


async def _set(connection: AsyncConnection, changes: Sequence[tuple[SetTimer, Recorded]]) -> None:
    if not changes:
        return
    await connection.execute(
        _SET,
        {
            "names": [timer.name for timer, _ in changes],
            "streams": [recorded.stream for _, recorded in changes],
            "due_at": [timer.due_at for timer, _ in changes],
            "set_by": [recorded.envelope.id for _, recorded in changes],
            "correlation_ids": [recorded.envelope.correlation_id for _, recorded in changes],
        },
    )


async def postpone(connection: AsyncConnection, timer: DueTimer, due_at: datetime) -> None:
    """Let a timer that came too early fire again then: for a `fire` function, which then decides nothing."""
    await connection.execute(
        _POSTPONE,
        {
            "later": due_at,
            "name": timer.name,
            "stream": timer.stream,
            "due_at": timer.due_at,
            "set_by": timer.set_by,
        },
    )


def start_of_day(day: date, zone: ZoneInfo) -> datetime | None:
    """The moment the day begins in the zone, in UTC; None where no calendar holds it."""
    try:
        return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None


def end_of_day(day: date, zone: ZoneInfo) -> datetime | None:
    """The moment the day ends in the zone and the next begins, in UTC; None where no calendar holds it."""
    try:
        return start_of_day(day + timedelta(days=1), zone)
    except OverflowError:
        return None


async def timer_status(engine: AsyncEngine, now: datetime) -> TimerStatus:
    """The service's timers at this time of the workers' clock."""
    async with engine.connect() as connection:
        row = (await connection.execute(_STATUS, {"late_before": now - LATE_AFTER})).one()
    return TimerStatus(row.pending, row.late, row.failing, row.parked)


async def late(engine: AsyncEngine, now: datetime) -> int:
    """How many timers should have fired by now and have not, parked ones included."""
    return (await timer_status(engine, now)).late


async def failed_timers(engine: AsyncEngine, *, limit: int = 100) -> list[FailedTimer]:
    """The timers that failed, each with the cause of the last time, in due order."""
    async with engine.connect() as connection:
        return [FailedTimer(*row) for row in await connection.execute(_PARKED, {"limit": limit})]


async def retry(engine: AsyncEngine, name: str, stream: str) -> bool:
    """Let a failed timer fire again at once, with all its attempts; False: no such timer has failed."""
    async with engine.begin() as connection:
        return (await connection.execute(_RETRY, {"name": name, "stream": stream})).rowcount > 0


async def rebuild_timers(engine: AsyncEngine) -> None:
    """Forget the timers and set them again from the events. What has fired is cancelled by its own event."""
    async with engine.begin() as connection:
        await connection.execute(text("select 1 from checkpoints where reader = :r for update"), {"r": READER})
        await connection.execute(text("delete from timers"))
        await clear(connection, READER)
        await reset(connection, READER)
