"""Which goals a reader finds in a list: the access table as a condition of the query."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Table, and_, false, or_, true

from shared.people.reporting_line import people_below, people_directly_below
from shared.runtime.authorization import Relation
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId

Levels = frozenset[GoalLevel]
_NONE: Final[Levels] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks, and by which relation to its owner they see a goal of which levels, as the access table says."""

    person: PersonId
    sees: Mapping[Relation, Levels]


def seen_by(reader: Reader, goals: Table) -> ColumnElement[bool]:
    """Whether the reader sees the goal of a row, which has a level and an owner."""
    by, owner = reader.sees, goals.c.owner
    line = by.get(Relation.MANAGER, _NONE) & by.get(Relation.SKIP_LEVEL, _NONE)
    directly, below = owner.in_(people_directly_below(reader.person)), owner.in_(people_below(reader.person))
    ways = [
        (by.get(Relation.ANY, _NONE), true()),
        (by.get(Relation.SELF, _NONE), owner == reader.person),
        (line, below),
        (by.get(Relation.MANAGER, _NONE) - line, directly),
        (by.get(Relation.SKIP_LEVEL, _NONE) - line, and_(below, ~directly)),
    ]
    return or_(false(), *(and_(_at(goals, levels), related) for levels, related in ways if levels))


def _at(goals: Table, levels: Collection[GoalLevel]) -> ColumnElement[bool]:
    """A level that this version does not know counts as a person's, as in the table."""
    level = goals.c.level
    if GoalLevel.PERSON in levels:
        others = [other.value for other in GoalLevel if other not in levels]
        return level.not_in(others) if others else true()
    return level.in_([level.value for level in levels])
