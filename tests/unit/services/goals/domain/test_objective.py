"""Rules of objectives: as far as their key results, 0.0 to 1.0, graded when closed, aspirations never for pay."""

from decimal import Decimal
from typing import Any

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_measure import ChooseMeasure
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.objective import (
    ASPIRATIONAL_FEEDS_PAY,
    GradeObjective,
    band_of,
    feeds_pay,
    score_of,
)
from services.goals.domain.policy import DEFAULT
from shared.schemas.event import Event
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goal_objectives import Commitment, ObjectiveGraded, ScoreBand
from shared.schemas.goals import GoalAchieved, GoalMissed, GoalReopened
from tests.spec import given
from tests.unit.services.goals.commands import BY_THE_OWNER, achieve, set_goal
from tests.unit.services.goals.examples import A_GOAL, JANUARY, JUNE, team_goal_set
from tests.unit.services.goals.plans import agree, fact, facts, proposed_by_hand
from tests.unit.services.goals.policies import choosing

ASPIRATIONAL = Commitment.ASPIRATIONAL
objective_set = team_goal_set.model_copy(update={"metric": None, "objective": ASPIRATIONAL})
WHY = "Two of three, and the third has begun"


def figure(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def grade(given_grade: str | None = None, *, rolled_up: str | None = "65", **changes: Any) -> GradeObjective:
    asked: dict[str, Any] = {
        "grade": figure(given_grade),
        "comment": WHY,
        "closed_on": JUNE,
        "rolled_up": figure(rolled_up),
        **BY_THE_OWNER,
    }
    return GradeObjective(**{**asked, **changes})


def graded(score: str | None, given_grade: str, band: ScoreBand) -> ObjectiveGraded:
    return ObjectiveGraded(
        commitment=ASPIRATIONAL,
        score=figure(score),
        grade=Decimal(given_grade),
        band=band,
        comment=WHY,
    )


def closed(closing: type[GoalAchieved | GoalMissed], progress: str) -> Event:
    return closing(value=None, progress=Decimal(progress), closed_on=JUNE)


@pytest.mark.parametrize(
    ("progress", "score"), [("70", "0.70"), ("69.5", "0.70"), ("69.499999999999", "0.69"), ("0", "0.00"), (None, None)]
)
def test_the_score_is_the_progress_of_its_key_results_rounded_half_up_once(
    progress: str | None, score: str | None
) -> None:
    assert score_of(figure(progress)) == figure(score)


@pytest.mark.parametrize(
    ("score", "band"),
    [
        ("1.00", ScoreBand.GREEN),
        ("0.70", ScoreBand.GREEN),
        ("0.69", ScoreBand.YELLOW),
        ("0.40", ScoreBand.YELLOW),
        ("0.39", ScoreBand.RED),
        ("0.00", ScoreBand.RED),
    ],
)
def test_the_bands_begin_at_0_7_and_0_4(score: str, band: ScoreBand) -> None:
    assert band_of(Decimal(score)) is band


def test_an_objective_is_set_without_a_measure_of_its_own() -> None:
    given(GOAL).when(set_goal(metric=None, objective=ASPIRATIONAL)).then(objective_set)
    rule = "objective-must-be-measured-by-its-key-results"
    given(GOAL).when(set_goal(objective=ASPIRATIONAL)).then_rejected(rule)
    by_hand = set_goal(metric=None, objective=ASPIRATIONAL, measured_by=MeasuredBy.MANUAL)
    given(GOAL).when(by_hand).then_rejected(rule, measured_by=MeasuredBy.MANUAL)
    choose = ChooseMeasure(measured_by=MeasuredBy.MANUAL, **BY_THE_OWNER)
    given(GOAL, objective_set).when(choose).then_rejected(rule, measured_by=MeasuredBy.MANUAL)


def test_it_is_graded_by_its_score_or_otherwise_and_from_0_7_on_it_is_achieved() -> None:
    by_score = graded("0.65", "0.65", ScoreBand.YELLOW)
    given(GOAL, objective_set).when(grade()).then(by_score, closed(GoalMissed, "65.00"))
    otherwise = graded("0.65", "0.70", ScoreBand.GREEN)
    given(GOAL, objective_set).when(grade("0.7")).then(otherwise, closed(GoalAchieved, "70.00"))


def test_without_a_score_somebody_says_the_grade() -> None:
    given(GOAL, objective_set).when(grade(rolled_up=None)).then_rejected("objective-without-a-score-needs-a-grade")
    unmeasured = graded(None, "0.20", ScoreBand.RED)
    given(GOAL, objective_set).when(grade("0.2", rolled_up=None)).then(unmeasured, closed(GoalMissed, "20.00"))


def test_grading_twice_changes_nothing_and_another_grade_needs_it_reopened() -> None:
    history = (objective_set, graded("0.65", "0.65", ScoreBand.YELLOW), closed(GoalMissed, "65.00"))
    given(GOAL, *history).when(grade()).then_nothing()
    given(GOAL, *history).when(grade("0.65", rolled_up="90")).then_nothing()
    given(GOAL, *history).when(grade("0.9")).then_rejected("goal-is-not-active")
    again = GoalReopened(reason="graded-too-early", ends_on=JUNE, value=None, progress=None)
    anew = graded("0.90", "0.90", ScoreBand.GREEN)
    given(GOAL, *history, again).when(grade(rolled_up="90")).then(anew, closed(GoalAchieved, "90.00"))


def test_an_objective_is_closed_by_its_grade_alone_and_nothing_else_is_graded() -> None:
    given(GOAL, objective_set).when(achieve()).then_rejected("objective-is-closed-by-its-grade", objective=ASPIRATIONAL)
    given(GOAL, team_goal_set).when(grade()).then_rejected("only-an-objective-is-graded")
    early = grade(closed_on=JANUARY.replace(year=2025))
    given(GOAL, objective_set).when(early).then_rejected("goal-must-not-close-before-it-starts", starts_on=JANUARY)


def test_an_aspirational_objective_weighs_nothing_in_a_plan_unless_the_policy_says_so() -> None:
    aspiring = (fact(A_GOAL, aspirational=True), *facts[1:])
    given(GOAL_PLAN, proposed_by_hand).when(agree(facts=aspiring)).then_rejected(
        "aspirational-objective-must-weigh-nothing", goal=A_GOAL
    )
    committed = GOAL_PLAN.decide(GOAL_PLAN.fold([proposed_by_hand]), agree())
    paid = agree(facts=aspiring, policy=choosing(ASPIRATIONAL_FEEDS_PAY, True))
    assert list(GOAL_PLAN.decide(GOAL_PLAN.fold([proposed_by_hand]), paid)) == list(committed)


def test_pay_may_rest_on_anything_but_aspirations() -> None:
    assert [feeds_pay(commitment, DEFAULT) for commitment in (None, Commitment.COMMITTED, ASPIRATIONAL)] == [
        True,
        True,
        False,
    ]
    assert feeds_pay(ASPIRATIONAL, choosing(ASPIRATIONAL_FEEDS_PAY, True))
