"""Rules of a goal's wording, target and dates."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_dates import ChildDates
from services.goals.domain.goal_wording import ChooseVisibility, ClassifyGoal, TextsNow
from shared.schemas.goal_changes import (
    GoalClassified,
    GoalDescribed,
    GoalLocked,
    GoalRescheduled,
    GoalRetargeted,
    GoalRetitled,
    GoalVisibilityChosen,
)
from shared.schemas.goal_metrics import Metric, MetricKind
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import GoalLevel
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.goals.commands import BY_THE_MANAGER, day_ends, describe, parent, reschedule, retarget, retitle
from tests.unit.services.goals.examples import (
    AGREEMENT,
    DECEMBER,
    JANUARY,
    JUNE,
    OWNER,
    PARENT,
    expired,
    fewer_tickets,
    halfway,
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
    given(GOAL, persons_goal_set).when(retitle("Say no", texts=TextsNow(title="Learn to say no"))).then(
        GoalRetitled(title=PersonalText.about(OWNER, "Say no"))
    )


def test_the_title_that_it_has_already_changes_nothing() -> None:
    given(GOAL, team_goal_set).when(retitle(str(team_goal_set.title))).then_nothing()
    given(GOAL, persons_goal_set).when(retitle("Say no", texts=TextsNow(title="Say no"))).then_nothing()


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


def test_a_persons_goal_is_described_as_personal_text_and_others_in_clear() -> None:
    said = "Only tickets of customers count."
    given(GOAL, team_goal_set).when(describe(said)).then(GoalDescribed(description=said))
    given(GOAL, persons_goal_set).when(describe(said)).then(GoalDescribed(description=PersonalText.about(OWNER, said)))


def test_a_description_is_taken_away() -> None:
    given(GOAL, team_goal_set, GoalDescribed(description="Why")).when(describe(None)).then(
        GoalDescribed(description=None)
    )


def test_the_description_that_it_has_already_changes_nothing() -> None:
    given(GOAL, team_goal_set).when(describe(None)).then_nothing()
    sealed = GoalDescribed(description=PersonalText(person=OWNER, key="k", ciphertext="c"))
    given(GOAL, persons_goal_set, sealed).when(describe("Why", texts=TextsNow(description="Why"))).then_nothing()


def test_values_competencies_and_tags_are_said_all_at_once() -> None:
    command = ClassifyGoal(values=("candour",), competencies=("planning",), tags=("2026",), **BY_THE_MANAGER)
    classified = GoalClassified(values=("candour",), competencies=("planning",), tags=("2026",))
    given(GOAL, team_goal_set).when(command).then(classified)
    given(GOAL, team_goal_set, classified).when(command).then_nothing()


def test_who_sees_a_goal_is_chosen() -> None:
    command = ChooseVisibility(visibility=GoalVisibility.OWNER_AND_MANAGER, **BY_THE_MANAGER)
    chosen = GoalVisibilityChosen(visibility=GoalVisibility.OWNER_AND_MANAGER)
    given(GOAL, team_goal_set).when(command).then(chosen)
    given(GOAL, team_goal_set, chosen).when(command).then_nothing()


def test_another_target_reckons_the_progress_anew() -> None:
    given(GOAL, team_goal_set, halfway).when(retarget("100")).then(
        GoalRetargeted(
            metric=Metric(kind=MetricKind.NUMBER, start=Decimal(200), target=Decimal(100), unit="tickets"),
            previous=fewer_tickets,
            raw_progress=Decimal(100),
            progress=Decimal(100),
            regressed=False,
        )
    )


def test_the_target_that_it_has_already_changes_nothing() -> None:
    given(GOAL, team_goal_set).when(retarget("0")).then_nothing()


def test_another_target_keeps_the_metric() -> None:
    given(GOAL, team_goal_set).when(retarget("100", unit="calls")).then_rejected(
        "new-target-must-keep-the-metric", kind=MetricKind.NUMBER, unit="tickets"
    )


def test_an_agreed_target_changes_by_an_amendment() -> None:
    given(GOAL, team_goal_set, GoalLocked(agreement=AGREEMENT)).when(retarget("100")).then_rejected(
        "agreed-goal-changes-by-amendment", what="target", agreement=AGREEMENT
    )
