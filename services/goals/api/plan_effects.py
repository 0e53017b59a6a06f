"""What an agreement does to the goals it is about, in the transaction of the agreement itself."""

from collections.abc import Iterable, Sequence

from services.goals.api.edge import GoalsEdge
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_lock import LockGoal, UnlockGoal
from services.goals.domain.planned_goals import GoalFact
from shared.eventsourcing.decision import Decision
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.identifiers import GoalId, GoalPlanId


async def hold_goals(
    decision: Decision, edge: GoalsEdge, plan: GoalPlanId, level: GoalLevel, facts: Sequence[GoalFact]
) -> None:
    """The plan holds its goals from now on, and a plan of its level, which is of an earlier period, no longer does.

    What a plan of another level holds (a leader's own plan weighs the team's goal) is held by both.
    """
    for fact in facts:
        for held in fact.held:
            if held.level == level:
                await _let_go(decision, edge, held.plan, fact.goal)
        await decision.decide(GOAL, fact.goal, LockGoal(agreement=plan, at=edge.now, by=edge.caller.person))


async def let_goals_go(decision: Decision, edge: GoalsEdge, plan: GoalPlanId, goals: Iterable[GoalId]) -> None:
    """The plan holds these goals no longer; they are free again."""
    for goal in goals:
        await _let_go(decision, edge, plan, goal)


async def _let_go(decision: Decision, edge: GoalsEdge, plan: GoalPlanId, goal: GoalId) -> None:
    await decision.decide(GOAL, goal, UnlockGoal(agreement=plan, at=edge.now, by=edge.caller.person))
