"""Rules of goals that are bound to a KPI: it moves them, nobody's hand does, and the agreed target stays."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_kpi import BindGoalToKpi, FollowKpi, UnbindGoalFromKpi
from services.goals.domain.goal_states import Active
from services.goals.domain.kpi_window import days_of
from shared.schemas.goal_changes import GoalRetargeted
from shared.schemas.goal_metrics import Keep, KeepPeriod, MeasuredBy, Metric, MetricKind
from shared.schemas.goals import GoalProgressRecorded, ProgressSource
from shared.schemas.identifiers import SYSTEM, KpiId
from shared.schemas.kpis import GoalBoundToKpi, GoalUnboundFromKpi, KpiAggregation, KpiValueRefusedByGoal, KpiWindow
from tests.spec import given
from tests.unit.services.goals.commands import record
from tests.unit.services.goals.examples import A_GOAL, MANAGER, NOW, achieved, cancelled, halfway, team_goal_set
from tests.unit.services.goals.kpi_examples import A_KPI, MEASURED_AT, number, percent

tickets = number.model_copy(update={"unit": "tickets"})
bound = GoalBoundToKpi(kpi=A_KPI, aggregation=KpiAggregation.SUM, window=KpiWindow.GOAL_PERIOD)


def bind(**changes: Any) -> BindGoalToKpi:
    asked: dict[str, Any] = {
        "kpi": A_KPI,
        "aggregation": KpiAggregation.SUM,
        "defined": tickets,
        "at": NOW,
        "by": MANAGER,
    }
    return BindGoalToKpi(**{**asked, **changes})


def follow(value: str, **changes: Any) -> FollowKpi:
    said: dict[str, Any] = {"kpi": A_KPI, "measured_at": MEASURED_AT, "at": NOW, "by": SYSTEM}
    return FollowKpi(value=Decimal(value), **{**said, **changes})


unbind = UnbindGoalFromKpi(reason="measured-by-hand", at=NOW, by=MANAGER)


def moved(value: str, percent: str, **changes: Any) -> GoalProgressRecorded:
    return GoalProgressRecorded(
        value=Decimal(value),
        raw_progress=Decimal(percent),
        progress=Decimal(percent),
        regressed=False,
        measured_at=MEASURED_AT,
        source=ProgressSource.KPI,
    ).model_copy(update=changes)


def test_a_goal_is_bound_to_a_kpi_once() -> None:
    given(GOAL, team_goal_set).when(bind()).then(bound)
    given(GOAL, team_goal_set, bound).when(bind()).then_nothing()


def test_a_binding_changes_to_another_window() -> None:
    monthly = bind(window=KpiWindow.LATEST_MONTH)
    changed = bound.model_copy(update={"window": KpiWindow.LATEST_MONTH})
    given(GOAL, team_goal_set, bound).when(monthly).then(changed)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"defined": None}, "kpi-must-be-defined"),
        ({"defined": tickets.model_copy(update={"retired": True})}, "kpi-is-retired"),
        ({"aggregation": KpiAggregation.RATIO_OF_SUMS}, "kpi-aggregation-must-fit-its-kind"),
        ({"defined": percent}, "kpi-aggregation-must-fit-its-kind"),
        ({"defined": tickets.model_copy(update={"unit": "EUR"})}, "goal-and-kpi-must-share-their-unit"),
    ],
)
def test_a_goal_is_bound_to_what_fits_it(changes: dict[str, Any], rule: str) -> None:
    given(GOAL, team_goal_set).when(bind(**changes)).then_rejected(rule)


def test_a_unit_that_nobody_named_fits_any() -> None:
    given(GOAL, team_goal_set).when(bind(defined=number)).then(bound)


def test_a_goal_that_its_metric_does_not_measure_is_not_bound() -> None:
    below = team_goal_set.model_copy(update={"metric": None, "measured_by": MeasuredBy.CHILDREN})
    given(GOAL, below).when(bind()).then_rejected(
        "goal-must-be-measured-by-its-metric-to-follow-a-kpi", measured_by=MeasuredBy.CHILDREN
    )


def test_bounds_to_keep_take_a_value_for_each_period_and_are_not_bound() -> None:
    keep = Keep(least=Decimal(1), most=None, period=KeepPeriod.MONTH)
    kept = Metric(kind=MetricKind.KEEP, start=None, target=None, keep=keep)
    goal = team_goal_set.model_copy(update={"metric": kept})
    given(GOAL, goal).when(bind()).then_rejected("goal-metric-must-be-one-value-to-follow-a-kpi", kind=MetricKind.KEEP)


@pytest.mark.parametrize("end", [achieved, cancelled])
def test_a_closed_goal_is_not_bound(end: Any) -> None:
    given(GOAL, team_goal_set, end).when(bind()).then_rejected("goal-is-not-active")


def test_a_bound_goal_takes_no_value_by_hand() -> None:
    given(GOAL, team_goal_set, bound).when(record("100")).then_rejected("goal-is-bound-to-a-kpi", kpi=A_KPI)


def test_nobody_says_that_a_kpi_measured_it() -> None:
    asked = record("100", source=ProgressSource.KPI)
    given(GOAL, team_goal_set).when(asked).then_rejected("only-a-binding-measures-as-a-kpi")


def test_a_bound_goal_moves_with_its_kpi() -> None:
    given(GOAL, team_goal_set, bound).when(follow("100")).then(moved("100", "50"))


def test_a_bound_goal_that_is_there_already_does_not_move() -> None:
    given(GOAL, team_goal_set, bound, moved("100", "50")).when(follow("100")).then_nothing()


def test_a_value_at_the_start_is_a_measurement_too() -> None:
    given(GOAL, team_goal_set, bound).when(follow("200")).then(moved("200", "0"))


def test_a_correction_of_an_earlier_day_moves_the_goal_too() -> None:
    """The value would speak of an earlier moment than what the goal knows, and move nothing."""
    earlier = follow("80", measured_at=MEASURED_AT - timedelta(days=3))
    given(GOAL, team_goal_set, bound, moved("100", "50")).when(earlier).then(moved("80", "60"))


def test_a_value_typed_in_before_does_not_hold_the_kpi_back() -> None:
    given(GOAL, team_goal_set, halfway, bound).when(follow("80")).then(
        moved("80", "60", measured_at=halfway.measured_at)
    )


def test_a_goal_keeps_the_target_that_was_agreed() -> None:
    goal = GOAL.fold([team_goal_set, bound, moved("100", "50")])
    assert isinstance(goal, Active)
    assert goal.metric == team_goal_set.metric


@pytest.mark.parametrize(
    "history",
    [
        [],
        [team_goal_set],
        [team_goal_set, bound, achieved],
        [team_goal_set, bound, GoalUnboundFromKpi(kpi=A_KPI, reason="measured-by-hand")],
        [team_goal_set, bound.model_copy(update={"kpi": KpiId(A_GOAL)})],
    ],
)
def test_what_is_not_bound_to_the_kpi_does_not_follow_it(history: list[Any]) -> None:
    given(GOAL, *history).when(follow("100")).then_nothing()


def test_a_value_that_the_metric_has_no_place_for_is_told_once_and_moves_nothing() -> None:
    milestones = Metric(kind=MetricKind.MILESTONES, start=Decimal(0), target=Decimal(4))
    goal = team_goal_set.model_copy(update={"metric": milestones})
    refused = KpiValueRefusedByGoal(
        kpi=A_KPI, value=Decimal("2.5"), rule="milestones-done-must-be-a-whole-number-up-to-all"
    )
    given(GOAL, goal, bound).when(follow("2.5")).then(refused)
    given(GOAL, goal, bound, refused).when(follow("2.5")).then_nothing()
    given(GOAL, goal, bound, refused).when(follow("3")).then(moved("3", "75"))


def test_a_value_that_was_refused_is_tried_again_by_another_target() -> None:
    few = Metric(kind=MetricKind.MILESTONES, start=Decimal(0), target=Decimal(4))
    more = few.model_copy(update={"target": Decimal(10)})
    goal = team_goal_set.model_copy(update={"metric": few})
    refused = KpiValueRefusedByGoal(
        kpi=A_KPI, value=Decimal(5), rule="milestones-done-must-be-a-whole-number-up-to-all"
    )
    retargeted = GoalRetargeted(metric=more, previous=few, raw_progress=None, progress=None, regressed=False)
    given(GOAL, goal, bound, refused, retargeted).when(follow("5")).then(moved("5", "50"))


def test_an_unbound_goal_moves_by_hand_again() -> None:
    unbound = GoalUnboundFromKpi(kpi=A_KPI, reason="measured-by-hand")
    given(GOAL, team_goal_set, bound).when(unbind).then(unbound)
    given(GOAL, team_goal_set).when(unbind).then_nothing()
    assert GOAL.decide(GOAL.fold([team_goal_set, bound, unbound]), record("100"))


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        (KpiWindow.GOAL_PERIOD, date(2026, 1, 15), date(2026, 12, 20)),
        (KpiWindow.LATEST_DAY, date(2026, 12, 16), date(2026, 12, 16)),
        (KpiWindow.LATEST_WEEK, date(2026, 12, 14), date(2026, 12, 20)),
        (KpiWindow.LATEST_MONTH, date(2026, 12, 1), date(2026, 12, 20)),
        (KpiWindow.LATEST_QUARTER, date(2026, 10, 1), date(2026, 12, 20)),
    ],
)
def test_a_window_is_a_calendar_period_within_the_goals_own(window: KpiWindow, first: date, last: date) -> None:
    assert days_of(window, date(2026, 12, 16), date(2026, 1, 15), date(2026, 12, 20)) == (first, last)


@pytest.mark.parametrize(
    ("day", "month", "quarter"),
    [
        (date(2026, 2, 3), (date(2026, 2, 1), date(2026, 2, 28)), (date(2026, 1, 1), date(2026, 3, 31))),
        (date(2028, 2, 29), (date(2028, 2, 1), date(2028, 2, 29)), (date(2028, 1, 1), date(2028, 3, 31))),
        (date(2026, 12, 31), (date(2026, 12, 1), date(2026, 12, 31)), (date(2026, 10, 1), date(2026, 12, 31))),
    ],
)
def test_months_and_quarters_are_those_of_the_calendar(
    day: date, month: tuple[date, date], quarter: tuple[date, date]
) -> None:
    for_ever = (date(1900, 1, 1), date(2999, 12, 31))
    assert days_of(KpiWindow.LATEST_MONTH, day, *for_ever) == month
    assert days_of(KpiWindow.LATEST_QUARTER, day, *for_ever) == quarter
