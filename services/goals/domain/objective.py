"""Objective: a goal measured by its key results, scored 0.00 to 1.00, and graded by a person when it is closed."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final, Protocol

from pydantic import Field

from services.goals.domain.goal_states import Achieved, Active, Goal, GoalEvent, Missed, active_or_rejected
from services.goals.domain.goal_wording import written
from services.goals.domain.policy import Option, Policy, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goal_objectives import Commitment, ObjectiveGraded, ScoreBand
from shared.schemas.goal_plans import PlanWeight
from shared.schemas.goals import GoalAchieved, GoalMissed
from shared.schemas.identifiers import GoalId
from shared.schemas.values import DecimalString, LongText

_GREEN_FROM: Final = Decimal("0.70")
_YELLOW_FROM: Final = Decimal("0.40")
_HUNDREDTH: Final = Decimal("0.01")

ASPIRATIONAL_FEEDS_PAY: Final[Option[bool]] = Option(
    "aspirational-objectives-feed-pay", bool, default=False, means="whether pay may rest on aspirational objectives"
)


class Measured(Protocol):
    """What is to be set: an objective or not, and what measures it."""

    @property
    def objective(self) -> Commitment | None: ...
    @property
    def metric(self) -> object | None: ...
    @property
    def measured_by(self) -> MeasuredBy | None: ...


class GradeObjectiveBody(RequestBody):
    """`grade` left out is the score of the key results."""

    grade: Annotated[DecimalString, Field(ge=0, le=1, decimal_places=2)] | None = None
    comment: LongText
    closed_on: date


class GradeObjective(GradeObjectiveBody, UnderPolicy, Command):
    """`rolled_up` is the objective's progress that the person was shown, in percent; None: nothing was measured."""

    rolled_up: Decimal | None = None


def score_of(progress: Decimal | None) -> Decimal | None:
    """The weighted mean of the key results, 0.00 to 1.00, half up; None: none of them was measured."""
    return None if progress is None else (progress / 100).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)


def band_of(score: Decimal) -> ScoreBand:
    """The band of a score as it is shown, with 2 places."""
    if score >= _GREEN_FROM:
        return ScoreBand.GREEN
    return ScoreBand.YELLOW if score >= _YELLOW_FROM else ScoreBand.RED


def feeds_pay(commitment: Commitment | None, policy: Policy) -> bool:
    """Whether pay may rest on the goal; `commitment` is None for what is no objective."""
    return commitment is not Commitment.ASPIRATIONAL or policy[ASPIRATIONAL_FEEDS_PAY]


def refuse_pay_for_aspirations(weights: Sequence[PlanWeight], aspirational: Collection[GoalId], policy: Policy) -> None:
    """What an agreed plan weighs is what is rated and paid for: an aspirational objective is in it with weight 0.

    Raises:
        Rejected: one weighs more, and the policy does not let pay rest on it.
    """
    if policy[ASPIRATIONAL_FEEDS_PAY]:
        return
    for weight in weights:
        if weight.goal in aspirational and weight.weight:
            raise Rejected("aspirational-objective-must-weigh-nothing", goal=weight.goal, weight=weight.weight)


def refuse_other_measures(command: Measured) -> None:
    """An objective is as far as its key results, the goals below it.

    Raises:
        Rejected: it shall be measured by something else.
    """
    if command.objective is None:
        return
    if command.metric is not None or command.measured_by not in (None, MeasuredBy.CHILDREN):
        raise Rejected("objective-must-be-measured-by-its-key-results", measured_by=command.measured_by)


def grade(goal: Goal, command: GradeObjective) -> Sequence[GoalEvent]:
    """The grade is the figure that stays, whatever the key results do afterwards; from 0.70 on it is achieved."""
    if isinstance(goal, Achieved | Missed) and _is_graded_so(goal.was, command):
        return []
    active = active_or_rejected(goal)
    if active.objective is None:
        raise Rejected("only-an-objective-is-graded")
    if command.closed_on < active.starts_on:
        raise Rejected("goal-must-not-close-before-it-starts", starts_on=active.starts_on, closed_on=command.closed_on)
    graded = _graded(active, active.objective, command)
    closing = GoalAchieved if graded.band is ScoreBand.GREEN else GoalMissed
    return [graded, closing(value=None, progress=graded.grade * 100, closed_on=command.closed_on)]


def _is_graded_so(was: Active, command: GradeObjective) -> bool:
    return was.graded is not None and command.grade in (None, was.graded.grade)


def _graded(active: Active, objective: Commitment, command: GradeObjective) -> ObjectiveGraded:
    score = score_of(command.rolled_up)
    given = score if command.grade is None else command.grade.quantize(_HUNDREDTH)
    if given is None:
        raise Rejected("objective-without-a-score-needs-a-grade")
    return ObjectiveGraded(
        commitment=objective,
        score=score,
        grade=given,
        band=band_of(given),
        comment=written(active.level, active.owner, command.comment),
    )
