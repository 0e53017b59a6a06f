"""Cancelling: a goal and what becomes of the open goals below it, as one act, whoever asks for it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_alignment import AlignGoal
from services.goals.domain.goal_closing import CancelGoal, CancelGoalBody, ChildrenGo
from services.goals.domain.goal_states import Active, Closed, NotSet
from services.goals.domain.parent import ParentGoal
from services.goals.projections import goal_graph
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import stream_name
from shared.schemas.identifiers import GoalId

LARGEST_ACT: Final = 1_000
"""Goals in one transaction at most."""

MayCancel: TypeAlias = Callable[[Decision, Active | Closed], Awaitable[None]]
"""Lets who cancels a goal do so with one below it too, or raises what they are told."""
SeenAbove: TypeAlias = Callable[[Decision, GoalId | None], Awaitable[ParentGoal | None]]
"""What who cancels a goal sees of the one that the goals below it are put under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelling:
    """Who cancels: `given` is what each of their commands carries, `amendment` the one that both sides approved."""

    given: Mapping[str, Any]
    may_cancel: MayCancel
    above: SeenAbove
    amendment: UUID | None = None

    async def cancel(self, decision: Decision, goal: GoalId, body: CancelGoalBody) -> None:
        """Takes the graph's lock, and writes the graph.

        Raises:
            Rejected: nobody said where the open goals below go, or a rule forbids what was said.
        """
        await goal_graph.lock(decision.connection)
        children = await goal_graph.open_children(decision.connection, goal)
        too = await _below(decision, children) if body.children is ChildrenGo.CANCELLED_TOO else children
        await _in_turn(decision, [goal, *too])
        left = () if body.children else tuple(children)
        command = CancelGoal.from_body(body, left=left, amendment=self.amendment, **self.given)
        await decision.decide(GOAL, goal, command)
        if body.children is ChildrenGo.CANCELLED_TOO:
            await self._cancel(decision, too, body)
        elif body.children:
            await self._move(decision, children, await _new_parent(decision, goal, body))
        await goal_graph.write(decision)

    async def _cancel(self, decision: Decision, goals: Iterable[GoalId], body: CancelGoalBody) -> None:
        """Who cancels a goal with those below must be allowed to cancel each of them."""
        for goal in goals:
            state = (await decision.load(GOAL, goal)).state
            if isinstance(state, NotSet):
                continue
            await self.may_cancel(decision, state)
            await decision.decide(GOAL, goal, CancelGoal(reason=body.reason, **self.given))

    async def _move(self, decision: Decision, goals: Iterable[GoalId], parent: GoalId | None) -> None:
        """They weigh there as the goals do that are there already; where there is none, as they did."""
        above = await self.above(decision, parent)
        there = above and above.children_weighed_by_hand
        for goal in goals:
            state = (await decision.load(GOAL, goal)).state
            if isinstance(state, Active):
                by_hand = state.weight_by_hand if there is None else there
                weight = state.weight if by_hand else None
                command = AlignGoal(goal=goal, parent=parent, weight=weight, parent_goal=above, **self.given)
                await decision.decide(GOAL, goal, command)


async def _below(decision: Decision, children: Sequence[GoalId]) -> list[GoalId]:
    """The open goals below, level by level."""
    found = list(children)
    for goal in found:
        found.extend(await goal_graph.open_children(decision.connection, goal))
        _refuse_too_many(found)
    return found


async def _in_turn(decision: Decision, goals: Sequence[GoalId]) -> None:
    """In the order in which every append locks its streams."""
    _refuse_too_many(goals)
    for goal in sorted(goals, key=lambda goal: stream_name(GOAL.category, goal)):
        await decision.in_turn(GOAL, goal)


def _refuse_too_many(goals: Sequence[GoalId]) -> None:
    if len(goals) > LARGEST_ACT:
        raise Rejected("one-act-changes-so-many-goals-at-most", goals=len(goals), limit=LARGEST_ACT)


async def _new_parent(decision: Decision, goal: GoalId, body: CancelGoalBody) -> GoalId | None:
    if body.children is ChildrenGo.TO_ITS_PARENT:
        state = (await decision.load(GOAL, goal)).state
        return None if isinstance(state, NotSet | Active) else state.was.parent
    return body.to if body.children is ChildrenGo.TO_ANOTHER_GOAL else None
