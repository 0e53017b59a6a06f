"""Moves in the goal graph: decided under its lock, from what nobody can change until the transaction ends."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_access import access_to, permitted
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_alignment import AlignGoal, AlignGoalBody
from services.goals.domain.goal_contributions import Contribute, ContributeBody
from services.goals.domain.goal_dates import RescheduleGoal, RescheduleGoalBody
from services.goals.domain.goal_states import Goal, NotSet
from services.goals.domain.parent import ParentGoal
from services.goals.projections import goal_graph
from services.goals.projections.goals_above import above_others, parent_of
from shared.eventsourcing.decider import Command
from shared.eventsourcing.decision import Answer, Decision, Outcome, Plan
from shared.runtime.authorization import READ
from shared.runtime.caller import Caller
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId

Given: TypeAlias = Callable[[Decision, Goal], Awaitable[Command]]
"""From the goal as it stands, under the lock, to the command with its facts."""


def under_the_lock(goal: GoalId, given: Given) -> Plan:
    """One command on a goal that may move it, close it or open it.

    The goal's own stream is taken in turn: a measurement of the same moment waits, and neither refuses the other.
    """

    async def plan(decision: Decision) -> None:
        await goal_graph.lock(decision.connection)
        state = (await decision.in_turn(GOAL, goal)).state
        await decision.decide(GOAL, goal, await given(decision, state))
        await goal_graph.write(decision)

    return plan


async def moved(runtime: Runtime, edge: GoalsEdge, goal: GoalId, given: Given) -> CommandAnswer:
    """The answer to one command under the lock, if the caller may do what the route declares."""
    answer = await permitted(runtime, edge, goal)
    return edge.accepted(await taking_turns(runtime, edge, under_the_lock(goal, given), answer))


async def taking_turns(runtime: Runtime, edge: GoalsEdge, plan: Plan, answer: Answer) -> Outcome:
    """What became of a plan that takes the graph's lock."""
    async with goal_graph.turn(runtime.engine):
        return (await runtime.handler.handle_together(edge.context, plan, answer=answer))[0]


def aligned(edge: GoalsEdge, goal: GoalId, body: AlignGoalBody) -> Given:
    async def given(decision: Decision, _goal: Goal) -> AlignGoal:
        above = await goal_above(decision, body.parent, edge.caller, of=goal)
        return AlignGoal.from_body(body, goal=goal, parent_goal=above, **edge.given)

    return given


def contributing(edge: GoalsEdge, goal: GoalId, body: ContributeBody) -> Given:
    async def given(decision: Decision, _goal: Goal) -> Contribute:
        targets = await goals_above(decision, body.contributes_to, edge.caller)
        return Contribute.from_body(body, goal=goal, targets=targets, **edge.given)

    return given


def rescheduled(edge: GoalsEdge, goal: GoalId, body: RescheduleGoalBody) -> Given:
    async def given(decision: Decision, state: Goal) -> RescheduleGoal:
        above = await parent_of(decision, state)
        below = await goal_graph.dates_below(decision.connection, goal)
        return RescheduleGoal.from_body(body, goal=goal, parent_goal=above, below=below, **edge.given)

    return given


async def goal_above(
    decision: Decision, goal: GoalId | None, caller: Caller, *, of: GoalId | None = None
) -> ParentGoal | None:
    """What is known of a goal that is to be above `of`; None where the caller sees none."""
    if goal is None:
        return None
    state = (await decision.load(GOAL, goal)).state
    if isinstance(state, NotSet):
        return None
    access = await access_to(decision.connection, caller, state)
    if not access.allows(READ):
        return None
    return await above_others(decision, goal, of=of)


async def goals_above(decision: Decision, goals: Iterable[GoalId], caller: Caller) -> tuple[ParentGoal, ...]:
    found = [await goal_above(decision, goal, caller) for goal in dict.fromkeys(goals)]
    return tuple(one for one in found if one is not None)
