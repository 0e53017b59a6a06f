"""Goal wording: what a goal is called and means, what it stands for, and who sees it."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import Classification, Goal, GoalEvent, active_or_rejected
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, RequestBody
from shared.schemas.goal_changes import GoalClassified, GoalDescribed, GoalRetitled, GoalVisibilityChosen
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import Known, LongText, ShortText

Words = Annotated[tuple[ShortText, ...], Field(max_length=20)]


class TextsNow(BaseModel):
    """What the goal says now, opened by the handler; None: nothing, or it was erased."""

    model_config = ConfigDict(frozen=True)

    title: str | None = None
    description: str | None = None


class RetitleGoalBody(RequestBody):
    title: ShortText


class RetitleGoal(RetitleGoalBody, Amendable):
    texts: TextsNow = TextsNow()


class DescribeGoalBody(RequestBody):
    """What the goal means in more words; null takes the description away."""

    description: LongText | None


class DescribeGoal(DescribeGoalBody, UnderPolicy, Command):
    texts: TextsNow = TextsNow()


class ClassifyGoalBody(RequestBody):
    """All values and competencies that the goal stands for from now on, and all its tags."""

    values: Words = ()
    competencies: Words = ()
    tags: Words = ()


class ClassifyGoal(ClassifyGoalBody, UnderPolicy, Command): ...


class ChooseVisibilityBody(RequestBody):
    """Who sees the goal; null: as is usual at its level."""

    visibility: Known[GoalVisibility] | None


class ChooseVisibility(ChooseVisibilityBody, UnderPolicy, Command): ...


def written(level: GoalLevel, owner: PersonId, text: str) -> PersonalText | str:
    """A text of a goal as its events carry it: of a person's goal it is sealed, others are in clear."""
    return PersonalText.about(owner, text) if level is GoalLevel.PERSON else text


def written_or_none(level: GoalLevel, owner: PersonId, text: str | None) -> PersonalText | str | None:
    return None if text is None else written(level, owner, text)


def retitle(goal: Goal, command: RetitleGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    title = written(active.level, active.owner, command.title)
    if command.title == command.texts.title or title == active.title:
        return []
    refuse_what_is_agreed(active, command, "title")
    return [GoalRetitled(title=title, amendment=command.amendment)]


def describe(goal: Goal, command: DescribeGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    description = written_or_none(active.level, active.owner, command.description)
    known = None if active.description is None else command.texts.description
    if description == active.description or (known is not None and known == command.description):
        return []
    return [GoalDescribed(description=description)]


def classify(goal: Goal, command: ClassifyGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    wanted = Classification(command.values, command.competencies, command.tags)
    if active.stands_for == wanted:
        return []
    return [GoalClassified(values=wanted.values, competencies=wanted.competencies, tags=wanted.tags)]


def choose_visibility(goal: Goal, command: ChooseVisibility) -> Sequence[GoalEvent]:
    if active_or_rejected(goal).visibility == command.visibility:
        return []
    return [GoalVisibilityChosen(visibility=command.visibility)]
