"""Who stands before a goal: what its owner is to the caller, and what the caller may do with it."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api.permissions import (
    ACHIEVE,
    ALIGN,
    BIND,
    CANCEL,
    CARRY_OVER,
    CHOOSE_MEASURE,
    EDIT,
    GRADE,
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
from services.goals.projections.goal_readers import KINDS, Reader
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.handler import Answer
from shared.eventsourcing.identifiers import stream_name
from shared.people.reporting_line import relations, relations_to_each
from shared.runtime.authorization import READ, Permissions, Relation
from shared.runtime.caller import Caller
from shared.runtime.http import Edge
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId, PersonId

_MEASURING: Final = (CHOOSE_MEASURE, WEIGH, BIND, SET_HEALTH, RECORD_PROGRESS)
_OF_OPEN: Final = (ALIGN, EDIT, *_MEASURING, ACHIEVE, MISS, CANCEL, HAND_OVER, CARRY_OVER)
_OF_OBJECTIVE: Final = (ALIGN, EDIT, WEIGH, SET_HEALTH, GRADE, CANCEL, HAND_OVER, CARRY_OVER)
_OF_CLOSED: Final = (REOPEN, CARRY_OVER)


class Guarded(Protocol):
    """What of a goal decides who may do what with it: the goal's state has it, and so has its row."""

    @property
    def level(self) -> str: ...
    @property
    def owner(self) -> PersonId: ...
    @property
    def team(self) -> str | None: ...
    @property
    def visibility(self) -> str | None: ...
    @property
    def contributors(self) -> Sequence[PersonId]: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """`Guarded` by itself: also of a goal that is still to be set."""

    level: str
    owner: PersonId
    team: str | None = None
    visibility: str | None = None
    contributors: tuple[PersonId, ...] = ()

    @classmethod
    def of(cls, goal: Guarded) -> "Standing":
        return cls(goal.level, goal.owner, goal.team, goal.visibility, tuple(goal.contributors))


@dataclass(frozen=True, slots=True)
class Access:
    """What the caller is to a goal that stands like this."""

    standing: Standing
    caller: Caller
    relations: AbstractSet[Relation]

    @property
    def _table(self) -> Permissions:
        return goals_at(self.standing.level, self.standing.visibility)

    def allows(self, action: str) -> bool:
        return self._table.allows(action, self.caller, self.relations)

    def require(self, action: str, what: str) -> None:
        """Let the caller through, or answer 404 (may not see it) or 403."""
        self._table.require(action, self.caller, self.relations, of=what)

    def actions(self, goal: Goal) -> list[str]:
        """What the caller may do with the goal as it stands now, which may be otherwise than before the command."""
        if isinstance(goal, NotSet):
            return []
        now = Access(Standing.of(goal), self.caller, self._relations_to(goal))
        if not isinstance(goal, Active):
            return now.allowed(_OF_CLOSED)
        by_hand = goal.scale is not None and goal.follows is None
        return now.allowed(possible(objective=goal.objective is not None, by_hand=by_hand))

    def allowed(self, actions: Sequence[str] = _OF_CLOSED) -> list[str]:
        """Those of the actions that the caller may do; a closed goal may be reopened, or go on in another period."""
        return self._table.allowed_actions(actions, self.caller, self.relations)

    def _relations_to(self, goal: Guarded) -> AbstractSet[Relation]:
        """Of what the caller is to another owner nothing is known here; that is no right, until somebody asks again."""
        if goal.owner == self.caller.person:
            return {Relation.SELF}
        kept = self.relations - {Relation.CONTRIBUTOR} if goal.owner == self.standing.owner else set[Relation]()
        return kept | _contributing(self.caller, goal)


def possible(*, objective: bool, by_hand: bool) -> Sequence[str]:
    """What may be done with an open goal; one that other goals or a KPI move takes no progress by hand.

    An objective is graded, and as far as its key results: it is neither achieved nor missed, and nothing measures it.
    """
    if objective:
        return _OF_OBJECTIVE
    return _OF_OPEN if by_hand else [action for action in _OF_OPEN if action != RECORD_PROGRESS]


