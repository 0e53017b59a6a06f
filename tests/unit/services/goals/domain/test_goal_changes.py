"""Rules of a goal's wording and dates."""

from datetime import timedelta

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_dates import ChildDates
from shared.schemas.goal_changes import GoalRescheduled, GoalRetitled
from shared.schemas.goals import GoalLevel
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.goals.commands import day_ends, parent, reschedule, retitle
from tests.unit.services.goals.examples import (
    DECEMBER,
    JANUARY,
    JUNE,
    OWNER,
    PARENT,
    expired,
    team_goal_set,
)

ONE_DAY = timedelta(days=1)
until_december = GoalRescheduled(starts_on=JANUARY, ends_on=DECEMBER, previous_starts_on=JANUARY, previous_ends_on=JUNE)
persons_goal_set = team_goal_set.model_copy(
    update={"level": GoalLevel.PERSON, "team": None, "title": PersonalText(person=OWNER, key="k", ciphertext="c")}
)


def test_a_team_goal_is_retitled_in_clear() -> None:
    given(GOAL, team_goal_set).when(retitle("Answer sooner")).then(GoalRetitled(title="Answer sooner"))


def test_a_persons_goal_is_retitled_as_personal_text() -> None:
    given(GOAL, persons_goal_set).when(retitle("Say no", title_now="Learn to say no")).then(
        GoalRetitled(title=PersonalText.about(OWNER, "Say no"))
    )


def test_the_title_that_it_has_already_changes_nothing() -> None:
    given(GOAL, team_goal_set).when(retitle(str(team_goal_set.title))).then_nothing()
    given(GOAL, persons_goal_set).when(retitle("Say no", title_now="Say no")).then_nothing()


def test_a_goal_is_rescheduled_and_says_what_was_before() -> None:
    given(GOAL, team_goal_set).when(reschedule(ends_on=DECEMBER)).then(until_december)


def test_the_dates_that_it_has_already_change_nothing() -> None:
    given(GOAL, team_goal_set).when(reschedule()).then_nothing()


def test_a_goal_is_not_rescheduled_to_end_before_it_starts() -> None:
    given(GOAL, team_goal_set).when(reschedule(starts_on=JUNE, ends_on=JANUARY)).then_rejected(
        "goal-must-not-end-before-it-starts", starts_on=JUNE, ends_on=JANUARY
    )


def test_a_rescheduled_child_stays_inside_its_parents_dates() -> None:
    below = team_goal_set.model_copy(update={"parent": PARENT})
    given(GOAL, below).when(reschedule(ends_on=DECEMBER, parent_goal=parent)).then(until_december)
    given(GOAL, below).when(reschedule(ends_on=DECEMBER + ONE_DAY, parent_goal=parent)).then_rejected(
        "child-dates-must-lie-inside-parent", ends_on=DECEMBER + ONE_DAY, parent_ends_on=DECEMBER
    )


@pytest.mark.parametrize(
    "children",
    [
        pytest.param(ChildDates(starts_on=JANUARY - ONE_DAY, ends_on=JUNE), id="one starts earlier"),
        pytest.param(ChildDates(starts_on=JUNE, ends_on=DECEMBER + ONE_DAY), id="one ends later"),
    ],
)
def test_a_rescheduled_parent_still_holds_its_children(children: ChildDates) -> None:
    given(GOAL, team_goal_set).when(reschedule(ends_on=DECEMBER, below=children)).then_rejected(
        "parent-dates-must-hold-its-children",
        children_start_on=children.starts_on,
        children_end_on=children.ends_on,
    )
    inside = ChildDates(starts_on=JANUARY, ends_on=DECEMBER)
    given(GOAL, team_goal_set).when(reschedule(ends_on=DECEMBER, below=inside)).then(until_december)


def test_an_expired_goal_that_is_rescheduled_may_expire_again() -> None:
    later = expired.model_copy(update={"ended_on": DECEMBER})
    given(GOAL, team_goal_set, expired, until_december).when(day_ends(JUNE)).then_nothing()
    given(GOAL, team_goal_set, expired, until_december).when(day_ends(DECEMBER)).then(later)
