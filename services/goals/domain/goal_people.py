"""Goal people: who works on a goal with its owner, and who owns it next."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import Active, Goal, GoalEvent, active_or_rejected
from services.goals.domain.goal_wording import TextsNow, written, written_or_none
from services.goals.domain.policy import Option, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_ties import GoalContributorAdded, GoalContributorRemoved, GoalHandedOver
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId
from shared.schemas.values import ReasonCode, ShortText


class OfLeavers(StrEnum):
    """What becomes of the open goals of somebody who has left."""

    STAY = "stay"
    TO_THE_MANAGER = "to-the-manager"
    CANCELLED = "cancelled"


GOALS_OF_LEAVERS: Final[Option[OfLeavers]] = Option(
    "goals-of-leavers", OfLeavers, default=OfLeavers.STAY, means="what becomes of the open goals of who has left"
)
People = Annotated[tuple[PersonId, ...], Field(max_length=50)]


class NameContributorsBody(RequestBody):
    """All who work on the goal from now on with its owner."""

    contributors: People


class NameContributors(NameContributorsBody, UnderPolicy, Command): ...


class HandOverGoalBody(RequestBody):
    """`team`: where a team's goal goes to another one; `title` is needed where the old one was erased."""

    owner: PersonId
    team: ShortText | None = None
    title: ShortText | None = None
    reason: ReasonCode


class HandOverGoal(HandOverGoalBody, Amendable):
    """`texts` are what the goal says now, opened by the handler; `employed`: the next owner works here."""

    texts: TextsNow
    employed: bool


def without_the_owner(people: Sequence[PersonId], owner: PersonId) -> tuple[PersonId, ...]:
    """Each of them once; the owner works on the goal anyway."""
    return tuple(person for person in dict.fromkeys(people) if person != owner)


def name_contributors(goal: Goal, command: NameContributors) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    wanted = without_the_owner(command.contributors, active.owner)
    removed: list[GoalEvent] = [GoalContributorRemoved(person=p) for p in active.contributors if p not in wanted]
    return [*removed, *(GoalContributorAdded(person=p) for p in wanted if p not in active.contributors)]


def hand_over(goal: Goal, command: HandOverGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    if active.owner == command.owner:
        return []
    refuse_what_is_agreed(active, command, "owner")
    if not command.employed:
        raise Rejected("next-owner-must-be-employed", owner=command.owner)
    title, team = command.title or command.texts.title, command.team or active.team
    if title is None:
        raise Rejected("erased-title-must-be-written-anew")
    if (active.level is GoalLevel.TEAM) != (team is not None):
        raise Rejected("team-goal-must-name-its-team", level=active.level, team=team)
    return [_handed_over(active, command, title=title, team=team)]


def _handed_over(active: Active, command: HandOverGoal, *, title: str, team: str | None) -> GoalHandedOver:
    return GoalHandedOver(
        owner=command.owner,
        previous_owner=active.owner,
        team=team,
        title=written(active.level, command.owner, title),
        description=written_or_none(active.level, command.owner, command.texts.description),
        reason=command.reason,
        amendment=command.amendment,
    )