def reader(caller: Caller) -> Reader:
    """The caller as a reader of lists, who finds there what the table lets them read, and nothing else."""
    through = {kind: goals_at(*kind).through(READ, caller) for kind in KINDS}
    sees = {relation: frozenset(kind for kind in KINDS if relation in through[kind]) for relation in Relation}
    return Reader(person=caller.person, sees={relation: kinds for relation, kinds in sees.items() if kinds})


async def relations_to(
    connection: AsyncConnection, caller: Caller, owner: PersonId, *, team: str | None = None
) -> set[Relation]:
    """What the caller is to the owner of a goal or plan; `team` is the goal's own."""
    found = await relations(connection, caller=caller.person, person=owner, team=team)
    return {Relation(relation) for relation in found}


async def access_to(connection: AsyncConnection, caller: Caller, goal: Guarded) -> Access:
    """What the caller is to the goal. Whose goal it is, nobody needs to be asked, and is nothing else to it."""
    standing = Standing.of(goal)
    if caller.person == standing.owner:
        return Access(standing, caller, {Relation.SELF})
    found = await relations_to(connection, caller, standing.owner, team=standing.team)
    return Access(standing, caller, found | _contributing(caller, standing))


async def seen_among(connection: AsyncConnection, caller: Caller, goals: Mapping[GoalId, Guarded]) -> set[GoalId]:
    """Those of these goals that the caller may see."""
    standings = {goal: Standing.of(guarded) for goal, guarded in goals.items()}
    owned = {(standing.owner, standing.team) for standing in standings.values()}
    found = await relations_to_each(connection, caller.person, owned)
    return {
        goal for goal, standing in standings.items() if _seen(caller, standing, found[standing.owner, standing.team])
    }


def _seen(caller: Caller, standing: Standing, found: AbstractSet[str]) -> bool:
    to_the_owner = {Relation(relation) for relation in found}
    contributing = set[Relation]() if caller.person == standing.owner else _contributing(caller, standing)
    return Access(standing, caller, to_the_owner | contributing).allows(READ)


def _contributing(caller: Caller, goal: Guarded) -> set[Relation]:
    return {Relation.CONTRIBUTOR} if caller.person in goal.contributors else set()


async def permitted(runtime: Runtime, edge: Edge, goal: GoalId) -> Answer:
    """How to answer the command, if the caller may do what the route declares with the goal.

    What this process remembers of the goal is trusted for what it allows, since the command is decided on no other
    standing; before it refuses, the goal is read.

    Raises:
        Problem: 404, there is no such goal or the caller may not see it; 403, the caller may not do this with it.
    """
    state = await runtime.handler.state_once(GOAL, goal)
    access = None if isinstance(state, NotSet) else await _access(runtime, edge.caller, state)
    if access is None or not access.allows(edge.action):
        async with runtime.reading.connect() as connection:
            state = (await runtime.handler.load(connection, GOAL, goal)).state
            if isinstance(state, NotSet):
                raise not_found("goal", goal)
            access = await access_to(connection, edge.caller, state)
        access.require(edge.action, f"goal {goal}")
    stream = stream_name(GOAL.category, goal)
    edge.context.guards[stream] = partial(_refuse_another_standing, stream, access.standing)
    return edge.describe(access.actions)


async def _access(runtime: Runtime, caller: Caller, goal: Guarded) -> Access:
    """An owner costs no connection."""
    if caller.person == goal.owner:
        return Access(Standing.of(goal), caller, {Relation.SELF})
    async with runtime.reading.connect() as connection:
        return await access_to(connection, caller, goal)


def _refuse_another_standing(stream: str, standing: Standing, goal: Goal) -> None:
    """Who may do this was found for a goal that stood like this.

    Raises:
        Conflict: it has another owner, or others see it, or work on it: to be asked again.
    """
    if isinstance(goal, NotSet) or Standing.of(goal) != standing:
        raise Conflict(stream)
