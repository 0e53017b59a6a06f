"""Rules of taking a given goal back: only what nothing rests on."""

from datetime import timedelta
from decimal import Decimal

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_withdrawal import UNDONE, WithdrawGoal
from shared.schemas.goal_changes import GoalLocked
from shared.schemas.goal_ties import GoalCarriedOver
from shared.schemas.goals import GoalCancelled, GoalProgressRecorded, ProgressSource
from shared.schemas.identifiers import GoalPlanId
from tests.spec import given
from tests.unit.services.goals.examples import AGREEMENT, HR, NOW, PARENT, team_goal_set

PLAN = GoalPlanId(AGREEMENT)
cancelled = GoalCancelled(reason=UNDONE, comment=None)
progressed = GoalProgressRecorded(
    value=Decimal(150),
    progress=Decimal(25),
    raw_progress=Decimal(25),
    regressed=False,
    measured_at=NOW - timedelta(days=1),
    source=ProgressSource.MANUAL,
)


def withdraw(*, resting: int = 0, plan: GoalPlanId | None = None) -> WithdrawGoal:
    return WithdrawGoal(resting=resting, plan=plan, at=NOW, by=HR)


def test_a_goal_that_nothing_rests_on_is_cancelled() -> None:
    given(GOAL, team_goal_set).when(withdraw()).then(cancelled)
    given(GOAL, team_goal_set, cancelled).when(withdraw()).then_nothing()


def test_a_goal_with_progress_stays() -> None:
    given(GOAL, team_goal_set, progressed).when(withdraw()).then_rejected(
        "withdrawn-goal-must-have-no-progress", value=Decimal(150)
    )


def test_a_goal_that_a_plan_names_or_holds_stays() -> None:
    given(GOAL, team_goal_set).when(withdraw(plan=PLAN)).then_rejected("withdrawn-goal-must-not-be-planned", plan=PLAN)
    locked = GoalLocked(agreement=AGREEMENT)
    given(GOAL, team_goal_set, locked).when(withdraw()).then_rejected("withdrawn-goal-must-not-be-planned", plan=PLAN)


def test_a_goal_with_others_below_it_stays() -> None:
    given(GOAL, team_goal_set).when(withdraw(resting=2)).then_rejected("withdrawn-goal-must-carry-no-others", goals=2)


def test_a_goal_that_goes_on_in_a_later_period_stays() -> None:
    going_on = GoalCarriedOver(to=PARENT)
    given(GOAL, team_goal_set, going_on).when(withdraw()).then_rejected(
        "withdrawn-goal-must-not-go-on", carried_to=PARENT
    )


def test_what_is_not_there_is_not_withdrawn() -> None:
    given(GOAL).when(withdraw()).then_rejected("goal-is-not-active", state="NotSet")
