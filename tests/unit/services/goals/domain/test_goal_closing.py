"""Rules of closing and opening: by a person, with a comment; the children of a cancelled goal; reopening."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_carry_over import CarryOverGoal
from services.goals.domain.goal_closing import (
    AchieveGoal,
    CancelGoal,
    ChildrenGo,
    CloseGoalBody,
    MissGoal,
    ReopenGoal,
)
from shared.schemas.event import Event
from shared.schemas.goal_ties import GoalCarriedOver
from shared.schemas.goals import GoalMissed, GoalReopened
from shared.schemas.identifiers import GoalId
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.goals.commands import BY_THE_OWNER, day_ends, parent, record
from tests.unit.services.goals.examples import (
    A_GOAL,
    DECEMBER,
    JUNE,
    NOW,
    OTHER_PARENT,
    OWNER,
    PARENT,
    achieved,
    cancelled,
    expired,
    halfway,
    missed,
    team_goal_set,
)

comment = PersonalText.about(OWNER, "The supplier was late.")
reopened = GoalReopened(reason="closed-too-early", ends_on=JUNE, value=Decimal(100), progress=Decimal(50))


def miss(**changes: Any) -> MissGoal:
    asked: dict[str, Any] = {"closed_on": JUNE, **BY_THE_OWNER, **changes}
    return MissGoal(**asked)


def cancel(**changes: Any) -> CancelGoal:
    asked: dict[str, Any] = {"reason": "priorities-changed", **BY_THE_OWNER, **changes}
    return CancelGoal(**asked)


def reopen(**changes: Any) -> ReopenGoal:
    asked: dict[str, Any] = {"goal": A_GOAL, "reason": "closed-too-early", **BY_THE_OWNER, **changes}
    return ReopenGoal(**asked)


def carry_over(to: GoalId = OTHER_PARENT, **changes: Any) -> CarryOverGoal:
    asked: dict[str, Any] = {"to": to, "starts_on": JUNE + timedelta(days=1), **BY_THE_OWNER, **changes}
    return CarryOverGoal(**asked)


def test_a_goal_is_missed_with_its_last_value() -> None:
    given(GOAL, team_goal_set, halfway).when(miss()).then(missed)


def test_a_goal_is_missed_with_its_final_value() -> None:
    given(GOAL, team_goal_set).when(miss(value=Decimal(150))).then(
        GoalMissed(value=Decimal(150), progress=Decimal(25), closed_on=JUNE)
    )


def test_missing_twice_changes_nothing_and_another_value_is_refused() -> None:
    given(GOAL, team_goal_set, halfway, missed).when(miss()).then_nothing()
    given(GOAL, team_goal_set, halfway, missed).when(miss(value=Decimal(7))).then_rejected("goal-is-not-active")


def test_a_goal_at_its_target_stays_open_until_a_person_closes_it() -> None:
    done = halfway.model_copy(update={"value": Decimal(0), "raw_progress": Decimal(100), "progress": Decimal(100)})
    given(GOAL, team_goal_set, done).when(record("10", measured_at=NOW + timedelta(minutes=1))).then(
        halfway.model_copy(
            update={
                "value": Decimal(10),
                "raw_progress": Decimal(95),
                "progress": Decimal(95),
                "measured_at": NOW + timedelta(minutes=1),
            }
        )
    )


def test_a_comment_is_personal_text_about_the_owner_at_every_level() -> None:
    said = {"comment": "The supplier was late."}
    given(GOAL, team_goal_set, halfway).when(miss(**said)).then(missed.model_copy(update={"comment": comment}))
    given(GOAL, team_goal_set).when(cancel(**said)).then(cancelled.model_copy(update={"comment": comment}))
    given(GOAL, team_goal_set, halfway).when(AchieveGoal(closed_on=JUNE, **said, **BY_THE_OWNER)).then(
        achieved.model_copy(update={"value": Decimal(100), "progress": Decimal(50), "comment": comment})
    )


def test_an_empty_comment_is_no_request() -> None:
    with pytest.raises(ValidationError, match="comment"):
        CloseGoalBody(closed_on=JUNE, comment="")


def test_cancelling_says_where_the_children_go() -> None:
    given(GOAL, team_goal_set).when(cancel(left=(PARENT, OTHER_PARENT))).then_rejected(
        "cancelling-must-say-where-the-children-go", children=2
    )


@pytest.mark.parametrize("children", [ChildrenGo.CANCELLED_TOO, ChildrenGo.TO_ITS_PARENT, ChildrenGo.UNDER_NONE])
def test_who_goes_to_another_goal_goes_to_one_that_is_named(children: ChildrenGo) -> None:
    rule = "children-go-to-a-goal-that-is-named"
    given(GOAL, team_goal_set).when(cancel(children=ChildrenGo.TO_ANOTHER_GOAL)).then_rejected(rule, to=None)
    given(GOAL, team_goal_set).when(cancel(children=children, to=PARENT)).then_rejected(rule, children=children)
    given(GOAL, team_goal_set).when(cancel(children=children)).then(cancelled)


@pytest.mark.parametrize("closing", [achieved, missed, cancelled])
def test_a_closed_goal_is_reopened_as_it_was(closing: Event) -> None:
    given(GOAL, team_goal_set, halfway, closing).when(reopen()).then(reopened)
    given(GOAL, team_goal_set, halfway, closing, reopened).when(record("100")).then_nothing()


def test_an_open_goal_is_reopened_by_nothing_and_one_that_never_was_is_refused() -> None:
    given(GOAL, team_goal_set).when(reopen()).then_nothing()
    given(GOAL).when(reopen()).then_rejected("goal-is-not-active", state="NotSet")


def test_a_goal_is_reopened_below_a_parent_that_still_holds_it() -> None:
    below = (team_goal_set.model_copy(update={"parent": PARENT}), halfway, cancelled)
    given(GOAL, *below).when(reopen(parent_goal=parent)).then(reopened)
    given(GOAL, *below).when(reopen(parent_goal=parent.model_copy(update={"active": False}))).then_rejected(
        "parent-goal-must-be-active", parent=PARENT
    )
    given(GOAL, *below).when(reopen(parent_goal=parent.model_copy(update={"ends_on": NOW.date()}))).then_rejected(
        "child-dates-must-lie-inside-parent"
    )


def test_a_reopened_goal_that_had_expired_stays_expired() -> None:
    given(GOAL, team_goal_set, expired, achieved, reopened).when(day_ends(JUNE)).then_nothing()


@pytest.mark.parametrize("closing", [[], [achieved], [missed], [expired]])
def test_a_goal_goes_on_in_a_later_period_once(closing: list[Event]) -> None:
    goes_on = GoalCarriedOver(to=OTHER_PARENT)
    given(GOAL, team_goal_set, *closing).when(carry_over()).then(goes_on)
    given(GOAL, team_goal_set, *closing, goes_on).when(carry_over()).then_nothing()
    given(GOAL, team_goal_set, *closing, goes_on).when(carry_over(PARENT)).then_rejected(
        "goal-is-carried-over-once", carried_to=OTHER_PARENT
    )


def test_a_cancelled_goal_does_not_go_on() -> None:
    given(GOAL, team_goal_set, cancelled).when(carry_over()).then_rejected("goal-does-not-go-on", state="Cancelled")


def test_a_goal_goes_on_after_its_own_period() -> None:
    given(GOAL, team_goal_set).when(carry_over(starts_on=JUNE)).then_rejected(
        "carried-goal-must-start-after-the-one-before", starts_on=JUNE, after=JUNE
    )
    given(GOAL, team_goal_set).when(carry_over(starts_on=DECEMBER)).then(GoalCarriedOver(to=OTHER_PARENT))


def test_a_goal_that_went_on_is_not_reopened() -> None:
    history = (team_goal_set, halfway, missed, GoalCarriedOver(to=OTHER_PARENT))
    given(GOAL, *history).when(reopen()).then_rejected("carried-goal-is-not-reopened", carried_to=OTHER_PARENT)
