"""Rules of agreed goals: what was agreed changes by an amendment alone."""

from contextlib import nullcontext

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_lock import LockGoal, UnlockGoal, refuse_what_others_agreed
from shared.eventsourcing.decider import Command, Rejected
from shared.schemas.event import Event
from shared.schemas.goal_changes import GoalLocked, GoalRescheduled, GoalRetitled, GoalUnlocked
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goals import GoalCancelled, GoalReopened
from tests.spec import given
from tests.unit.services.goals.commands import cancel, record, reschedule, retitle
from tests.unit.services.goals.examples import (
    AGREEMENT,
    AMENDMENT,
    DECEMBER,
    JANUARY,
    JUNE,
    MANAGER,
    NOW,
    OTHER_AGREEMENT,
    achieved,
    cancelled,
    halfway,
    team_goal_set,
)

locked = GoalLocked(agreement=AGREEMENT)
lock = LockGoal(agreement=AGREEMENT, at=NOW, by=MANAGER)
unlock = UnlockGoal(agreement=AGREEMENT, at=NOW, by=MANAGER)

AGREED_THINGS = [
    pytest.param(retitle("Other"), "title", id="title"),
    pytest.param(reschedule(ends_on=DECEMBER), "dates", id="dates"),
    pytest.param(cancel, "state", id="state"),
]


def test_an_agreement_locks_its_goal() -> None:
    given(GOAL, team_goal_set).when(lock).then(locked)


def test_locking_twice_changes_nothing() -> None:
    given(GOAL, team_goal_set, locked).when(lock).then_nothing()


def test_every_agreement_that_weighs_a_goal_holds_it_until_the_last_lets_it_go() -> None:
    other = LockGoal(agreement=OTHER_AGREEMENT, at=NOW, by=MANAGER)
    by_both = (team_goal_set, locked, GoalLocked(agreement=OTHER_AGREEMENT))
    let_go = GoalUnlocked(agreement=AGREEMENT)
    given(GOAL, team_goal_set, locked).when(other).then(GoalLocked(agreement=OTHER_AGREEMENT))
    given(GOAL, *by_both).when(unlock).then(let_go)
    given(GOAL, *by_both, let_go).when(retitle("Other")).then_rejected(
        "agreed-goal-changes-by-amendment", what="title", agreement=OTHER_AGREEMENT
    )
    free = (*by_both, let_go, GoalUnlocked(agreement=OTHER_AGREEMENT))
    given(GOAL, *free).when(retitle("Other")).then(GoalRetitled(title="Other"))


@pytest.mark.parametrize(
    ("level", "leaves", "refused"),
    [
        (GoalLevel.TEAM, False, False),
        (GoalLevel.TEAM, True, True),
        (GoalLevel.PERSON, False, True),
        (GoalLevel.PERSON, True, True),
    ],
)
def test_the_plan_of_a_goals_own_level_changes_it_and_no_plan_takes_it_from_another(
    level: GoalLevel, *, leaves: bool, refused: bool
) -> None:
    goal = GOAL.fold([team_goal_set, locked, GoalLocked(agreement=OTHER_AGREEMENT)])
    outcome = pytest.raises(Rejected, match="goal-is-locked-by-another-agreement") if refused else nullcontext()
    with outcome:
        refuse_what_others_agreed(goal, AGREEMENT, level=level, leaves=leaves)
    alone = GOAL.fold([team_goal_set, locked])
    refuse_what_others_agreed(alone, AGREEMENT, level=level, leaves=leaves)


@pytest.mark.parametrize("closing", [achieved, cancelled])
def test_a_closed_goal_is_not_locked(closing: Event) -> None:
    given(GOAL, team_goal_set, closing).when(lock).then_rejected("goal-is-not-active")


@pytest.mark.parametrize(("command", "what"), AGREED_THINGS)
def test_what_was_agreed_is_refused_and_names_the_agreement(command: Command, what: str) -> None:
    given(GOAL, team_goal_set, locked).when(command).then_rejected(
        "agreed-goal-changes-by-amendment", what=what, agreement=AGREEMENT
    )


def test_an_amendment_changes_what_was_agreed_and_is_named_in_the_event() -> None:
    given(GOAL, team_goal_set, locked).when(retitle("Other", amendment=AMENDMENT)).then(
        GoalRetitled(title="Other", amendment=AMENDMENT)
    )
    given(GOAL, team_goal_set, locked).when(reschedule(ends_on=DECEMBER, amendment=AMENDMENT)).then(
        GoalRescheduled(
            starts_on=JANUARY,
            ends_on=DECEMBER,
            previous_starts_on=JANUARY,
            previous_ends_on=JUNE,
            amendment=AMENDMENT,
        )
    )
    amended_away = cancel.model_copy(update={"amendment": AMENDMENT})
    given(GOAL, team_goal_set, locked).when(amended_away).then(
        GoalCancelled(reason="priorities-changed", amendment=AMENDMENT)
    )


def test_progress_stays_free() -> None:
    given(GOAL, team_goal_set, locked).when(record("100")).then(halfway)


def test_a_goal_that_left_the_agreement_is_free_again() -> None:
    given(GOAL, team_goal_set, locked).when(unlock).then(GoalUnlocked(agreement=AGREEMENT))
    given(GOAL, team_goal_set, locked, GoalUnlocked(agreement=AGREEMENT)).when(retitle("Other")).then(
        GoalRetitled(title="Other")
    )


@pytest.mark.parametrize("closing", [achieved, cancelled])
def test_a_goal_that_left_the_agreement_is_free_also_when_it_is_reopened(closing: Event) -> None:
    unlocked = GoalUnlocked(agreement=AGREEMENT)
    again = GoalReopened(reason="closed-in-error", ends_on=JUNE, value=None, progress=None, comment=None)
    given(GOAL, team_goal_set, locked, closing).when(unlock).then(unlocked)
    given(GOAL, team_goal_set, locked, closing, unlocked, again).when(retitle("Other")).then(
        GoalRetitled(title="Other")
    )


def test_unlocking_what_is_not_locked_by_it_changes_nothing() -> None:
    given(GOAL, team_goal_set).when(unlock).then_nothing()
    given(GOAL, team_goal_set, GoalLocked(agreement=OTHER_AGREEMENT)).when(unlock).then_nothing()
