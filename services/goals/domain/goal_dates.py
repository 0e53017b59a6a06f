"""Goal dates: a goal runs at other dates, inside its parent's and around its children's."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import Goal, GoalEvent, active_or_rejected
from services.goals.domain.parent import Placed, refuse_wrong_parent
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goal_changes import GoalRescheduled


class ChildDates(BaseModel):
    """What the goals below span, as the handler read it in the goal graph."""

    model_config = ConfigDict(frozen=True)

    starts_on: date
    ends_on: date


class RescheduleGoalBody(RequestBody):
    starts_on: date
    ends_on: date


class RescheduleGoal(RescheduleGoalBody, Placed, Amendable):
    """`below` is None where no goal that counts is below."""

    below: ChildDates | None = None


def reschedule(goal: Goal, command: RescheduleGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    if (active.starts_on, active.ends_on) == (command.starts_on, command.ends_on):
        return []
    refuse_what_is_agreed(active, command, "dates")
    refuse_end_before_start(command.starts_on, command.ends_on)
    refuse_wrong_parent(command, active.parent, command.starts_on, command.ends_on)
    _refuse_leaving_children_outside(command)
    return [
        GoalRescheduled(
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            previous_starts_on=active.starts_on,
            previous_ends_on=active.ends_on,
            amendment=command.amendment,
        )
    ]


def refuse_end_before_start(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise Rejected("goal-must-not-end-before-it-starts", starts_on=starts_on, ends_on=ends_on)


def _refuse_leaving_children_outside(command: RescheduleGoal) -> None:
    below = command.below
    if below is not None and (below.starts_on < command.starts_on or below.ends_on > command.ends_on):
        raise Rejected(
            "parent-dates-must-hold-its-children",
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            children_start_on=below.starts_on,
            children_end_on=below.ends_on,
        )
