"""Goal health: a person says how a goal is doing and why; and who has not said how far it is, is reminded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final, TypeAlias

from pydantic import AwareDatetime, Field

from services.goals.domain.goal_states import Active, Goal, GoalEvent, active_or_rejected
from services.goals.domain.goal_wording import written
from services.goals.domain.policy import Option, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_health import GoalHealthSet, Health, UpdateDue
from shared.schemas.values import Known, LongText

_Days: TypeAlias = Annotated[int, Field(ge=1, le=366)]
_DaysOrNever: TypeAlias = _Days | None

UPDATE_AFTER: Final[Option[int | None]] = Option(
    "update-after-days",
    _DaysOrNever,
    default=30,
    means="after how many days without a measurement an update of a goal is due; null: never",
)


class SetHealthBody(RequestBody):
    health: Known[Health]
    reason: LongText


class SetHealth(SetHealthBody, UnderPolicy, Command):
    """`progress` is the percentage that the person was shown; None: the goal was not measured."""

    progress: Decimal | None = None


class AskForUpdate(UnderPolicy, Command):
    """A look at the goal was due: has anybody said how far it is? `began_at` is when its first day begins."""

    began_at: AwareDatetime
    late_seconds: int


def set_health(goal: Goal, command: SetHealth) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    if command.health is Health.EXPIRED:
        raise Rejected("expired-is-not-said-by-hand", health=command.health)
    said = GoalHealthSet(
        health=command.health,
        reason=written(active.level, active.owner, command.reason),
        progress=command.progress,
    )
    return [] if said == active.health else [said]


def ask_for_update(goal: Goal, command: AskForUpdate) -> Sequence[GoalEvent]:
    due_at = update_due_at(goal, command.began_at, command.policy[UPDATE_AFTER])
    if due_at is None or due_at > command.at or not isinstance(goal, Active):
        return []
    days = command.policy[UPDATE_AFTER]
    return [
        UpdateDue(
            stale_since=_last_said(goal, command.began_at),
            days=days or 0,
            due_at=due_at,
            late_seconds=command.late_seconds,
        )
    ]


def update_due_at(goal: Goal, began_at: datetime, after_days: int | None) -> datetime | None:
    """When the next update of the goal is due; None: never, or of others, that it is measured by."""
    if not isinstance(goal, Active) or not is_kept_up_to_date(goal) or after_days is None:
        return None
    asked = [] if goal.update_due_at is None else [goal.update_due_at]
    try:
        return max([_last_said(goal, began_at), *asked]) + timedelta(days=after_days)
    except OverflowError:  # no calendar holds it
        return None


def is_kept_up_to_date(goal: Goal) -> bool:
    """Whether anybody is to say how far it is: it is open, its last day has not ended, and it is measured by itself."""
    return isinstance(goal, Active) and not goal.expired and goal.scale is not None


def _last_said(goal: Active, began_at: datetime) -> datetime:
    return max(began_at, goal.measured.latest.at) if goal.measured.latest else began_at
