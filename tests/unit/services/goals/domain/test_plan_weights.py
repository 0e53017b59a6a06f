"""Weights of a plan: the equal split, and what is no weight at all."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from services.goals.domain.plan_weights import (
    PLAN_GOALS,
    PLAN_WEIGHT_STEP,
    PLAN_WEIGHTS,
    CountLimits,
    PlannedGoal,
    WeightLimits,
    equal_weights,
    refuse_weights_that_cannot_be_agreed,
)
from services.goals.domain.policy import DEFAULT
from shared.eventsourcing.decider import Rejected
from shared.schemas.goal_plans import PlanWeight
from shared.schemas.identifiers import GoalId
from tests.unit.services.goals.examples import A_GOAL
from tests.unit.services.goals.policies import choosing


def weighed(*percent: str) -> list[PlanWeight]:
    return [PlanWeight(goal=GoalId(UUID(int=n)), weight=Decimal(weight)) for n, weight in enumerate(percent, start=1)]


@pytest.mark.parametrize("weight", ["-1", "100.01", "33.333", 50])
def test_a_malformed_weight_is_no_request(weight: object) -> None:
    with pytest.raises(ValidationError, match="weight"):
        PlannedGoal.model_validate({"goal": A_GOAL, "weight": weight})


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, ["100.00"]),
        (3, ["33.34", "33.33", "33.33"]),
        (6, ["16.67", "16.67", "16.67", "16.67", "16.66", "16.66"]),
    ],
)
def test_an_equal_split_gives_the_rounding_rest_to_the_first_ones(count: int, expected: list[str]) -> None:
    split = equal_weights([GoalId(UUID(int=number)) for number in range(count)])
    assert [str(weight.weight) for weight in split] == expected


@for_all(st.integers(min_value=1, max_value=50))
def test_an_equal_split_totals_exactly_100(count: int) -> None:
    split = [weight.weight for weight in equal_weights([GoalId(UUID(int=number)) for number in range(count)])]
    assert sum(split) == Decimal("100.00")
    assert max(split) - min(split) <= Decimal("0.01")


@pytest.mark.parametrize(("percent", "number"), [(("100.00",), 1), (("25.00", "25.00", "25.00", "25.00"), 4)])
def test_an_agreed_plan_keeps_the_number_of_goals(percent: tuple[str, ...], number: int) -> None:
    policy = choosing(PLAN_GOALS, CountLimits(minimum=2, maximum=3))
    with pytest.raises(Rejected) as rejected:
        refuse_weights_that_cannot_be_agreed(weighed(*percent), policy)
    assert rejected.value.rule == "plan-must-keep-the-number-of-goals"
    assert rejected.value.values == {"number": number, "minimum": 2, "maximum": 3}
    refuse_weights_that_cannot_be_agreed(weighed("50.00", "50.00"), policy)


@pytest.mark.parametrize("percent", [("95.00", "5.00"), ("39.99", "60.01")])
def test_each_weight_of_an_agreed_plan_keeps_the_limits(percent: tuple[str, ...]) -> None:
    policy = choosing(PLAN_WEIGHTS, WeightLimits(minimum=Decimal(10), maximum=Decimal(60)))
    with pytest.raises(Rejected) as rejected:
        refuse_weights_that_cannot_be_agreed(weighed(*percent), policy)
    assert rejected.value.rule == "weight-must-keep-the-limits"
    assert (rejected.value.values["minimum"], rejected.value.values["maximum"]) == (10, 60)
    refuse_weights_that_cannot_be_agreed(weighed("40.00", "60.00"), policy)


def test_the_weights_of_an_agreed_plan_go_in_steps_where_the_policy_says_so() -> None:
    in_fives = choosing(PLAN_WEIGHT_STEP, Decimal(5))
    refuse_weights_that_cannot_be_agreed(weighed("55.00", "45.00"), in_fives)
    refuse_weights_that_cannot_be_agreed(weighed("52.50", "47.50"), DEFAULT)
    with pytest.raises(Rejected) as rejected:
        refuse_weights_that_cannot_be_agreed(weighed("52.50", "47.50"), in_fives)
    assert rejected.value.rule == "weight-must-be-a-multiple-of-the-step"
    assert rejected.value.values == {"goal": GoalId(UUID(int=1)), "weight": Decimal("52.50"), "step": Decimal(5)}


@pytest.mark.parametrize("limits", [{"minimum": "60", "maximum": "40"}, {"minimum": "-1"}, {"maximum": 40}])
def test_limits_that_nothing_could_keep_are_none(limits: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WeightLimits.model_validate(limits)
