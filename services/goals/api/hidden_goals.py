"""Hidden goals: of those that a reader may not see an answer says how many it left out, and never which."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, cast
from uuid import UUID

from services.goals.api.goal_access import Guarded, seen_among
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import NotSet
from services.goals.projections import goal_graph, readable_goals
from shared.runtime.caller import Caller
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId

_ASKED: Final = 50
"""Streams that one answer reads; of more goals that have not reached the tree the rest counts as hidden."""


async def hidden_among(runtime: Runtime, caller: Caller, goals: AbstractSet[GoalId]) -> AbstractSet[GoalId]:
    """Those that the caller may not see today; of some that have not reached the tree yet the streams are asked."""
    if not goals:
        return goals
    async with runtime.reading.connect() as connection:
        known: dict[GoalId, Guarded] = dict(await readable_goals.standings(connection, goals))
        for goal in sorted(goals - known.keys())[:_ASKED]:
            state = (await runtime.handler.load(connection, GOAL, goal)).state
            if not isinstance(state, NotSet):
                known[goal] = state
        return goals - await seen_among(connection, caller, known)


async def hidden_in(runtime: Runtime, caller: Caller, identities: AbstractSet[UUID]) -> AbstractSet[GoalId]:
    """Those of the ids, which may be of anything, that are goals' which the caller may not see today."""
    if not identities:
        return set()
    async with runtime.reading.connect() as connection:
        goals = await goal_graph.goals_among(connection, identities)
    return await hidden_among(runtime, caller, goals)


def identities(said: Any) -> set[UUID]:
    """Every id in it, at any depth."""
    match said:
        case UUID():
            return {said}
        case Mapping():
            return identities(list(cast("Mapping[str, Any]", said).values()))
        case list() | tuple() | set() | frozenset():
            return {one for part in cast("Collection[Any]", said) for one in identities(part)}
        case _:
            return set()


def without(said: Mapping[str, Any], hidden: Collection[UUID]) -> dict[str, Any]:
    """The same without these goals: what named one is null, what listed some is shorter, and `..._hidden` counts them.

    What an item of a list says of its `goal` goes with it. Ids may be written out.
    """
    return dict(_parts(said, {str(goal) for goal in hidden})) if hidden else dict(said)


def _parts(said: Mapping[str, Any], hidden: AbstractSet[str]) -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        told, left_out = _told(value, hidden)
        yield name, told
        if left_out:
            yield f"{name}_hidden", left_out


def _told(value: Any, hidden: AbstractSet[str]) -> tuple[Any, int]:
    """What may be told of a value, and how many goals that leaves out."""
    match value:
        case str() | UUID() if str(value) in hidden:
            return None, 1
        case Mapping():
            return dict(_parts(cast("Mapping[str, Any]", value), hidden)), 0
        case list() | tuple() | set() | frozenset():
            items: Sequence[Any] = list(cast("Collection[Any]", value))
            kept = [_told(item, hidden)[0] for item in items if not _is_of(item, hidden)]
            return kept, len(items) - len(kept)
        case _:
            return value, 0


def _is_of(item: Any, hidden: AbstractSet[str]) -> bool:
    goal = cast("Mapping[str, Any]", item).get("goal") if isinstance(item, Mapping) else item
    return isinstance(goal, str | UUID) and str(goal) in hidden
