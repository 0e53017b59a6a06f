"""Goal lock: what was agreed about a goal changes by an amendment of the agreement alone; progress stays free."""

from collections.abc import Sequence
from uuid import UUID

from services.goals.domain.goal_states import Active, Closed, Goal, GoalEvent, active_or_rejected
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Rejected
from shared.schemas.goal_changes import GoalLocked, GoalUnlocked
from shared.schemas.goal_levels import GoalLevel


class LockGoal(Command):
    """`agreement` is what the two agreed on: a goal plan, or a team's or the organization's goal."""

    agreement: UUID


class UnlockGoal(Command):
    agreement: UUID


class Amendable(UnderPolicy, Command):
    """A change of what may be agreed. `amendment` is the one that both approved, and that the edge never sets."""

    amendment: UUID | None = None


def lock(goal: Goal, command: LockGoal) -> Sequence[GoalEvent]:
    """Each agreed plan that weighs a goal holds it: it is free again when the last one has let it go."""
    active = active_or_rejected(goal)
    return [] if command.agreement in active.agreements else [GoalLocked(agreement=command.agreement)]


def unlock(goal: Goal, command: UnlockGoal) -> Sequence[GoalEvent]:
    """Also a closed goal, which would be held again if it is reopened; what others hold stays held by them."""
    match goal:
        case Active(agreements=agreements) | Closed(was=Active(agreements=agreements)):
            return [GoalUnlocked(agreement=command.agreement)] if command.agreement in agreements else []
        case _:
            return []


def refuse_what_is_agreed(active: Active, command: Amendable, what: str) -> None:
    """`what` is the thing that would change: `title`, `target`, `dates`, `owner`.

    Raises:
        Rejected: the goal is locked, and the change is no part of an amendment.
    """
    if active.agreements and command.amendment is None:
        raise Rejected("agreed-goal-changes-by-amendment", what=what, agreement=active.agreements[0])


def refuse_what_others_agreed(goal: Goal, agreement: UUID, *, level: GoalLevel, leaves: bool) -> None:
    """What an amendment of this agreement, a plan of that level, may not do to a goal that other plans weigh too.

    What a goal is to reach, the plan of its own level says; it leaves no plan that weighs it without that plan's two.

    Raises:
        Rejected: another plan holds it.
    """
    if not isinstance(goal, Active):
        return
    others = [held for held in goal.agreements if held != agreement]
    if others and (leaves or goal.level is not level):
        raise Rejected("goal-is-locked-by-another-agreement", agreement=agreement, locked_by=others[0])
