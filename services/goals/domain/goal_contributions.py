"""Goal contributions: what a goal contributes to besides its parent; shown there, never summed there."""

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated

from pydantic import Field

from services.goals.domain.goal_states import Goal, GoalEvent, active_or_rejected
from services.goals.domain.parent import ParentGoal, refuse_cycle
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_ties import GoalContributionAdded, GoalContributionRemoved
from shared.schemas.identifiers import GoalId

OtherGoals = Annotated[tuple[GoalId, ...], Field(max_length=20)]


class Contributing(RequestBody):
    """A command that links `goal` to others: the facts, read by the handler, of those that exist and are seen."""

    goal: GoalId
    targets: tuple[ParentGoal, ...] = ()


class ContributeBody(RequestBody):
    """All goals that this one contributes to from now on, besides its parent."""

    contributes_to: OtherGoals


class Contribute(ContributeBody, Contributing, UnderPolicy, Command): ...


def contribute(goal: Goal, command: Contribute) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    wanted = list(dict.fromkeys(command.contributes_to))
    added = [to for to in wanted if to not in active.contributes_to]
    refuse_wrong_contributions(command, added, active.parent)
    removed: list[GoalEvent] = [GoalContributionRemoved(to=to) for to in active.contributes_to if to not in wanted]
    return [*removed, *(GoalContributionAdded(to=to) for to in added)]


def refuse_wrong_contributions(command: Contributing, added: Iterable[GoalId], parent: GoalId | None) -> None:
    """`parent` is the goal's own parent.

    Raises:
        Rejected: there is no such goal, it is closed, it is below, or the goal is linked to it already.
    """
    known = {target.goal: target for target in command.targets}
    for to in added:
        refuse_two_links(to, () if parent is None else (parent,))
        if (target := known.get(to)) is None:
            raise Rejected("contribution-goal-must-exist", to=to)
        refuse_cycle(command.goal, target)
        if not target.active:
            raise Rejected("contribution-goal-must-be-active", to=to)


def refuse_two_links(to: GoalId | None, others: Collection[GoalId]) -> None:
    if to is not None and to in others:
        raise Rejected("goal-must-be-linked-once", to=to)
