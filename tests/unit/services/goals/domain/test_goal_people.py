"""Rules of the people of a goal: contributors, and the hand-over to another owner."""

from typing import Any

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_people import HandOverGoal, NameContributors
from services.goals.domain.goal_wording import TextsNow
from shared.schemas.goal_changes import GoalLocked
from shared.schemas.goal_ties import GoalContributorAdded, GoalContributorRemoved, GoalHandedOver
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.goals.commands import BY_THE_MANAGER, set_goal
from tests.unit.services.goals.examples import AGREEMENT, AMENDMENT, HR, MANAGER, OWNER, team_goal_set

persons_goal_set = team_goal_set.model_copy(
    update={"level": GoalLevel.PERSON, "team": None, "title": PersonalText(person=OWNER, key="k", ciphertext="c")}
)
said = TextsNow(title="Learn to say no", description="At least once a week")
handed_over = GoalHandedOver(
    owner=MANAGER,
    previous_owner=OWNER,
    team=None,
    title=PersonalText.about(MANAGER, "Learn to say no"),
    description=PersonalText.about(MANAGER, "At least once a week"),
    reason="changed-teams",
)


def name(*people: PersonId) -> NameContributors:
    return NameContributors(contributors=people, **BY_THE_MANAGER)


def hand_over(**changes: Any) -> HandOverGoal:
    asked: dict[str, Any] = {"owner": MANAGER, "reason": "changed-teams", "texts": said, "employed": True}
    return HandOverGoal(**{**asked, **BY_THE_MANAGER, **changes})


def test_contributors_are_named_once_each_and_without_the_owner() -> None:
    given(GOAL, team_goal_set).when(name(MANAGER, OWNER, HR, MANAGER)).then(
        GoalContributorAdded(person=MANAGER), GoalContributorAdded(person=HR)
    )
    given(GOAL).when(set_goal(contributors=(MANAGER, OWNER, MANAGER))).then(
        team_goal_set.model_copy(update={"contributors": (MANAGER,)})
    )


def test_who_is_left_out_does_not_contribute_any_more() -> None:
    given(GOAL, team_goal_set, GoalContributorAdded(person=MANAGER)).when(name(HR)).then(
        GoalContributorRemoved(person=MANAGER), GoalContributorAdded(person=HR)
    )


def test_the_same_contributors_change_nothing() -> None:
    given(GOAL, team_goal_set, GoalContributorAdded(person=MANAGER)).when(name(MANAGER)).then_nothing()


def test_the_texts_of_a_persons_goal_are_written_anew_for_the_next_owner() -> None:
    given(GOAL, persons_goal_set).when(hand_over()).then(handed_over)


def test_a_team_goal_is_handed_over_in_clear_and_keeps_its_team() -> None:
    given(GOAL, team_goal_set).when(hand_over(texts=TextsNow(title="Halve the open tickets"))).then(
        handed_over.model_copy(update={"team": "Support", "title": "Halve the open tickets", "description": None})
    )


def test_an_erased_title_is_written_anew() -> None:
    given(GOAL, persons_goal_set).when(hand_over(texts=TextsNow())).then_rejected("erased-title-must-be-written-anew")
    given(GOAL, persons_goal_set).when(hand_over(texts=TextsNow(), title="Learn to say no")).then(
        handed_over.model_copy(update={"description": None})
    )


def test_the_next_owner_works_here() -> None:
    given(GOAL, persons_goal_set).when(hand_over(employed=False)).then_rejected(
        "next-owner-must-be-employed", owner=MANAGER
    )


def test_a_goal_is_handed_to_its_owner_by_nothing() -> None:
    given(GOAL, persons_goal_set).when(hand_over(owner=OWNER)).then_nothing()


def test_no_persons_goal_gets_a_team() -> None:
    given(GOAL, persons_goal_set).when(hand_over(team="Support")).then_rejected("team-goal-must-name-its-team")


def test_an_agreed_goal_is_handed_over_by_an_amendment() -> None:
    locked = GoalLocked(agreement=AGREEMENT)
    given(GOAL, persons_goal_set, locked).when(hand_over()).then_rejected(
        "agreed-goal-changes-by-amendment", what="owner"
    )
    given(GOAL, persons_goal_set, locked).when(hand_over(amendment=AMENDMENT)).then(
        handed_over.model_copy(update={"amendment": AMENDMENT})
    )


@pytest.mark.parametrize("contributor", [MANAGER, HR])
def test_a_contributor_who_becomes_the_owner_contributes_no_more(contributor: PersonId) -> None:
    history = (persons_goal_set, GoalContributorAdded(person=contributor), handed_over)
    missing = [GoalContributorAdded(person=HR)] if contributor == MANAGER else []
    given(GOAL, *history).when(name(MANAGER, HR)).then(*missing)
