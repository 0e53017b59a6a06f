"""Who stands before a goal: what its owner is to the caller, and what the caller may do with it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api.permissions import (
    ACHIEVE,
    ALIGN,
    BIND,
    CANCEL,
    CARRY_OVER,
    CHOOSE_MEASURE,
    EDIT,
    HAND_OVER,
    MISS,
    RECORD_PROGRESS,
    REOPEN,
    SET_HEALTH,
    WEIGH,
    goals_at,
)
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import Active, Goal, NotSet
from services.goals.projections.goal_readers import Reader
from shared.eventsourcing.handler import Answer
from shared.people.reporting_line import relations
from shared.runtime.authorization import READ, Permissions, Relation
from shared.runtime.caller import Caller
from shared.runtime.http import Edge
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId, PersonId

_MEASURING: Final = (CHOOSE_MEASURE, WEIGH, BIND, SET_HEALTH, RECORD_PROGRESS)
_OF_OPEN: Final = (ALIGN, EDIT, *_MEASURING, ACHIEVE, MISS, CANCEL, HAND_OVER, CARRY_OVER)
_OF_CLOSED: Final = (REOPEN, CARRY_OVER)


@dataclass(frozen=True, slots=True)
class Access:
    """The table of the goal's level, and the caller's relations to its owner."""

    table: Permissions
    caller: Caller
    relations: AbstractSet[Relation]

    def require(self, action: str, what: str) -> None:
        """Let the caller through, or answer 404 (may not see it) or 403."""
        self.table.require(action, self.caller, self.relations, of=what)

    @property
    def may_read(self) -> bool:
        return self.table.allows(READ, self.caller, self.relations)

    def actions(self, goal: Goal) -> list[str]:
        """What the caller may do with the goal now."""
        by_hand = isinstance(goal, Active) and goal.scale is not None and goal.follows is None
        return self.allowed(active=isinstance(goal, Active), by_hand=by_hand)

    def allowed(self, *, active: bool, by_hand: bool) -> list[str]:
        """A closed goal may be reopened or go on in another period; one that other goals or a KPI move takes none."""
        possible = [action for action in _OF_OPEN if by_hand or action != RECORD_PROGRESS] if active else _OF_CLOSED
        return self.table.allowed_actions(possible, self.caller, self.relations)


def reader(caller: Caller) -> Reader:
    """The caller as a reader of lists, who finds there what the table lets them read, and nothing else."""
    through = {level: goals_at(level).through(READ, caller) for level in GoalLevel}
    sees = {relation: frozenset(level for level in GoalLevel if relation in through[level]) for relation in Relation}
    return Reader(person=caller.person, sees={relation: levels for relation, levels in sees.items() if levels})


async def relations_to(connection: AsyncConnection, caller: Caller, owner: PersonId) -> set[Relation]:
    """What the caller is to the owner of a goal or plan."""
    return {Relation(relation) for relation in await relations(connection, caller=caller.person, person=owner)}


async def access_to(connection: AsyncConnection, caller: Caller, level: str, owner: PersonId) -> Access:
    return Access(goals_at(level), caller, await relations_to(connection, caller, owner))


async def _access(runtime: Runtime, caller: Caller, level: str, owner: PersonId) -> Access:
    """Whose goal it is, nobody needs to be asked."""
    if caller.person == owner:
        return Access(goals_at(level), caller, {Relation.SELF})
    async with runtime.engine.connect() as connection:
        return await access_to(connection, caller, level, owner)


async def permitted(runtime: Runtime, edge: Edge, goal: GoalId) -> Answer:
    """How to answer the command, if the caller may do what the route declares; a goal's level and owner never change.

    Raises:
        Problem: 404, there is no such goal or the caller may not see it; 403, the caller may not do this with it.
    """
    state = await runtime.handler.state_once(GOAL, goal)
    if isinstance(state, NotSet):
        raise not_found("goal", goal)
    access = await _access(runtime, edge.caller, state.level, state.owner)
    access.require(edge.action, f"goal {goal}")
    return edge.describe(access.actions)
