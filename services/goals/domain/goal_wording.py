"""Goal wording: what a goal is called; about a person's goal that is personal text."""

from collections.abc import Sequence

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import Goal, GoalEvent, active_or_rejected
from shared.eventsourcing.decider import RequestBody
from shared.schemas.goal_changes import GoalRetitled
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import ShortText


class RetitleGoalBody(RequestBody):
    title: ShortText


class RetitleGoal(RetitleGoalBody, Amendable):
    """`title_now` is what the title says now, opened by the handler."""

    title_now: str | None = None


def written(level: GoalLevel, owner: PersonId, text: str) -> PersonalText | str:
    """A text of a goal as its events carry it: about a person's goal it is sealed, others are in clear."""
    return PersonalText.about(owner, text) if level is GoalLevel.PERSON else text


def retitle(goal: Goal, command: RetitleGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    title = written(active.level, active.owner, command.title)
    if command.title == command.title_now or title == active.title:
        return []
    refuse_what_is_agreed(active, command, "title")
    return [GoalRetitled(title=title, amendment=command.amendment)]
