"""The weights of a goal plan: by hand or equal, exactly 100.00 once it is agreed, within the company's limits."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.goals.domain.policy import Option, Policy
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goal_plans import PlanWeight
from shared.schemas.identifiers import GoalId
from shared.schemas.values import DecimalString

FULL_WEIGHT: Final = Decimal("100.00")
_HUNDREDTH: Final = Decimal("0.01")
MOST_GOALS: Final = 50

Percentage = Annotated[DecimalString, Field(ge=0, le=100, decimal_places=2)]
Step = Annotated[DecimalString, Field(gt=0, le=100, decimal_places=2)]


class _Limits(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _refuse_nothing_between(self) -> Self:
        least, most = self.model_dump().values()
        if least > most:
            raise ValueError("minimum must not exceed maximum")
        return self


class WeightLimits(_Limits):
    """In percent, each inclusive."""

    minimum: Percentage = Decimal("0.00")
    maximum: Percentage = FULL_WEIGHT


class CountLimits(_Limits):
    """How many, each inclusive."""

    minimum: int = Field(default=1, ge=1, le=MOST_GOALS)
    maximum: int = Field(default=MOST_GOALS, ge=1, le=MOST_GOALS)


PLAN_WEIGHTS: Final[Option[WeightLimits]] = Option(
    "plan-weights", WeightLimits, default=WeightLimits(), means="what one goal of an agreed plan may weigh, in percent"
)
PLAN_GOALS: Final[Option[CountLimits]] = Option(
    "plan-goals", CountLimits, default=CountLimits(), means="how many goals an agreed plan may have"
)
PLAN_WEIGHT_STEP: Final[Option[Decimal | None]] = Option(
    "plan-weight-step",
    Step | None,
    default=None,
    means="the weights of an agreed plan are whole multiples of this, in percent; null: any",
)


class PlannedGoal(RequestBody):
    """A goal that counts; weights are given for all goals of a plan, or for none: then they count equally."""

    goal: GoalId
    weight: Percentage | None = None


def equal_weights(goals: Sequence[GoalId]) -> tuple[PlanWeight, ...]:
    """The same weight for each, in percent to 2 places; the first ones take the hundredths that are left over."""
    each = (FULL_WEIGHT / len(goals)).quantize(_HUNDREDTH, rounding=ROUND_DOWN)
    left_over = int((FULL_WEIGHT - each * len(goals)) / _HUNDREDTH)
    return tuple(
        PlanWeight(goal=goal, weight=each + _HUNDREDTH if place < left_over else each)
        for place, goal in enumerate(goals)
    )


def weights_of(goals: Sequence[PlannedGoal]) -> tuple[PlanWeight, ...]:
    """The weights that are asked for.

    Raises:
        Rejected: a goal is named twice, or some weights are given and others are not.
    """
    named = [goal.goal for goal in goals]
    if len(set(named)) < len(named):
        raise Rejected("plan-must-name-a-goal-once", goals=named)
    by_hand = tuple(
        PlanWeight(goal=g.goal, weight=g.weight.quantize(_HUNDREDTH)) for g in goals if g.weight is not None
    )
    if by_hand and len(by_hand) < len(named):
        raise Rejected("weights-must-be-all-by-hand-or-all-equal", goals=len(named), by_hand=len(by_hand))
    return by_hand or equal_weights(named)


def refuse_weights_that_cannot_be_agreed(weights: Sequence[PlanWeight], policy: Policy) -> None:
    """Agreement is hard, drafting is not.

    Raises:
        Rejected: the total is not 100.00, or the policy allows no such weight or number of goals.
    """
    total = sum((weight.weight for weight in weights), Decimal("0.00"))
    if total != FULL_WEIGHT:
        raise Rejected("weights-must-total-100", total=total, required=FULL_WEIGHT)
    _refuse_count(len(weights), policy)
    for weight in weights:
        _refuse_weight(weight, policy)


def _refuse_count(number: int, policy: Policy) -> None:
    limits = policy[PLAN_GOALS]
    if not limits.minimum <= number <= limits.maximum:
        raise Rejected(
            "plan-must-keep-the-number-of-goals", number=number, minimum=limits.minimum, maximum=limits.maximum
        )


def _refuse_weight(weight: PlanWeight, policy: Policy) -> None:
    limits = policy[PLAN_WEIGHTS]
    if not limits.minimum <= weight.weight <= limits.maximum:
        raise Rejected(
            "weight-must-keep-the-limits",
            goal=weight.goal,
            weight=weight.weight,
            minimum=limits.minimum,
            maximum=limits.maximum,
        )
    step = policy[PLAN_WEIGHT_STEP]
    if step is not None and weight.weight % step:
        raise Rejected("weight-must-be-a-multiple-of-the-step", goal=weight.goal, weight=weight.weight, step=step)
