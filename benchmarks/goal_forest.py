"""A tree of goals of so many levels, stored: a root, goals measured by those below them, and measured leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.append import Append
from shared.eventsourcing.identifiers import stream_name, uuid7
from shared.eventsourcing.store import EventStore, Metadata
from shared.runtime.clock import now
from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric, MetricKind
from shared.schemas.goals import TYPES, GoalLevel, GoalSet
from shared.schemas.identifiers import GoalId, PersonId

_AT: Final = now()
"""Just now: goals nobody has measured for long would be asked about, and a worker be busy with that."""
_LASTS: Final = timedelta(days=364)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Tree:
    """Its goals, level by level from the root, and whose they are: in turn, level by level."""

    levels: Sequence[Sequence[GoalId]]
    owners: Sequence[PersonId]

    @property
    def root(self) -> GoalId:
        return self.levels[0][0]

    @property
    def leaves(self) -> Sequence[GoalId]:
        return self.levels[-1]

    def owner(self, place: int) -> PersonId:
        """Who owns the goal at this place of a level."""
        return self.owners[place % len(self.owners)]


def planted(goals: int, levels: int, owners: Sequence[PersonId]) -> Tree:
    """A tree of exactly so many goals, each level so many times wider than the one above it."""
    return Tree([[GoalId(uuid7()) for _ in range(width)] for width in _widths(goals, levels)], owners)


async def grown(engine: AsyncEngine, *, goals: int, levels: int, owners: Sequence[PersonId]) -> Tree:
    """Such a tree, stored."""
    tree = planted(goals, levels, owners)
    store = EventStore(engine, TYPES)
    for level, width in enumerate(tree.levels):
        for start in range(0, len(width), _AT_ONCE):
            part = range(start, min(start + _AT_ONCE, len(width)))
            appends = [
                Append(
                    stream=stream_name("goal", width[place]),
                    expected=0,
                    events=await store.prepare([goal_set(tree, level, place, starts_on=_AT.date())]),
                )
                for place in part
            ]
            async with engine.begin() as connection:
                await store.append(connection, appends)
    return tree


def _widths(goals: int, levels: int) -> list[int]:
    """1, r, r^2, ... with the r that comes closest to the whole; the last level takes the rest."""
    ratio = max((goals / 2) ** (1 / (levels - 1)), 1.0)
    inner = [max(round(ratio**level), 1) for level in range(levels - 1)]
    return [*inner, max(goals - sum(inner), 1)]


def goal_set(tree: Tree, level: int, place: int, *, starts_on: date) -> tuple[Event, Metadata]:
    """How the goal at this place of a level was set; only leaves are measured."""
    above = tree.levels[level - 1] if level else None
    leaf = level == len(tree.levels) - 1
    who = tree.owner(place)
    event = GoalSet(
        level=GoalLevel.TEAM,
        owner=who,
        team="benchmark",
        title="a goal",
        metric=Metric(kind=MetricKind.NUMBER, start=Decimal(0), target=Decimal(1_000_000_000), unit="pieces")
        if leaf
        else None,
        starts_on=starts_on,
        ends_on=starts_on + _LASTS,
        parent=above[place % len(above)] if above else None,
    )
    return event, Metadata(occurred_at=_AT, actor=who, command_id=uuid7(), correlation_id=uuid7())
