"""Goal carry-over: a goal goes on in a later period as a goal of its own, and the two name each other."""

from collections.abc import Sequence
from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.goals.domain.goal_setting import SetGoal
from services.goals.domain.goal_states import Achieved, Active, Cancelled, Goal, GoalEvent, Missed, NotSet
from services.goals.domain.goal_wording import TextsNow
from services.goals.domain.metric import MetricBody, body_of
from services.goals.domain.parent import ParentGoal
from services.goals.domain.policy import Policy, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_metrics import Metric
from shared.schemas.goal_ties import GoalCarriedOver
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.values import ShortText


class CarryOverGoalBody(RequestBody):
    """The dates of the goal that goes on, and what it hangs below; measured from where this one stands, or anew.

    `title` is needed where the old one was erased.
    """

    starts_on: date
    ends_on: date
    parent: GoalId | None = None
    from_current_value: bool = True
    title: ShortText | None = None


class GoesOn(BaseModel):
    """What the handler knows of the goal that goes on: its texts in clear, what is above it, who asks and when."""

    model_config = ConfigDict(frozen=True)

    texts: TextsNow
    carried_from: GoalId
    above: ParentGoal | None
    employed: bool
    at: AwareDatetime
    by: PersonId
    policy: Policy


class CarryOverGoal(UnderPolicy, Command):
    """`to` is the new goal's id, which `starts_on` this day."""

    to: GoalId
    starts_on: date


def carry_over(goal: Goal, command: CarryOverGoal) -> Sequence[GoalEvent]:
    """An open goal stays open: a person closes it, with what was reached in its own period."""
    before = _going_on(goal)
    if before.carried_to is not None:
        if before.carried_to == command.to:
            return []
        raise Rejected("goal-is-carried-over-once", carried_to=before.carried_to)
    if command.starts_on <= before.ends_on:
        raise Rejected(
            "carried-goal-must-start-after-the-one-before", starts_on=command.starts_on, after=before.ends_on
        )
    return [GoalCarriedOver(to=command.to)]


def set_again(goal: Goal, body: CarryOverGoalBody, new: GoalId, *, known: GoesOn) -> SetGoal:
    """The command that sets the goal which goes on as `new`: the same wish, in other dates.

    Raises:
        Rejected: its title was erased, and none was given.
    """
    before = _going_on(goal)
    if (title := body.title or known.texts.title) is None:
        raise Rejected("erased-title-must-be-written-anew")
    return SetGoal(
        goal=new,
        level=before.level,
        owner=before.owner,
        team=before.team,
        title=title,
        description=known.texts.description,
        measured_by=before.measured_by,
        metric=None if before.metric is None else _metric_again(before.metric, before, body),
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        parent=body.parent,
        parent_goal=known.above,
        values=before.stands_for.values,
        competencies=before.stands_for.competencies,
        tags=before.stands_for.tags,
        contributors=before.contributors,
        visibility=before.visibility,
        carried_from=known.carried_from,
        objective=before.objective,
        employed=known.employed,
        at=known.at,
        by=known.by,
        policy=known.policy,
    )


def _metric_again(metric: Metric, before: Active, body: CarryOverGoalBody) -> MetricBody:
    """A way begins where the last one ended, unless that is its target already."""
    moved = body.from_current_value and metric.start is not None and before.current not in (None, metric.target)
    return MetricBody.model_validate({**dict(body_of(metric)), "start": before.current if moved else metric.start})


def _going_on(goal: Goal) -> Active:
    """The goal as it is, or was before it was closed.

    Raises:
        Rejected: it was never set, or it is cancelled.
    """
    match goal:
        case Active():
            return goal
        case Achieved(was=was) | Missed(was=was):
            return was
        case NotSet() | Cancelled():
            raise Rejected("goal-does-not-go-on", state=type(goal).__name__)


def goes_on(goal: Goal) -> GoalId | None:
    """The goal of a later period that this one goes on as."""
    if isinstance(goal, NotSet):
        return None
    return goal.carried_to if isinstance(goal, Active) else goal.was.carried_to
