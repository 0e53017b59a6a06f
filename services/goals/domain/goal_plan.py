"""Goal plan: which goals count in a period and how much, drafted freely, proposed by one side, agreed by the other."""

from collections.abc import Sequence
from typing import Final

from services.goals.domain.plan_agreement import AgreeGoalPlan, ReturnGoalPlan, agree, send_back
from services.goals.domain.plan_amendment import ProposeAmendment, propose_amendment
from services.goals.domain.plan_approval import ApproveAmendment, ReturnAmendment, approve, send_amendment_back
from services.goals.domain.plan_losses import LoseGoal, lose
from services.goals.domain.plan_proposal import DraftGoalPlan, ProposeGoalPlan, draft, propose
from services.goals.domain.plan_states import GoalPlan, GoalPlanEvent, NotProposed, evolve
from shared.eventsourcing.decider import Decider

GoalPlanCommand = (
    DraftGoalPlan
    | ProposeGoalPlan
    | ReturnGoalPlan
    | AgreeGoalPlan
    | ProposeAmendment
    | ReturnAmendment
    | ApproveAmendment
    | LoseGoal
)


def decide(plan: GoalPlan, command: GoalPlanCommand) -> Sequence[GoalPlanEvent]:
    match command:
        case DraftGoalPlan():
            return draft(plan, command)
        case ProposeGoalPlan():
            return propose(plan, command)
        case ReturnGoalPlan():
            return send_back(plan, command)
        case AgreeGoalPlan():
            return agree(plan, command)
        case ProposeAmendment():
            return propose_amendment(plan, command)
        case ReturnAmendment():
            return send_amendment_back(plan, command)
        case ApproveAmendment():
            return approve(plan, command)
        case LoseGoal():
            return lose(plan, command)


GOAL_PLAN: Final[Decider[GoalPlan]] = Decider(category="goalplan", initial=NotProposed(), decide=decide, evolve=evolve)
