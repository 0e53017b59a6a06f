"""A goal's stretches of business time, and since when and until when each was what was known of the goal."""

from collections.abc import Iterable, Sequence
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
    """From when to when in business time, the end not included; to be told apart as it is written: 90 is not 90.0."""

    valid_from: datetime
    valid_to: datetime
    stood: Stood
    written: str


class Key(NamedTuple):
    goal: GoalId
    valid_from: datetime
    known_from: datetime


Rows: TypeAlias = dict[Key, dict[str, Any]]


class Known:
    """What is known of a goal by its facts so far: a function of its stream alone, wherever that was read."""

    def __init__(self, goal: GoalId) -> None:
        self._goal = goal
        self._standing: list[tuple[Period, datetime]] = []
        self.course = Course()
        self.last: Fact | None = None

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
        return rows

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


def known_by(goal: GoalId, facts: Sequence[Fact]) -> Known:
    """What is known of a goal by these facts, which come in the stream's order."""
    known = Known(goal)
    known.add(facts)
    return known


def periods(facts: Sequence[Fact]) -> Rows:
    """All rows of a goal by all its facts."""
    return Known(facts[0].goal).add(facts) if facts else Rows()


def _stretches(moments: Iterable[tuple[datetime, Past]]) -> Iterable[Period]:
    """Neighbours that are alike are one."""
    changes: list[tuple[datetime, Stood, str]] = []
    for at, past in moments:
        stood = _stood(past)
        if not changes or changes[-1][2] != str(stood):
            changes.append((at, stood, str(stood)))
    ends = [at for at, _, _ in changes[1:]]
    for (at, stood, written), until in zip(changes, [*ends, FOREVER], strict=True):
        yield Period(at, until, stood, written)


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
