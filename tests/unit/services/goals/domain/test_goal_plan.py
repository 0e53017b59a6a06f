"""Rules of goal plans: drafting is soft, agreement takes the other one and weights of exactly 100.00."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.goals.domain.goal_plan import (
    GOAL_PLAN,
    AgreeGoalPlan,
    GoalFact,
    GoalPlanCommand,
    GoalPlanEvent,
    ProposeGoalPlan,
)
from services.goals.domain.plan_weights import PlannedGoal
from services.goals.domain.policy import DEFAULT
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import encode
from shared.schemas.goals import TYPES, GoalPlanAgreed, GoalPlanProposed, PlanWeight
from tests.spec import given
from tests.unit.services.goals.examples import (
    A_GOAL,
    HR,
    JANUARY,
    JUNE,
    MANAGER,
    NOW,
    OTHER_PARENT,
    OWNER,
    PARENT,
    goal_plan_events,
    goals,
    people,
)

SECOND, THIRD = PARENT, OTHER_PARENT
facts = tuple(GoalFact(goal=goal, owner=OWNER, active=True) for goal in (A_GOAL, SECOND, THIRD))


def weights(*percent: str) -> tuple[PlanWeight, ...]:
    return tuple(
        PlanWeight(goal=goal, weight=Decimal(weight))
        for goal, weight in zip((A_GOAL, SECOND, THIRD), percent, strict=False)
    )


def by_hand(*percent: str) -> tuple[PlannedGoal, ...]:
    return tuple(PlannedGoal(goal=weight.goal, weight=weight.weight) for weight in weights(*percent))


def propose(**changes: Any) -> ProposeGoalPlan:
    asked: dict[str, Any] = {
        "owner": OWNER,
        "starts_on": JANUARY,
        "ends_on": JUNE,
        "goals": by_hand("50", "30", "20"),
        "facts": facts,
        "policy": DEFAULT,
        "at": NOW,
        "by": MANAGER,
    }
    return ProposeGoalPlan(**{**asked, **changes})


def agree(**changes: Any) -> AgreeGoalPlan:
    asked: dict[str, Any] = {"facts": facts, "policy": DEFAULT, "at": NOW, "by": OWNER}
    return AgreeGoalPlan(**{**asked, **changes})


def proposed(*percent: str, **changes: Any) -> GoalPlanProposed:
    said: dict[str, Any] = {"owner": OWNER, "starts_on": JANUARY, "ends_on": JUNE, "proposed_by": MANAGER, **changes}
    return GoalPlanProposed(weights=weights(*percent), **said)


agreed = GoalPlanAgreed(
    owner=OWNER, starts_on=JANUARY, ends_on=JUNE, weights=weights("50.00", "30.00", "20.00"), agreed_by=OWNER
)
draft = proposed("50.00", "30.00", "20.00")


def test_a_plan_is_proposed_with_its_weights() -> None:
    given(GOAL_PLAN).when(propose()).then(draft)


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
    given(GOAL_PLAN, draft).when(propose(goals=by_hand("100"), by=OWNER)).then(proposed("100.00", proposed_by=OWNER))


def test_proposing_the_same_again_changes_nothing() -> None:
    given(GOAL_PLAN, draft).when(propose()).then_nothing()


def test_an_agreed_plan_is_not_proposed_again() -> None:
    given(GOAL_PLAN, draft, agreed).when(propose()).then_rejected("goal-plan-is-already-agreed")


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
        ((*facts[:2], GoalFact(goal=THIRD, owner=HR, active=True)), "plan-goal-must-be-the-owners"),
        ((*facts[:2], GoalFact(goal=THIRD, owner=OWNER, active=False)), "plan-goal-must-be-active"),
    ],
)
def test_a_plan_weighs_goals_that_are_the_owners_and_active(known: tuple[GoalFact, ...], rule: str) -> None:
    given(GOAL_PLAN).when(propose(facts=known)).then_rejected(rule, goal=THIRD)
    given(GOAL_PLAN, draft).when(agree(facts=known)).then_rejected(rule, goal=THIRD)


def test_the_owner_agrees_to_what_the_manager_proposed() -> None:
    given(GOAL_PLAN, draft).when(agree()).then(agreed)


def test_the_manager_agrees_to_what_the_owner_proposed() -> None:
    own = draft.model_copy(update={"proposed_by": OWNER})
    given(GOAL_PLAN, own).when(agree(by=MANAGER)).then(agreed.model_copy(update={"agreed_by": MANAGER}))


@pytest.mark.parametrize("proposer", [OWNER, MANAGER])
def test_nobody_agrees_to_their_own_proposal(proposer: Any) -> None:
    own = draft.model_copy(update={"proposed_by": proposer})
    given(GOAL_PLAN, own).when(agree(by=proposer)).then_rejected(
        "goal-plan-must-be-agreed-by-the-other", proposed_by=proposer, by=proposer
    )


def test_a_plan_is_not_agreed_over_its_owners_head() -> None:
    given(GOAL_PLAN, draft).when(agree(by=HR)).then_rejected("goal-plan-needs-its-owner", owner=OWNER)


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
    given(GOAL_PLAN, draft, agreed).when(agree()).then_nothing()


def test_an_agreed_plan_is_not_agreed_by_somebody_else() -> None:
    given(GOAL_PLAN, draft, agreed).when(agree(by=MANAGER)).then_rejected("goal-plan-is-already-agreed")


def test_a_plan_that_was_never_proposed_is_not_agreed() -> None:
    given(GOAL_PLAN).when(agree()).then_rejected("goal-plan-is-not-proposed")


histories = st.lists(goal_plan_events, max_size=4)
known_goals = st.lists(st.builds(GoalFact, goal=goals, owner=people, active=st.booleans()), max_size=3).map(tuple)
planned = st.builds(PlannedGoal, goal=goals, weight=st.none() | st.sampled_from([Decimal(100), Decimal("33.33")]))
commands = st.one_of(
    st.builds(
        ProposeGoalPlan,
        owner=people,
        starts_on=st.dates(),
        ends_on=st.dates(),
        goals=st.lists(planned, min_size=1, max_size=3).map(tuple),
        facts=known_goals,
        policy=st.just(DEFAULT),
        at=st.just(NOW),
        by=people,
    ),
    st.builds(AgreeGoalPlan, facts=known_goals, policy=st.just(DEFAULT), at=st.just(NOW), by=people),
)


@for_all(goal_plan_events)
def test_events_survive_storage(event: GoalPlanEvent) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert encode(event) == stored


@for_all(histories)
def test_evolve_never_fails_on_any_history(history: list[GoalPlanEvent]) -> None:
    GOAL_PLAN.fold(history)


@for_all(histories, commands)
def test_deciding_twice_adds_nothing(history: list[GoalPlanEvent], command: GoalPlanCommand) -> None:
    state = GOAL_PLAN.fold(history)
    try:
        state = GOAL_PLAN.fold(GOAL_PLAN.decide(state, command), state)
        again = GOAL_PLAN.decide(state, command)
    except Rejected:
        return
    assert list(again) == []
