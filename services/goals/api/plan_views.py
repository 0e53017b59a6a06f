"""Goal plans as clients see them, and what the caller may do with one."""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from datetime import date
from uuid import UUID

from pydantic import BaseModel, Field

from services.goals.api.edge import GoalsEdge
from services.goals.api.hidden_goals import hidden_among
from services.goals.api.permissions import AGREE, AMEND, DRAFT, PLANS, PROPOSE, RETURN
from services.goals.domain.plan_sides import OnASide, PlanScope, Side, Standing, side_of, side_of_proposer
from services.goals.domain.plan_states import Agreed, GoalPlan, Proposed
from services.goals.projections.goal_plans import PlanRow, PlanState
from shared.eventsourcing.decider import Rejected
from shared.runtime.authorization import Relation
from shared.runtime.caller import Caller
from shared.runtime.service import Runtime
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import PlanWeight
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId
from shared.schemas.values import DecimalString


class PlanView(BaseModel):
    """A plan; weights and their total in percent."""

    id: GoalPlanId
    version: int
    state: PlanState
    owner: PersonId
    level: GoalLevel
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    weights_hidden: int = Field(description="Those of goals that the caller does not see; the total counts them.")
    total: DecimalString
    proposed_by: PersonId | None
    agreed_by: PersonId | None
    amendment: UUID | None = Field(description="The one that waits for the other side.")
    amendment_by: PersonId | None
    lost: list[GoalId] = Field(description="Weighed goals that count no more: their owner, who has left, lost them.")
    lost_hidden: int = Field(description="Others of these, which the caller does not see.")


class PlanDetail(PlanView):
    """A plan, and what the caller may do with it."""

    allowed_actions: list[str]


async def hidden_of(runtime: Runtime, caller: Caller, plans: Iterable[PlanRow]) -> AbstractSet[GoalId]:
    """The goals of these plans that the caller may not see; who owns a plan reads all of it."""
    named = (goal for plan in plans if plan.owner != caller.person for goal in _goals_of(plan))
    return await hidden_among(runtime, caller, set(named))


def _goals_of(plan: PlanRow) -> Iterable[GoalId]:
    return [*(weight.goal for weight in plan.weights), *plan.lost]


def plan_view(row: PlanRow, hidden: Collection[GoalId]) -> PlanView:
    weights = tuple(weight for weight in row.weights if weight.goal not in hidden)
    lost = [goal for goal in row.lost if goal not in hidden]
    return PlanView(
        id=row.plan,
        version=row.version,
        state=row.state,
        owner=row.owner,
        level=row.level,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        weights=weights,
        weights_hidden=len(row.weights) - len(weights),
        total=row.total,
        proposed_by=row.proposed_by,
        agreed_by=row.agreed_by,
        amendment=row.amendment,
        amendment_by=row.amendment_by,
        lost=lost,
        lost_hidden=len(row.lost) - len(lost),
    )


class Party:
    """The caller before a plan: their relations to its owner, and on which side they stand."""

    def __init__(self, edge: GoalsEdge, relations: Collection[Relation], standing: Standing) -> None:
        self._edge = edge
        self.relations = relations
        self.standing = standing

    def actions(self, plan: GoalPlan) -> list[str]:
        """What the caller may do with the plan as decisions know it."""
        match plan:
            case Proposed(scope=scope, proposed_by=proposed_by):
                return self._allowed(scope, PlanState.PROPOSED, proposed_by)
            case Agreed(scope=scope, amendment=waiting):
                return self._allowed(scope, PlanState.AGREED, waiting and waiting.proposed_by)
            case _:
                scope = getattr(plan, "scope", None)
                return [] if scope is None else self._allowed(scope, PlanState.DRAFTED, None)

    def actions_on(self, row: PlanRow) -> list[str]:
        """What the caller may do with the plan as it was read."""
        scope = PlanScope(owner=row.owner, level=row.level, starts_on=row.starts_on, ends_on=row.ends_on)
        waiting_of = row.amendment_by if row.state is PlanState.AGREED else row.proposed_by
        return self._allowed(scope, row.state, waiting_of)

    def _allowed(self, scope: PlanScope, state: PlanState, waiting_of: PersonId | None) -> list[str]:
        """`waiting_of` proposed what waits for an answer; None: nothing waits."""
        side = self._side(scope)
        answers = side is not None and waiting_of is not None and side is not side_of_proposer(waiting_of, scope)
        match state:
            case PlanState.PROPOSED:
                possible = [*([PROPOSE] if side else []), *([AGREE, RETURN] if answers else [])]
            case PlanState.AGREED:
                possible = [*([AMEND] if side else []), *([AGREE, RETURN] if answers else [])]
            case _:
                possible = [DRAFT, *([PROPOSE] if side else [])]
        return PLANS.allowed_actions(possible, self._edge.caller, self.relations)

    def _side(self, scope: PlanScope) -> Side | None:
        command = OnASide(standing=self.standing, **self._edge.given)
        try:
            return side_of(command, scope)
        except Rejected:
            return None
