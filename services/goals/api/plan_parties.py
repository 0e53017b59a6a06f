"""What the two sides of a plan stand before: what the caller is to its owner, and what is known of its goals."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_access import access_to
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.goal_states import Active, NotSet
from services.goals.domain.plan_sides import PlanScope, Standing
from services.goals.domain.plan_states import Agreed
from services.goals.domain.planned_goals import GoalFact, Holding, fingerprint
from shared.eventsourcing.decision import Decision
from shared.people.reporting_line import managers
from shared.runtime.authorization import READ
from shared.runtime.caller import Caller, Role
from shared.schemas.goal_objectives import Commitment
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId


async def standing_of(connection: AsyncConnection, caller: Caller, owner: PersonId) -> Standing:
    """What the caller is to the owner by today's reporting line, so that the right to agree moves with it."""
    above = await managers(connection, owner)
    manages = Role.MANAGER in caller.roles
    return Standing(
        manager=manages and above[:1] == [caller.person],
        line=manages and caller.person in above[1:],
        hr=Role.HR in caller.roles,
        has_manager=bool(above),
    )


async def facts_of(
    decision: Decision, edge: GoalsEdge, plan: GoalPlanId, goals: Iterable[GoalId]
) -> tuple[GoalFact, ...]:
    """What is known of the goals, which must not change before the append; of one that is hidden, nothing."""
    facts = [await _fact(decision, edge, plan, goal) for goal in dict.fromkeys(goals)]
    return tuple(fact for fact in facts if fact is not None)


async def _fact(decision: Decision, edge: GoalsEdge, plan: GoalPlanId, goal: GoalId) -> GoalFact | None:
    loaded = await decision.hold(GOAL, goal)
    state = loaded.state
    if isinstance(state, NotSet):
        return None
    if not (await access_to(decision.connection, edge.caller, state)).allows(READ):
        return None
    active = state if isinstance(state, Active) else None
    fixed = state if isinstance(state, Active) else state.was
    return GoalFact(
        goal=goal,
        owner=state.owner,
        level=state.level,
        active=active is not None,
        aspirational=fixed.objective is Commitment.ASPIRATIONAL,
        version=loaded.version,
        fingerprint=fingerprint(fixed),
        held=await _held_elsewhere(decision, plan, active) if active else (),
    )


async def _held_elsewhere(decision: Decision, plan: GoalPlanId, goal: Active) -> tuple[Holding, ...]:
    """The other agreed plans that hold the goal."""
    others = [GoalPlanId(agreement) for agreement in goal.agreements if agreement != plan]
    states = [(other, (await decision.load(GOAL_PLAN, other)).state) for other in others]
    return tuple(_holding(other, state.scope) for other, state in states if isinstance(state, Agreed))


def _holding(plan: GoalPlanId, scope: PlanScope) -> Holding:
    return Holding(plan=plan, level=scope.level, starts_on=scope.starts_on, ends_on=scope.ends_on)
