"""A goal's stretches of business time, and since when and until when each was what was known of the goal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias

from services.goals.projections.goal_past import Course, Fact, Past
from services.goals.projections.goal_rows import GoalState, SaidHealth
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.identifiers import GoalId, PersonId

FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when holds what nothing has ended."""


class Stood(NamedTuple):
    """What lists, the roll-up and health need of a goal for as long as it stood like this."""

    parent: GoalId | None
    owner: PersonId
    level: str
    team: str | None
    state: str
    expired: bool
    weight: Any
    by_children: bool
    own_progress: Any
    starts_on: date
    ends_on: date
    measured_at: datetime | None
    said_health: str | None
    said_progress: Any


class Period(NamedTuple):
    """From when to when in business time, the end not included; figures are told apart as written: 90 is not 90.0."""

    valid_from: datetime
    valid_to: datetime
    stood: Stood
    figures: tuple[str, str, str]


class Key(NamedTuple):
    goal: GoalId
    valid_from: datetime
    known_from: datetime


Rows: TypeAlias = dict[Key, dict[str, Any]]

_KEPT: Final = 2
"""Stretches that are remembered of a goal: what is told next nearly always begins in the last."""


class Known:
    """What is known of a goal by its facts so far: a function of its stream alone, wherever that was read."""

    def __init__(self, goal: GoalId) -> None:
        self._goal = goal
        self._standing: list[tuple[Period, datetime]] = []
        self._forgotten: datetime | None = None
        self.course = Course()
        self.last: Fact | None = None

    def reaches_back_to(self, facts: Sequence[Fact]) -> bool:
        """Whether the facts that come next change nothing that has been forgotten."""
        forgotten = self._forgotten
        return forgotten is None or all(at > forgotten for fact in facts for at in self.course.moments_of(fact))

    def add(self, facts: Sequence[Fact]) -> Rows:
        """The rows that become different by the facts that come next; they were known later than those before.

        What was recorded at one moment was known at once.
        """
        rows = Rows()
        for known_at, together in groupby(facts, key=lambda fact: fact.known_at):
            told = list(together)
            since = self.course.add(told)
            self.last = told[-1]
            if since is not None:
                rows |= self._go_on(since, known_at)
        self._forget()
        return rows

    def _forget(self) -> None:
        """Remember the last stretches alone: what is told next of a goal costs the same, however much was before."""
        if len(self._standing) > _KEPT:
            del self._standing[:-_KEPT]
            self._forgotten = self._standing[0][0].valid_from
            self.course.forget(self._forgotten)

    def resume(self, facts: Sequence[Fact], known_from: Mapping[datetime, datetime]) -> None:
        """As if these facts, the goal's first, had been added one by one, where the rows that stand are there."""
        self.course.add(facts)
        self.last = facts[-1]
        self._standing = [(period, known_from[period.valid_from]) for period in _stretches(self.course.moments())]

    def _go_on(self, since: datetime, known_at: datetime) -> Rows:
        """A stretch that had ended before then stays; what follows is made again, and often the same."""
        kept = len(self._standing)
        while kept and self._standing[kept - 1][0].valid_to >= since:
            kept -= 1
        doubted = dict(self._standing[kept:])
        begin = self._standing[kept][0].valid_from if kept < len(self._standing) else since
        now = list(_stretches(self.course.moments(min(begin, since))))
        self._standing[kept:] = [(period, doubted.get(period, known_at)) for period in now]
        stays = set(now)
        ended = [self._row(period, since, known_at) for period, since in doubted.items() if period not in stays]
        return dict([*ended, *(self._row(period, known_at, FOREVER) for period in now if period not in doubted)])

    def _row(self, period: Period, known_from: datetime, known_to: datetime) -> tuple[Key, dict[str, Any]]:
        return Key(self._goal, period.valid_from, known_from), {
            "goal": self._goal,
            "valid_from": period.valid_from,
            "valid_to": period.valid_to,
            "known_from": known_from,
            "known_to": known_to,
            **period.stood._asdict(),
        }


def known_by(goal: GoalId, facts: Sequence[Fact], known_from: Mapping[datetime, datetime]) -> Known:
    """What is known of a goal by all its facts, which come in the stream's order.

    `known_from` says of each stretch that stands, by where it begins, since when it is known.
    """
    known = Known(goal)
    known.resume(facts, known_from)
    return known


def _stretches(moments: Iterable[tuple[datetime, Past]]) -> Iterable[Period]:
    """Neighbours that are alike are one."""
    changes: list[tuple[datetime, Stood, tuple[str, str, str]]] = []
    for at, past in moments:
        stood = _stood(past)
        figures = (str(stood.weight), str(stood.own_progress), str(stood.said_progress))
        if not changes or changes[-1][1:] != (stood, figures):
            changes.append((at, stood, figures))
    ends = [at for at, _, _ in changes[1:]]
    for (at, stood, figures), until in zip(changes, [*ends, FOREVER], strict=True):
        yield Period(at, until, stood, figures)


def _stood(past: Past) -> Stood:
    values = past.values
    said: SaidHealth | None = values["said_health"]
    signed = values["state"] not in (GoalState.ACTIVE, GoalState.CANCELLED) and values["own_progress"] is not None
    return Stood(
        parent=values["parent"],
        owner=values["owner"],
        level=values["level"],
        team=values["team"],
        state=values["state"],
        expired=values["expired"],
        weight=values["weight"],
        by_children=values["measured_by"] == MeasuredBy.CHILDREN.value and not signed,
        own_progress=values["own_progress"],
        starts_on=values["starts_on"],
        ends_on=values["ends_on"],
        measured_at=values["measured_at"],
        said_health=said and said.health.value,
        said_progress=said and said.progress,
    )
