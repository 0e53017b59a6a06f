"""Goal plans as the two sides propose, agree and amend them, each with what a test changes."""

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from services.goals.domain.plan_agreement import AgreeGoalPlan, ReturnGoalPlan
from services.goals.domain.plan_amendment import GoalCancellationBody, ProposeAmendment
from services.goals.domain.plan_approval import ApproveAmendment, ReturnAmendment
from services.goals.domain.plan_proposal import DraftGoalPlan, ProposeGoalPlan
from services.goals.domain.plan_sides import Standing
from services.goals.domain.plan_weights import PlannedGoal
from services.goals.domain.planned_goals import GoalFact
from services.goals.domain.policy import DEFAULT
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import (
    GoalAmendmentProposed,
    GoalPlanAgreed,
    GoalPlanAmended,
    GoalPlanDrafted,
    GoalPlanProposed,
    GoalPlanReturned,
    PlanWeight,
    SeenGoal,
)
from shared.schemas.identifiers import GoalId
from shared.schemas.personal_text import PersonalText
from tests.unit.services.goals.examples import (
    A_GOAL,
    HR,
    JANUARY,
    JUNE,
    MANAGER,
    NOW,
    OTHER_PARENT,
    OWNER,
    PARENT,
)

SECOND, THIRD = PARENT, OTHER_PARENT
FOURTH: Final = GoalId(UUID(int=0x4))
AMENDMENT: Final = UUID(int=0xA1)
as_owner: Final[dict[str, Any]] = {"by": OWNER, "standing": Standing(), "at": NOW, "policy": DEFAULT}
as_manager: Final[dict[str, Any]] = {**as_owner, "by": MANAGER, "standing": Standing(manager=True)}
as_hr: Final[dict[str, Any]] = {**as_owner, "by": HR, "standing": Standing(hr=True)}
period: Final[dict[str, Any]] = {"owner": OWNER, "level": GoalLevel.PERSON, "starts_on": JANUARY, "ends_on": JUNE}


def fact(goal: GoalId, **known: Any) -> GoalFact:
    asked: dict[str, Any] = {"goal": goal, "owner": OWNER, "active": True, "fingerprint": "as it was", **known}
    return GoalFact(**asked)


facts = (fact(A_GOAL), fact(SECOND), fact(THIRD))


def weights(*percent: str) -> tuple[PlanWeight, ...]:
    return tuple(
        PlanWeight(goal=goal, weight=Decimal(weight))
        for goal, weight in zip((A_GOAL, SECOND, THIRD, FOURTH), percent, strict=False)
    )


def by_hand(*percent: str) -> tuple[PlannedGoal, ...]:
    return tuple(PlannedGoal(goal=weight.goal, weight=weight.weight) for weight in weights(*percent))


def seen(weighed: tuple[PlanWeight, ...]) -> tuple[SeenGoal, ...]:
    return tuple(fact(weight.goal).seen for weight in weighed)


def propose(**changes: Any) -> ProposeGoalPlan:
    asked: dict[str, Any] = {**period, "goals": by_hand("50", "30", "20"), "facts": facts, **as_manager}
    return ProposeGoalPlan(**{**asked, **changes})


def draft(**changes: Any) -> DraftGoalPlan:
    asked: dict[str, Any] = {**period, "goals": by_hand("50", "30"), "facts": facts, **as_owner}
    del asked["standing"]
    return DraftGoalPlan(**{**asked, **changes})


def agree(**changes: Any) -> AgreeGoalPlan:
    asked: dict[str, Any] = {"facts": facts, **as_owner}
    return AgreeGoalPlan(**{**asked, **changes})


def send_back(comment: str = "Too much at once", **changes: Any) -> ReturnGoalPlan:
    asked: dict[str, Any] = {"comment": comment, **as_owner}
    return ReturnGoalPlan(**{**asked, **changes})


def proposed(*percent: str, **changes: Any) -> GoalPlanProposed:
    weighed = weights(*percent)
    said: dict[str, Any] = {**period, "weights": weighed, "seen": seen(weighed), "proposed_by": MANAGER}
    return GoalPlanProposed(**{**said, **changes})


drafted = GoalPlanDrafted(**period, weights=weights("50.00", "30.00"), drafted_by=OWNER)
proposed_by_hand = proposed("50.00", "30.00", "20.00")
sent_back = GoalPlanReturned(owner=OWNER, comment=PersonalText.about(OWNER, "Too much at once"), returned_by=OWNER)
agreed = GoalPlanAgreed(**period, weights=weights("50.00", "30.00", "20.00"), agreed_by=OWNER)


def amend(**changes: Any) -> ProposeAmendment:
    """Without the third goal, whose weight the other two take."""
    asked: dict[str, Any] = {
        "amendment": AMENDMENT,
        "goals": by_hand("60", "40"),
        "cancellations": (GoalCancellationBody(goal=THIRD, reason="priorities-changed"),),
        "reason": "The third is done by others",
        "facts": facts[:2],
        **as_manager,
    }
    return ProposeAmendment(**{**asked, **changes})


def approve(**changes: Any) -> ApproveAmendment:
    asked: dict[str, Any] = {"amendment": AMENDMENT, "facts": facts[:2], **as_owner}
    return ApproveAmendment(**{**asked, **changes})


def send_amendment_back(comment: str = "Let us keep it", **changes: Any) -> ReturnAmendment:
    asked: dict[str, Any] = {"amendment": AMENDMENT, "comment": comment, **as_owner}
    return ReturnAmendment(**{**asked, **changes})


def amendment_proposed(*percent: str, **changes: Any) -> GoalAmendmentProposed:
    weighed = weights(*percent)
    said: dict[str, Any] = {
        "amendment": AMENDMENT,
        "owner": OWNER,
        "weights": weighed,
        "seen": seen(weighed),
        "changes": (),
        "cancellations": (),
        "handovers": (),
        "reason": PersonalText.about(OWNER, "The third is done by others"),
        "proposed_by": MANAGER,
    }
    return GoalAmendmentProposed(**{**said, **changes})


def amended(*percent: str, **changes: Any) -> GoalPlanAmended:
    said: dict[str, Any] = {"amendment": AMENDMENT, "owner": OWNER, "weights": weights(*percent), "approved_by": OWNER}
    return GoalPlanAmended(**{**said, **changes})
