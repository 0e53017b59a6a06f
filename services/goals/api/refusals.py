"""Refusals: of goals that a caller may not see, they are told how many a rule saw, and not which."""

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api.goal_access import access_to, reader
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import NotSet
from services.goals.projections import goal_graph, readable_goals
from shared.eventsourcing.decider import Rejected
from shared.runtime.authorization import READ
from shared.runtime.caller import Caller
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId

_ASKED: Final = 50
"""Streams that one refusal reads; of more goals that have not reached the tree the rest counts as hidden."""


async def without_hidden_goals(runtime: Runtime, caller: Caller, asked: str, refusal: Rejected) -> Rejected:
    """The refusal as it may be told: `ancestors` lists those that the caller may see, `ancestors_hidden` counts others.

    What the request named itself, its path and body being `asked`, is no news.
    """
    told = {one for value in refusal.values.values() for one in _identities(value) if str(one) not in asked}
    if not told:
        return refusal
    async with runtime.engine.connect() as connection:
        hidden = await _hidden(runtime, connection, caller, await goal_graph.goals_among(connection, told))
    return Rejected(refusal.rule, **dict(_discreet(refusal.values, hidden))) if hidden else refusal


async def _hidden(
    runtime: Runtime, connection: AsyncConnection, caller: Caller, goals: AbstractSet[GoalId]
) -> AbstractSet[GoalId]:
    """Those that the caller does not see; of some that have not reached the tree yet the streams are asked."""
    unseen = goals - await readable_goals.readable_of(connection, reader(caller), goals)
    late = unseen - await readable_goals.in_the_tree(connection, unseen) if unseen else unseen
    seen = {goal for goal in sorted(late)[:_ASKED] if await _sees(runtime, connection, caller, goal)}
    return unseen - seen


async def _sees(runtime: Runtime, connection: AsyncConnection, caller: Caller, goal: GoalId) -> bool:
    state = (await runtime.handler.load(connection, GOAL, goal)).state
    return not isinstance(state, NotSet) and (await access_to(connection, caller, state)).allows(READ)


def _discreet(values: Mapping[str, Any], hidden: AbstractSet[UUID]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        left_out = {one for one in _identities(value) if one in hidden}
        if not left_out:
            yield name, value
            continue
        if not isinstance(value, UUID):
            yield name, [one for one in value if one not in left_out]
        yield f"{name}_hidden", len(left_out)


def _identities(value: Any) -> Collection[UUID]:
    """The ids that a value is or lists."""
    match value:
        case UUID():
            return [value]
        case list() | tuple() | set() | frozenset():
            return [one for one in cast("Collection[Any]", value) if isinstance(one, UUID)]
        case _:
            return []
