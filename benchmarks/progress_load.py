"""Goals whose owners record their progress over HTTP: the command that is measured, and the load that sends it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.processes import Issuer, ran
from shared.eventsourcing.append import Append
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.identifiers import derived, stream_name, uuid7
from shared.eventsourcing.store import EventStore, Metadata
from shared.runtime.clock import now
from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric, MetricKind
from shared.schemas.goals import TYPES, GoalLevel, GoalSet
from shared.schemas.identifiers import GoalId, PersonId

OWNERS: Final = 200
PATH: Final = "/goals/v1/goals/{goal}/progress"
_AT: Final = now()
"""Just now: goals nobody has measured for long would be asked about, and a worker be busy with that."""
_LASTS: Final = timedelta(days=364)
_AT_ONCE: Final = 500
_VALUES_A_RUN: Final = 1_000_000


@dataclass(slots=True)
class ProgressLoad:
    """Goals that are set already, each with its owner's token."""

    goals: list[tuple[GoalId, str]]
    _runs: "count[int]" = field(default_factory=lambda: count(1))

    def first_value(self) -> int:
        """Of the values that a run records: none of them was recorded before."""
        return next(self._runs) * _VALUES_A_RUN

    async def sent(
        self, port: int, *, clients: int, seconds: float, path: str = PATH, rate: float = 0.0, keys: bool = False
    ) -> dict[str, Any]:
        """What the load generator counted, all of it answered 2xx; `rate` is in commands/s, 0: as fast as answers come.

        Raises:
            RuntimeError: a command was refused.
        """
        told = await ran(
            "benchmarks.load",
            {
                "port": port,
                "path": path,
                "goals": [(str(goal), token) for goal, token in self.goals],
                "clients": clients,
                "seconds": seconds,
                "rate": rate,
                "keys": keys,
                "first_value": self.first_value(),
            },
        )
        if told["refused"]:
            raise RuntimeError(
                f"{told['refused']} of {told['answered']} were refused; the first: {told['first_refusal']}"
            )
        return told


def owner(number: int) -> PersonId:
    return PersonId(derived("benchmark owner", number))


async def goals_set(engine: AsyncEngine, issuer: Issuer, number: int) -> ProgressLoad:
    """So many goals, stored, of `OWNERS` people in turn."""
    tokens = [issuer.token(owner(one)) for one in range(OWNERS)]
    goals = [(GoalId(uuid7()), one % OWNERS) for one in range(number)]
    store = EventStore(engine, TYPES)
    for start in range(0, number, _AT_ONCE):
        appends = [
            Append(stream=stream_name("goal", goal), expected=0, events=await store.prepare([_goal_set(one)]))
            for goal, one in goals[start : start + _AT_ONCE]
        ]
        async with engine.begin() as connection:
            await store.append(connection, appends)
    return ProgressLoad([(goal, tokens[one]) for goal, one in goals])


def _goal_set(number: int) -> tuple[Event, Metadata]:
    who = owner(number)
    event = GoalSet(
        level=GoalLevel.TEAM,
        owner=who,
        team="benchmark",
        title="a goal",
        metric=Metric(kind=MetricKind.NUMBER, start=Decimal(0), target=Decimal(1_000_000_000), unit="pieces"),
        starts_on=_AT.date(),
        ends_on=_AT.date() + _LASTS,
        parent=None,
    )
    return event, Metadata(occurred_at=_AT, actor=who, command_id=uuid7(), correlation_id=uuid7())


@asynccontextmanager
async def engine_of(url: str) -> AsyncGenerator[AsyncEngine]:
    """An engine, closed after the block."""
    engine = create_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()
