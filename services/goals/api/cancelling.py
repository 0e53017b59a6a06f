"""Cancelling: a goal and what becomes of the open goals below it, as one act."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_access import access_to
from services.goals.api.goal_moves import goal_above
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_alignment import AlignGoal
from services.goals.domain.goal_closing import CancelGoal, CancelGoalBody, ChildrenGo
from services.goals.domain.goal_states import Active, NotSet
from services.goals.projections import goal_graph
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision, Plan
from shared.eventsourcing.identifiers import stream_name
from shared.schemas.identifiers import GoalId

LARGEST_ACT: Final = 1_000
"""Goals in one transaction at most."""


def cancelled(edge: GoalsEdge, goal: GoalId, body: CancelGoalBody, *, amendment: UUID | None = None) -> Plan:
    """`amendment` is the one that both sides of the goal's plan approved, where the goal is agreed."""

    async def plan(decision: Decision) -> None:
        await goal_graph.lock(decision.connection)
        children = await goal_graph.open_children(decision.connection, goal)
        too = await _below(decision, children) if body.children is ChildrenGo.CANCELLED_TOO else children
        await _in_turn(decision, [goal, *too])
        left = () if body.children else tuple(children)
        await decision.decide(GOAL, goal, CancelGoal.from_body(body, left=left, amendment=amendment, **edge.given))
        if body.children is ChildrenGo.CANCELLED_TOO:
            await _cancel(decision, edge, too, body)
        elif body.children:
            await _move(decision, edge, children, await _new_parent(decision, goal, body))
        await goal_graph.write(decision)

    return plan


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


async def _cancel(decision: Decision, edge: GoalsEdge, goals: Iterable[GoalId], body: CancelGoalBody) -> None:
    """Who cancels a goal with those below must be allowed to cancel each of them."""
    for goal in goals:
        state = (await decision.load(GOAL, goal)).state
        if isinstance(state, NotSet):
            continue
        (await access_to(decision.connection, edge.caller, state)).require(edge.action, "goal below")
        await decision.decide(GOAL, goal, CancelGoal(reason=body.reason, **edge.given))


async def _new_parent(decision: Decision, goal: GoalId, body: CancelGoalBody) -> GoalId | None:
    if body.children is ChildrenGo.TO_ITS_PARENT:
        state = (await decision.load(GOAL, goal)).state
        return None if isinstance(state, NotSet | Active) else state.was.parent
    return body.to if body.children is ChildrenGo.TO_ANOTHER_GOAL else None


async def _move(decision: Decision, edge: GoalsEdge, goals: Iterable[GoalId], parent: GoalId | None) -> None:
    """They weigh there as the goals do that are there already; where there is none, as they did."""
    above = await goal_above(decision, parent, edge.caller)
    there = above and above.children_weighed_by_hand
    for goal in goals:
        state = (await decision.load(GOAL, goal)).state
        if isinstance(state, Active):
            by_hand = state.weight_by_hand if there is None else there
            weight = state.weight if by_hand else None
            command = AlignGoal(goal=goal, parent=parent, weight=weight, parent_goal=above, **edge.given)
            await decision.decide(GOAL, goal, command)
