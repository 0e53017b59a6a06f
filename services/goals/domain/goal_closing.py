"""Goal closing: a person closes a goal; the calendar only says that its last day has passed."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pydantic import AwareDatetime

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import Achieved, Active, Cancelled, Goal, GoalEvent, active_or_rejected
from services.goals.domain.measurement import Reading, progress_after, progress_now
from services.goals.domain.metric import Figure
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goals import GoalAchieved, GoalCancelled, GoalExpired
from shared.schemas.values import ReasonCode


class AchieveGoalBody(RequestBody):
    """`value` is the final one; left out, it is the last one recorded."""

    value: Figure | None = None
    closed_on: date


class AchieveGoal(AchieveGoalBody, UnderPolicy, Command):
    """`rolled_up` is the percentage that the person who closes it was shown, of a goal measured by those below it."""

    rolled_up: Decimal | None = None


class CancelGoalBody(RequestBody):
    reason: ReasonCode


class CancelGoal(CancelGoalBody, Amendable): ...


class ExpireGoal(Command):
    """A day has ended in the zone: `ended_on`, at `due_at`, and that was found so many seconds later."""

    ended_on: date
    zone: str
    due_at: AwareDatetime
    late_seconds: int


def achieve(goal: Goal, command: AchieveGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Achieved) and command.value in (None, goal.value):
        return []
    active = active_or_rejected(goal)
    if command.closed_on < active.starts_on:
        raise Rejected("goal-must-not-close-before-it-starts", starts_on=active.starts_on, closed_on=command.closed_on)
    if active.scale is None and command.value is not None:
        raise Rejected("goal-is-measured-by-the-goals-below-it", value=command.value)
    value = active.current if command.value is None and active.scale is not None else command.value
    return [GoalAchieved(value=value, progress=_final_progress(active, command), closed_on=command.closed_on)]


def _final_progress(active: Active, command: AchieveGoal) -> Decimal | None:
    if active.scale is None:
        return command.rolled_up
    if command.value is not None:
        return progress_after(active.scale, active.measured, Reading(command.value, command.at)).capped
    progress = progress_now(active.scale, active.measured)
    return None if progress is None else progress.capped


def cancel(goal: Goal, command: CancelGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Cancelled):
        return []
    refuse_what_is_agreed(active_or_rejected(goal), command, "state")
    return [GoalCancelled(reason=command.reason)]


def expire(goal: Goal, command: ExpireGoal) -> Sequence[GoalEvent]:
    """An expired goal stays open: it is closed by a person."""
    match goal:
        case Active(expired=False, ends_on=ends_on) if ends_on <= command.ended_on:
            return [
                GoalExpired(
                    ended_on=ends_on, zone=command.zone, due_at=command.due_at, late_seconds=command.late_seconds
                )
            ]
        case _:
            return []
