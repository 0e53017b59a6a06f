"""Goal lock: what was agreed about a goal changes by an amendment of the agreement alone; progress stays free."""

from collections.abc import Sequence
from uuid import UUID

from services.goals.domain.goal_states import Active, Closed, Goal, GoalEvent, active_or_rejected
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Rejected
from shared.schemas.goal_changes import GoalLocked, GoalUnlocked


class LockGoal(Command):
    """`agreement` is what the two agreed on: a goal plan, or a team's or the organization's goal."""

    agreement: UUID


class UnlockGoal(Command):
    agreement: UUID


class Amendable(UnderPolicy, Command):
    """A change of what may be agreed. `amendment` is the one that both approved, and that the edge never sets."""

    amendment: UUID | None = None


def lock(goal: Goal, command: LockGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    match active.locked_by:
        case None:
            return [GoalLocked(agreement=command.agreement)]
        case command.agreement:
            return []
        case other:
            raise Rejected("goal-is-locked-by-another-agreement", agreement=command.agreement, locked_by=other)


def unlock(goal: Goal, command: UnlockGoal) -> Sequence[GoalEvent]:
    """Also a closed goal, which would be held again if it is reopened; one that another holds stays held."""
    match goal:
        case Active(locked_by=command.agreement) | Closed(was=Active(locked_by=command.agreement)):
            return [GoalUnlocked(agreement=command.agreement)]
        case _:
            return []


def refuse_what_is_agreed(active: Active, command: Amendable, what: str) -> None:
    """`what` is the thing that would change: `title`, `target`, `dates`, `owner`.

    Raises:
        Rejected: the goal is locked, and the change is no part of an amendment.
    """
    if active.locked_by is not None and command.amendment is None:
        raise Rejected("agreed-goal-changes-by-amendment", what=what, agreement=active.locked_by)
