"""Alarms that ring when they are due, as often as they were told to; run as a program, a process that fires them.

An alarm's decider rings each time it is asked: a double is seen, not refused.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.append import Append
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.decider import Command, Decider
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.firing import PICK, TimerRunner
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.schema import install, install_timers, register_reader
from shared.eventsourcing.store import EventStore
from shared.eventsourcing.stored_envelope import envelope_of
from shared.eventsourcing.timers import READER, CancelTimer, DueTimer, Planned, SetTimer, TimerPlanner, Timers
from shared.schemas.event import Event, EventTypes
from tests.integration.eventsourcing.tally import NOW, SOMEBODY, context
from tests.servers.databases import Database

TOPIC: Final = "alarm.events"
RING: Final = "ring"
MINUTE: Final = timedelta(minutes=1)
_KILLED_AFTER: Final = 100


class AlarmSet(Event):
    event_type: ClassVar[str] = "trellis.alarm.AlarmSet.v1"

    due_at: AwareDatetime
    times: int = 1


class AlarmRang(Event):
    event_type: ClassVar[str] = "trellis.alarm.AlarmRang.v1"

    due_at: AwareDatetime
    late_seconds: int
    left: int


class AlarmSilenced(Event):
    event_type: ClassVar[str] = "trellis.alarm.AlarmSilenced.v1"


class SetAlarm(Command):
    due_at: AwareDatetime
    times: int = 1


class Ring(Command):
    due_at: AwareDatetime
    late_seconds: int


class Silence(Command): ...


@dataclass(frozen=True, slots=True)
class Alarm:
    left: int = 0
    silenced: bool = False


def evolve(alarm: Alarm, event: Event) -> Alarm:
    match event:
        case AlarmSet(times=times):
            return Alarm(left=times)
        case AlarmRang(left=left):
            return replace(alarm, left=left)
        case _:
            return replace(alarm, silenced=True)


def decide(alarm: Alarm, command: Command) -> Sequence[Event]:
    match command:
        case SetAlarm(due_at=due_at, times=times):
            return [AlarmSet(due_at=due_at, times=times)]
        case Ring() if not alarm.silenced:
            return [AlarmRang(due_at=command.due_at, late_seconds=command.late_seconds, left=alarm.left - 1)]
        case Ring():
            return []
        case _:
            return [AlarmSilenced()]


ALARM: Final = Decider(category="alarm", initial=Alarm(), decide=decide, evolve=evolve)
TYPES: Final = EventTypes.of((AlarmSet, AlarmRang, AlarmSilenced))


def plan(recorded: Recorded) -> Planned:
    match recorded.event:
        case AlarmSet(due_at=due_at):
            return [SetTimer(RING, due_at)]
        case AlarmRang(due_at=due_at, left=left) if left > 0:
            return [SetTimer(RING, due_at + MINUTE)]
        case _:
            return [CancelTimer(RING)]


async def ring(decision: Decision, timer: DueTimer) -> None:
    await decision.decide(ALARM, timer.stream_id, _ring(timer, decision.context.at))


def _ring(timer: DueTimer, at: datetime) -> Ring:
    return Ring(due_at=timer.due_at, late_seconds=timer.late_seconds, at=at, by=SOMEBODY)


ALARMS: Final = Timers(topic=TOPIC, plan=plan, fire={RING: ring})


class Alarms:
    """A database of alarms: commands, the delivery of their events to the planner, and what rang."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.handler = CommandHandler(EventStore(engine, TYPES), partitions=12)
        self._planner = TimerPlanner(ALARMS)
        self._delivered = 0

    @classmethod
    async def on(cls, database: Database) -> "Alarms":
        engine = create_engine(database.url, pool_size=5)
        async with engine.begin() as connection:
            await connection.run_sync(install)
            await connection.run_sync(install_timers)
            await connection.run_sync(lambda c: register_reader(c, READER, (TOPIC,)))
        return cls(engine)

    async def set(self, name: object, due_at: datetime, *, times: int = 1) -> UUID:
        alarm = derived("alarm", name)
        command = SetAlarm(due_at=due_at, times=times, at=NOW, by=SOMEBODY)
        await self.handler.handle(context(), ALARM, alarm, command)
        return alarm

    async def set_many(self, number: int) -> None:
        """Alarms that were due a minute apart, the last of them now."""
        made: list[Append] = []
        for n in range(number):
            alarm_set = AlarmSet(due_at=NOW - n * MINUTE)
            events = await self.handler.store.prepare([(alarm_set, context().metadata)])
            made.append(Append(stream=f"alarm-{derived('alarm', n)}", expected=0, events=events))
        async with self.engine.begin() as connection:
            await connection.execute(text("select 1"))
            await self.handler.store.append(connection, made)

    async def silence(self, alarm: UUID) -> None:
        await self.handler.handle(context(), ALARM, alarm, Silence(at=NOW, by=SOMEBODY))

    async def deliver(self, *, most: int = 10_000, again: bool = False) -> int:
        """The next events to the planner, in order, as a reader's slice would; `again`: from the beginning."""
        self._delivered = 0 if again else self._delivered
        statement = text("select * from events where position > :after order by position limit :most")
        async with self.engine.begin() as connection:
            rows = (await connection.execute(statement, {"after": self._delivered, "most": most})).mappings().all()
            if rows:
                await self._planner.apply(connection, [_recorded(row) for row in rows])
                self._delivered = rows[-1]["position"]
        return len(rows)

    async def rang(self) -> list[tuple[str, AlarmRang]]:
        """Every ring with its alarm's stream, in the order of the log."""
        query = text("select stream, data from events where type = :type order by position")
        async with self.engine.connect() as connection:
            rows = await connection.execute(query, {"type": AlarmRang.event_type})
            return [(row.stream, AlarmRang.model_validate_json(row.data)) for row in rows]

    async def doubled(self) -> int:
        """How many rings there are beyond one for each alarm and time."""
        counts = Counter((stream, rang.due_at) for stream, rang in await self.rang())
        return sum(count - 1 for count in counts.values())

    async def scalar(self, statement: str) -> Any:
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement))).scalar_one()


