"""Which goals a reader finds in a list: the access table as a condition of the query."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, false, or_, true

from shared.people.reporting_line import people_below, people_directly_below
from shared.people.team import manager_of, people_in_team_of, team_of
from shared.runtime.authorization import Relation
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId

Kind = tuple[GoalLevel, GoalVisibility | None]
"""Goals of which one line of the table speaks: of a level, with a visibility or with none said."""
KINDS: Final[tuple[Kind, ...]] = tuple((level, seen) for level in GoalLevel for seen in (None, *GoalVisibility))
_NONE: Final[frozenset[Kind]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks, and by which relation they see goals of which kinds, as the access table says."""

    person: PersonId
    sees: Mapping[Relation, frozenset[Kind]]


def seen_by(reader: Reader, goals: Table, *, owners: Select[UUID] | None = None) -> ColumnElement[bool]:
    """Whether the reader sees the goal of a row, which has level, owner, team, visibility and contributors.

    `owners` finds the owners of the goals in question where those are few: only their lines are looked at.
    """
    ways = ((_of(goals, kinds), related) for kinds, related in _ways(reader, goals, owners) if kinds)
    return or_(false(), *(and_(kind, related) for kind, related in ways))


def _ways(
    reader: Reader, goals: Table, owners: Select[UUID] | None
) -> Iterator[tuple[frozenset[Kind], ColumnElement[bool]]]:
    """By which relation goals of which kinds are seen; who owns a goal is nothing else to it."""
    by, owner, others = reader.sees, goals.c.owner, goals.c.owner != reader.person
    line = by.get(Relation.MANAGER, _NONE) & by.get(Relation.SKIP_LEVEL, _NONE)
    directly = owner.in_(people_directly_below(reader.person, among=owners))
    below = owner.in_(people_below(reader.person, among=owners))
    yield by.get(Relation.ANY, _NONE), true()
    yield by.get(Relation.SELF, _NONE), owner == reader.person
    yield line, below
    yield by.get(Relation.MANAGER, _NONE) - line, directly
    yield by.get(Relation.SKIP_LEVEL, _NONE) - line, and_(below, ~directly)
    yield by.get(Relation.CONTRIBUTOR, _NONE), and_(others, goals.c.contributors.contains([reader.person]))
    yield by.get(Relation.TEAM, _NONE), and_(others, _in_team(reader.person, goals))


def _in_team(person: PersonId, goals: Table) -> ColumnElement[bool]:
    owners = and_(goals.c.team.is_(None), goals.c.owner.in_(people_in_team_of(person)))
    return or_(goals.c.team == team_of(person), owners, goals.c.owner == manager_of(person))


def _of(goals: Table, kinds: Collection[Kind]) -> ColumnElement[bool]:
    """Whether a goal is of one of these kinds."""
    if len(kinds) == len(KINDS):
        return true()
    by_levels: dict[frozenset[GoalLevel], set[GoalVisibility | None]] = {}
    for seen in (None, *GoalVisibility):
        if levels := frozenset(level for level, visibility in kinds if visibility == seen):
            by_levels.setdefault(levels, set()).add(seen)
    return or_(*(and_(_at(goals, levels), _with(goals, seen)) for levels, seen in by_levels.items()))


def _at(goals: Table, levels: Collection[GoalLevel]) -> ColumnElement[bool]:
    """A level that this version does not know counts as a person's, as in the table."""
    if GoalLevel.PERSON in levels:
        others = [other.value for other in GoalLevel if other not in levels]
        return goals.c.level.not_in(others) if others else true()
    return goals.c.level.in_([level.value for level in levels])


def _with(goals: Table, seen: Collection[GoalVisibility | None]) -> ColumnElement[bool]:
    """A visibility that this version does not know counts as the closest, as in the table."""
    said, visibility = [one.value for one in seen if one is not None], goals.c.visibility
    unsaid = visibility.is_(None) if None in seen else false()
    if GoalVisibility.OWNER_AND_MANAGER in seen:
        return or_(unsaid, visibility.not_in([other.value for other in GoalVisibility if other.value not in said]))
    return or_(unsaid, visibility.in_(said))
