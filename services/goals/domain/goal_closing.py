"""Goal closing: a person closes a goal; the calendar only says that its last day has passed."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from pydantic import AwareDatetime

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import (
    Achieved,
    Active,
    Cancelled,
    Closed,
    Goal,
    GoalEvent,
    Missed,
    active_or_rejected,
)
from services.goals.domain.measurement import Reading, progress_after, progress_now
from services.goals.domain.metric import Figure
from services.goals.domain.parent import Placed, refuse_wrong_parent
from services.goals.domain.policy import Option, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goals import GoalAchieved, GoalCancelled, GoalExpired, GoalMissed, GoalReopened
from shared.schemas.identifiers import GoalId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import Known, LongText, OpenEnum, ReasonCode


class CloseGoalBody(RequestBody):
    """`value` is the final one; left out, it is the last one recorded. `comment` is kept as personal text."""

    value: Figure | None = None
    closed_on: date
    comment: LongText | None = None


class CloseGoal(CloseGoalBody, UnderPolicy, Command):
    """`rolled_up` is the percentage that the person who closes it was shown, of a goal measured by those below it."""

    rolled_up: Decimal | None = None


class AchieveGoal(CloseGoal): ...


class MissGoal(CloseGoal): ...


class ChildrenGo(OpenEnum):
    """Where the open goals below a cancelled one go."""

    CANCELLED_TOO = "cancelled-too"
    TO_ITS_PARENT = "to-its-parent"
    TO_ANOTHER_GOAL = "to-another-goal"
    UNDER_NONE = "under-none"


CHILDREN_OF_LEAVERS_GOALS: Final[Option[ChildrenGo]] = Option(
    "children-of-leavers-goals",
    Literal[ChildrenGo.TO_ITS_PARENT, ChildrenGo.UNDER_NONE, ChildrenGo.CANCELLED_TOO],
    default=ChildrenGo.TO_ITS_PARENT,
    means="where the open goals below a goal go that is cancelled since its owner has left",
)


class CancelGoalBody(RequestBody):
    """`children`: where the open goals below go, `to` which one if that is another goal."""

    reason: ReasonCode
    comment: LongText | None = None
    children: Known[ChildrenGo] | None = None
    to: GoalId | None = None


class CancelGoal(CancelGoalBody, Amendable):
    """`left` are the open goals below of which nobody said where they go."""

    left: tuple[GoalId, ...] = ()


class ReopenGoalBody(RequestBody):
    reason: ReasonCode
    comment: LongText | None = None


class ReopenGoal(ReopenGoalBody, Placed, UnderPolicy, Command): ...


class ExpireGoal(Command):
    """A day has ended in the zone: `ended_on`, at `due_at`, and that was found so many seconds later."""

    ended_on: date
    zone: str
    due_at: AwareDatetime
    late_seconds: int


def achieve(goal: Goal, command: AchieveGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Achieved) and command.value in (None, goal.value):
        return []
    active, value, progress = _final(goal, command)
    comment = _about_the_owner(active, command.comment)
    return [GoalAchieved(value=value, progress=progress, closed_on=command.closed_on, comment=comment)]


def miss(goal: Goal, command: MissGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Missed) and command.value in (None, goal.value):
        return []
    active, value, progress = _final(goal, command)
    comment = _about_the_owner(active, command.comment)
    return [GoalMissed(value=value, progress=progress, closed_on=command.closed_on, comment=comment)]


def _refuse_other_closings(active: Active) -> None:
    """An objective is graded by whoever closes it, who says why."""
    if active.objective is not None:
        raise Rejected("objective-is-closed-by-its-grade", objective=active.objective)


def _final(goal: Goal, command: CloseGoal) -> tuple[Active, Decimal | None, Decimal | None]:
    """The open goal with its final value and progress."""
    active = active_or_rejected(goal)
    _refuse_other_closings(active)
    if command.closed_on < active.starts_on:
        raise Rejected("goal-must-not-close-before-it-starts", starts_on=active.starts_on, closed_on=command.closed_on)
    if active.scale is None and command.value is not None:
        raise Rejected("goal-is-measured-by-the-goals-below-it", value=command.value)
    value = active.current if command.value is None and active.scale is not None else command.value
    return active, value, _final_progress(active, command)


def _final_progress(active: Active, command: CloseGoal) -> Decimal | None:
    if active.scale is None:
        return command.rolled_up
    if command.value is not None:
        return progress_after(active.scale, active.measured, Reading(command.value, command.at)).capped
    return _known_progress(active)


def _known_progress(active: Active) -> Decimal | None:
    progress = None if active.scale is None else progress_now(active.scale, active.measured)
    return None if progress is None else progress.capped


def _about_the_owner(active: Active, comment: str | None) -> PersonalText | None:
    return None if comment is None else PersonalText.about(active.owner, comment)


def cancel(goal: Goal, command: CancelGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Cancelled):
        return []
    active = active_or_rejected(goal)
    refuse_what_is_agreed(active, command, "state")
    _refuse_leaving_children(command)
    comment = _about_the_owner(active, command.comment)
    return [GoalCancelled(reason=command.reason, comment=comment, amendment=command.amendment)]


def _refuse_leaving_children(command: CancelGoal) -> None:
    if command.left:
        raise Rejected("cancelling-must-say-where-the-children-go", children=len(command.left))
    if (command.children is ChildrenGo.TO_ANOTHER_GOAL) != (command.to is not None):
        raise Rejected("children-go-to-a-goal-that-is-named", children=command.children, to=command.to)


def reopen(goal: Goal, command: ReopenGoal) -> Sequence[GoalEvent]:
    """The goal is as it was; what it hangs below must still hold it."""
    if not isinstance(goal, Closed):
        active_or_rejected(goal)
        return []
    was = goal.was
    if was.carried_to is not None:
        raise Rejected("carried-goal-is-not-reopened", carried_to=was.carried_to)
    refuse_wrong_parent(command, was.parent, was.starts_on, was.ends_on)
    return [
        GoalReopened(
            reason=command.reason,
            ends_on=was.ends_on,
            value=None if was.scale is None else was.current,
            progress=_known_progress(was),
            comment=_about_the_owner(was, command.comment),
        )
    ]


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