def in_order(rang: Sequence[tuple[str, AlarmRang]]) -> bool:
    return all(a.due_at <= b.due_at for (_, a), (_, b) in pairwise(rang))


def _recorded(row: Any) -> Recorded:
    envelope = envelope_of(row, source="/trellis/alarm", log_id=UUID(int=1), previous_position=0)
    event = TYPES.decode(row["type"], row["data"])
    assert isinstance(event, Event)
    return Recorded(event, envelope)


def runner(handler: CommandHandler, guards: str = "all", **options: Any) -> TimerRunner:
    """What fires alarms; `guards`: all of them, or which one is taken away."""
    match guards:
        case "without the lock":
            options |= {"pick": PICK.removesuffix("for update skip locked")}
        case "without lock and key":
            options |= {"pick": PICK.removesuffix("for update skip locked"), "keyed": False}
        case _:
            pass
    timers = replace(ALARMS, fire={RING: _apart(handler)}) if guards == "in two transactions" else ALARMS
    return TimerRunner(handler, timers, lambda: NOW, **options)


def _apart(handler: CommandHandler) -> Any:
    """Negative control: the event is appended by itself; the process dies before the timer's removal is committed."""
    fired = 0

    async def ring_apart(_decision: Decision, timer: DueTimer) -> None:
        nonlocal fired
        await handler.handle(context(), ALARM, timer.stream_id, _ring(timer, NOW))
        if (fired := fired + 1) == _KILLED_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)

    return ring_apart


async def main(url: str, guards: str) -> None:
    handler = CommandHandler(EventStore(create_engine(url, pool_size=2), TYPES), partitions=12)
    await runner(handler, guards, poll_seconds=0.005).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
