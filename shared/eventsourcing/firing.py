"""Firing: any worker takes what is due, one timer a transaction, decides, appends, and removes it."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.append import Key
from shared.eventsourcing.causes import cause_of
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.decision import Context, Decision, Outcome
from shared.eventsourcing.described import described
from shared.eventsourcing.errors import Conflict, SubjectErased
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.pulse import Pulse
from shared.eventsourcing.store import KeyTaken
from shared.eventsourcing.timers import LATE_AFTER, DueTimer, Timers
from shared.schemas.identifiers import SYSTEM

ATTEMPTS: Final = 5
"""How often a timer whose command fails by its own fault is tried, a second, then twice as long apart, until parked."""
_POLL_SECONDS: Final = 0.5
PICK: Final = """
select name, stream, due_at, set_by, correlation_id, attempts from timers
 where parked_at is null and due_at <= :now and name = any(:names)
   and (retry_at is null or retry_at <= clock_timestamp())
 order by due_at, name, stream limit 1 for update skip locked"""
"""Who is at work on a timer holds its row, and others pass it over; a worker that dies lets go of it."""
_THIS: Final = "where name = :name and stream = :stream and due_at = :due_at and set_by = :set_by"
_REMOVE: Final = text(f"delete from timers {_THIS}")  # noqa: S608 - a constant
_POSTPONE: Final = text(f"update timers set retry_at = clock_timestamp() + interval '100 ms' {_THIS}")  # noqa: S608 - a constant
_FAIL: Final = text(
    "update timers set attempts = attempts + 1, cause = :cause, "  # noqa: S608 - a constant
    "retry_at = clock_timestamp() + interval '1 second' * power(2, attempts), "
    f"parked_at = case when attempts + 1 >= :attempts then clock_timestamp() end {_THIS}"
)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class TimerCounts:
    """A process since its start. `fired` led to events, `late` of them late; `spent` to none; `failed` are tries."""

    fired: int = 0
    late: int = 0
    spent: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Done:
    """A timer that is gone, with what is to be remembered of its streams once that is certain."""

    timer: DueTimer
    decision: Decision
    outcomes: list[Outcome]


class TimerRunner:
    """Fires the timers of one service. `pick` and `keyed` are the guards that tests take away."""

    def __init__(
        self,
        handler: CommandHandler,
        timers: Timers,
        clock: Callable[[], datetime],
        *,
        poll_seconds: float = _POLL_SECONDS,
        pick: str = PICK,
        keyed: bool = True,
    ) -> None:
        self.counts = TimerCounts()
        self.last_error: str | None = None
        self.last_poll = time.monotonic()
        self.pulse = Pulse("timers")
        self._handler = handler
        self._timers = timers
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._pick = text(pick)
        self._keyed = keyed

    async def run(self) -> None:
        """Fire what is due until cancelled; a database that is down is waited for."""
        failures = 0
        while True:
            try:
                await self.fire_due()
            except Exception as error:
                if not is_transient(error):
                    raise
                failures = min(failures + 1, 6)
                self.last_error = described(error)
                log.warning("timers.waiting", error=self.last_error)
                await asyncio.sleep(min(5.0, 0.1 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            else:
                failures, self.last_error = 0, None
                await asyncio.sleep(self._poll_seconds)

    async def fire_due(self) -> None:
        """Fire everything that is due, in due order. Raises what `fire_next` raises."""
        late = self.counts.late
        while await self.fire_next():
            pass
        if missed := self.counts.late - late:
            log.warning("timers.late", fired=missed)

    async def fire_next(self) -> bool:
        """Take up the timer that has been due for longest, if there is one that nobody else is at work on.

        Its event and its removal are one transaction. What fails by its own fault is kept, and tried again later.

        Raises:
            Exception: the database is down; nothing was changed.
        """
        self.last_poll = time.monotonic()
        self.pulse.looked()
        due: DueTimer | None = None
        try:
            async with self._handler.store.engine.begin() as connection:
                due = await self._next(connection)
                done = None if due is None else await self._fire(connection, due)
        except Exception as error:
            if due is None or is_transient(error):
                raise
            await self._not_fired(due, error)
            return True
        if done is not None:
            self.pulse.progressed()
            self._count(done)
        return done is not None

    async def _next(self, connection: AsyncConnection) -> DueTimer | None:
        now = self._clock()
        row: Any = (await connection.execute(self._pick, {"now": now, "names": list(self._timers.fire)})).one_or_none()
        if row is None:
            return None
        behind = now - row.due_at
        return DueTimer(
            name=row.name,
            stream=row.stream,
            due_at=row.due_at,
            late_by=behind if behind > LATE_AFTER else timedelta(),
            set_by=row.set_by,
            correlation_id=row.correlation_id,
            attempts=row.attempts,
        )

    async def _fire(self, connection: AsyncConnection, timer: DueTimer) -> _Done:
        decision = Decision(connection, self._handler.load, self._context(timer))
        await self._timers.fire[timer.name](decision, timer)
        await connection.execute(_REMOVE, _key(timer))
        decided = any(change.events for change in decision.changes.values())
        return _Done(timer, decision, await self._handler.append(decision) if decided else [])

    def _context(self, timer: DueTimer) -> Context:
        key = Key(caller=f"timer:{timer.name}", route=timer.stream, key=str(timer.command_id), request_hash=b"")
        return Context(
            actor=SYSTEM,
            at=self._clock(),
            command_id=timer.command_id,
            correlation_id=timer.correlation_id,
            causation_id=timer.set_by,
            idempotency=key if self._keyed else None,
        )

    def _count(self, done: _Done) -> None:
        self._handler.remember(done.decision, done.outcomes)
        if not done.outcomes:
            self.counts.spent += 1
            return
        self.counts.fired += 1
        if done.timer.late_by:
            self.counts.late += 1

    async def _not_fired(self, timer: DueTimer, error: Exception) -> None:
        async with self._handler.store.engine.begin() as connection:
            match error:
                case KeyTaken():  # it fired before, and was set again by a rebuild
                    self.counts.spent += 1
                    await connection.execute(_REMOVE, _key(timer))
                case SubjectErased():  # what it would store can never be stored
                    self.counts.spent += 1
                    log.info("timer.subject_erased", timer=timer.name, stream=timer.stream)
                    await connection.execute(_REMOVE, _key(timer))
                case Conflict():
                    self._handler.forget(*error.streams)
                    await connection.execute(_POSTPONE, _key(timer))
                case _:
                    self.counts.failed += 1
                    log.error("timer.failed", timer=timer.name, stream=timer.stream, attempt=timer.attempts + 1)
                    why = cause_of(error, None)
                    cause = {"cause": why.trace or why.message, "attempts": ATTEMPTS}
                    await connection.execute(_FAIL, _key(timer) | cause)


def _key(timer: DueTimer) -> dict[str, Any]:
    return {"name": timer.name, "stream": timer.stream, "due_at": timer.due_at, "set_by": timer.set_by}
