"""Rules of goal plans: drafting is soft, agreement takes the other one and weights of exactly 100.00."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.plan_sides import Standing
from services.goals.domain.plan_weights import PLAN_GOALS, CountLimits, PlannedGoal
from services.goals.domain.planned_goals import GoalFact, Holding
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.identifiers import GoalPlanId
from tests.spec import given
from tests.unit.services.goals.examples import (
    A_GOAL,
    HR,
    JANUARY,
    JUNE,
    MANAGER,
    OWNER,
)
from tests.unit.services.goals.plans import (
    SECOND,
    THIRD,
    agree,
    agreed,
    as_manager,
    as_owner,
    by_hand,
    draft,
    drafted,
    fact,
    facts,
    propose,
    proposed,
    proposed_by_hand,
    send_back,
    sent_back,
    weights,
)
from tests.unit.services.goals.policies import choosing

OTHER_PLAN = GoalPlanId(UUID(int=0xB1))


def test_a_plan_is_proposed_with_its_weights() -> None:
    given(GOAL_PLAN).when(propose()).then(proposed_by_hand)


def test_a_draft_need_not_total_100() -> None:
    given(GOAL_PLAN).when(propose(goals=by_hand("50", "30"))).then(proposed("50.00", "30.00"))


def test_goals_without_weights_count_equally() -> None:
    equal = tuple(PlannedGoal(goal=goal) for goal in (A_GOAL, SECOND, THIRD))
    given(GOAL_PLAN).when(propose(goals=equal)).then(proposed("33.34", "33.33", "33.33"))


def test_weights_are_all_by_hand_or_all_equal() -> None:
    mixed = (*by_hand("50"), PlannedGoal(goal=SECOND))
    given(GOAL_PLAN).when(propose(goals=mixed)).then_rejected(
        "weights-must-be-all-by-hand-or-all-equal", goals=2, by_hand=1
    )


def test_a_new_proposal_takes_the_place_of_the_one_before() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(propose(goals=by_hand("100"), **as_owner)).then(
        proposed("100.00", proposed_by=OWNER)
    )


def test_proposing_the_same_again_changes_nothing() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(propose()).then_nothing()


def test_an_agreed_plan_is_not_proposed_again() -> None:
    given(GOAL_PLAN, proposed_by_hand, agreed).when(propose()).then_rejected("goal-plan-is-already-agreed")


def test_a_plan_does_not_end_before_it_starts() -> None:
    given(GOAL_PLAN).when(propose(starts_on=JUNE, ends_on=JANUARY)).then_rejected(
        "goal-plan-must-not-end-before-it-starts", starts_on=JUNE, ends_on=JANUARY
    )


def test_a_plan_names_a_goal_once() -> None:
    twice = (*by_hand("50"), *by_hand("50"))
    given(GOAL_PLAN).when(propose(goals=twice)).then_rejected("plan-must-name-a-goal-once", goals=[A_GOAL, A_GOAL])


@pytest.mark.parametrize(
    ("known", "rule"),
    [
        (facts[:2], "plan-goal-must-exist"),
        ((*facts[:2], fact(THIRD, owner=HR)), "plan-goal-must-be-the-owners"),
        ((*facts[:2], fact(THIRD, active=False)), "plan-goal-must-be-active"),
    ],
)
def test_a_plan_weighs_goals_that_are_the_owners_and_active(known: tuple[GoalFact, ...], rule: str) -> None:
    given(GOAL_PLAN).when(propose(facts=known)).then_rejected(rule, goal=THIRD)
    given(GOAL_PLAN, proposed_by_hand).when(agree(facts=known)).then_rejected(rule, goal=THIRD)


def test_the_owner_agrees_to_what_the_manager_proposed() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(agree()).then(agreed)


def test_the_manager_agrees_to_what_the_owner_proposed() -> None:
    own = proposed_by_hand.model_copy(update={"proposed_by": OWNER})
    given(GOAL_PLAN, own).when(agree(**as_manager)).then(agreed.model_copy(update={"agreed_by": MANAGER}))


@pytest.mark.parametrize("proposer", [OWNER, MANAGER])
def test_nobody_agrees_to_their_own_proposal(proposer: Any) -> None:
    own = proposed_by_hand.model_copy(update={"proposed_by": proposer})
    given(GOAL_PLAN, own).when(agree(by=proposer, standing=Standing(manager=True))).then_rejected(
        "goal-plan-must-be-agreed-by-the-other", proposed_by=proposer, by=proposer
    )


def test_a_plan_is_not_agreed_over_its_owners_head() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(agree(by=HR, standing=Standing(manager=True))).then_rejected(
        "goal-plan-needs-its-owner", owner=OWNER, proposed_by=MANAGER, by=HR
    )


@pytest.mark.parametrize(
    ("percent", "total"),
    [
        (("33.33", "33.33", "33.33"), "99.99"),
        (("50.00", "50.01"), "100.01"),
        (("0.00", "0.00"), "0.00"),
        ((), "0.00"),
    ],
)
def test_weights_of_an_agreed_plan_total_exactly_100(percent: tuple[str, ...], total: str) -> None:
    given(GOAL_PLAN, proposed(*percent)).when(agree()).then_rejected(
        "weights-must-total-100", total=Decimal(total), required=Decimal("100.00")
    )


def test_a_weight_may_be_zero() -> None:
    given(GOAL_PLAN, proposed("100.00", "0.00")).when(agree()).then(
        agreed.model_copy(update={"weights": weights("100.00", "0.00")})
    )


def test_agreeing_twice_changes_nothing() -> None:
    given(GOAL_PLAN, proposed_by_hand, agreed).when(agree()).then_nothing()


def test_an_agreed_plan_is_not_agreed_by_somebody_else() -> None:
    given(GOAL_PLAN, proposed_by_hand, agreed).when(agree(**as_manager)).then_rejected("goal-plan-is-already-agreed")


def test_a_plan_that_was_never_proposed_is_not_agreed() -> None:
    given(GOAL_PLAN).when(agree()).then_rejected("goal-plan-is-not-proposed")


def test_a_draft_asks_nobody_and_is_replaced_freely() -> None:
    given(GOAL_PLAN).when(draft()).then(drafted)
    given(GOAL_PLAN, drafted).when(draft()).then_nothing()
    given(GOAL_PLAN, drafted).when(propose()).then(proposed_by_hand)
    given(GOAL_PLAN, drafted).when(agree()).then_rejected("goal-plan-is-not-proposed", state="Drafted")


def test_a_draft_does_not_take_a_proposal_from_under_the_others_eyes() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(draft()).then_rejected("goal-plan-is-already-proposed", proposed_by=MANAGER)


def test_the_other_sends_a_proposal_back_with_a_comment() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(send_back()).then(sent_back)
    given(GOAL_PLAN, proposed_by_hand, sent_back).when(send_back()).then_nothing()


def test_what_was_sent_back_is_proposed_again_by_either_side() -> None:
    given(GOAL_PLAN, proposed_by_hand, sent_back).when(agree(**as_manager)).then_rejected("goal-plan-is-not-proposed")
    given(GOAL_PLAN, proposed_by_hand, sent_back).when(propose()).then(proposed_by_hand)
    given(GOAL_PLAN, proposed_by_hand, sent_back).when(propose(**as_owner)).then(
        proposed_by_hand.model_copy(update={"proposed_by": OWNER})
    )


def test_nobody_sends_back_their_own_proposal() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(send_back(**as_manager)).then_rejected(
        "goal-plan-must-be-agreed-by-the-other", proposed_by=MANAGER, by=MANAGER
    )


def test_what_is_agreed_is_what_was_proposed() -> None:
    retitled = (*facts[:2], fact(THIRD, fingerprint="has another title", version=7))
    given(GOAL_PLAN, proposed_by_hand).when(agree(facts=retitled)).then_rejected(
        "plan-goal-must-be-as-it-was-proposed", goal=THIRD, proposed_at_version=1
    )


def test_progress_between_proposal_and_agreement_is_no_other_goal() -> None:
    measured = tuple(fact(known.goal, version=9) for known in facts)
    given(GOAL_PLAN, proposed_by_hand).when(agree(facts=measured)).then(agreed)


def test_a_goal_counts_in_one_plan_of_a_level_at_a_time() -> None:
    until_march = Holding(plan=OTHER_PLAN, level=GoalLevel.PERSON, starts_on=JANUARY, ends_on=date(2026, 3, 31))
    held = (*facts[:2], fact(THIRD, held=(until_march,)))
    given(GOAL_PLAN).when(propose(facts=held)).then_rejected(
        "plan-goal-must-count-in-one-plan-at-a-time", goal=THIRD, plan=OTHER_PLAN, until=date(2026, 3, 31)
    )
    april = propose(facts=held, starts_on=date(2026, 4, 1))
    given(GOAL_PLAN).when(april).then(proposed_by_hand.model_copy(update={"starts_on": date(2026, 4, 1)}))


def test_a_leaders_plan_weighs_a_goal_that_the_teams_plan_holds() -> None:
    teams = Holding(plan=OTHER_PLAN, level=GoalLevel.TEAM, starts_on=JANUARY, ends_on=JUNE)
    held = (*facts[:2], fact(THIRD, level=GoalLevel.TEAM, held=(teams,)))
    given(GOAL_PLAN).when(propose(facts=held)).then(proposed_by_hand)


def test_a_teams_plan_weighs_team_goals_alone() -> None:
    mixed = (*(fact(goal, level=GoalLevel.TEAM) for goal in (A_GOAL, SECOND)), fact(THIRD))
    given(GOAL_PLAN).when(propose(level=GoalLevel.TEAM, facts=mixed)).then_rejected(
        "plan-goal-must-be-of-its-level", goal=THIRD, level=GoalLevel.PERSON, plan=GoalLevel.TEAM
    )


def test_the_policy_limits_hold_when_it_is_agreed_and_not_before() -> None:
    few = choosing(PLAN_GOALS, CountLimits(minimum=1, maximum=2))
    given(GOAL_PLAN).when(propose(policy=few)).then(proposed_by_hand)
    given(GOAL_PLAN, proposed_by_hand).when(agree(policy=few)).then_rejected(
        "plan-must-keep-the-number-of-goals", number=3, minimum=1, maximum=2
    )
