"""Rules of amendments: plan and goals change in one act, which the other approves, leaving exactly 100.00."""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.goals.domain.goal_closing import ChildrenGo
from services.goals.domain.goal_plan import GOAL_PLAN, GoalPlanCommand
from services.goals.domain.plan_amendment import GoalCancellationBody, GoalChangeBody, GoalHandoverBody
from services.goals.domain.plan_losses import LoseGoal
from services.goals.domain.plan_states import Agreed, GoalPlanEvent
from services.goals.domain.plan_weights import PLAN_WEIGHTS, PlannedGoal, WeightLimits
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import encode
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import (
    GoalAmendmentReturned,
    GoalCancellation,
    GoalChange,
    GoalHandover,
    PlannedGoalLost,
)
from shared.schemas.goals import TYPES
from shared.schemas.identifiers import SYSTEM, GoalId
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.goals.examples import A_GOAL, HR, JUNE, MANAGER, NOW, OWNER, goal_plan_events, goals, people
from tests.unit.services.goals.plans import (
    AMENDMENT,
    FOURTH,
    SECOND,
    THIRD,
    agree,
    agreed,
    amend,
    amended,
    amendment_proposed,
    approve,
    as_hr,
    as_manager,
    as_owner,
    by_hand,
    draft,
    fact,
    facts,
    propose,
    proposed_by_hand,
    send_amendment_back,
    send_back,
    weights,
)
from tests.unit.services.goals.policies import choosing

without_the_third = amendment_proposed(
    "60.00", "40.00", cancellations=(GoalCancellation(goal=THIRD, reason="priorities-changed"),)
)
AGREED = (proposed_by_hand, agreed)
WAITING = (*AGREED, without_the_third)
THE_SAME = {"goals": by_hand("50", "30", "20"), "facts": facts, "cancellations": ()}


def handing_over(goal: GoalId) -> GoalHandoverBody:
    return GoalHandoverBody(goal=goal, to=HR, reason="moved")


def test_a_goal_is_dropped_and_the_others_take_its_weight_in_one_act() -> None:
    """The trap elsewhere: no locked weight may change unless all do, so that a third goal can never go."""
    given(GOAL_PLAN, *AGREED).when(amend()).then(without_the_third)
    given(GOAL_PLAN, *WAITING).when(approve()).then(amended("60.00", "40.00"))


def test_the_others_may_share_the_weight_equally() -> None:
    equal = tuple(PlannedGoal(goal=goal) for goal in (A_GOAL, SECOND))
    given(GOAL_PLAN, *AGREED).when(amend(goals=equal)).then(
        without_the_third.model_copy(update={"weights": weights("50.00", "50.00")})
    )


def test_a_dropped_goal_leaves_exactly_100() -> None:
    given(GOAL_PLAN, *AGREED).when(amend(goals=by_hand("50", "30"))).then_rejected(
        "weights-must-total-100", total=Decimal("80.00"), required=Decimal("100.00")
    )


def test_a_goal_joins_the_plan() -> None:
    joined = amend(goals=by_hand("40", "30", "20", "10"), cancellations=(), facts=(*facts, fact(FOURTH)))
    given(GOAL_PLAN, *AGREED).when(joined).then(amendment_proposed("40.00", "30.00", "20.00", "10.00"))


def test_a_goal_is_handed_over() -> None:
    away = amend(cancellations=(), handovers=(handing_over(THIRD),))
    given(GOAL_PLAN, *AGREED).when(away).then(
        amendment_proposed("60.00", "40.00", handovers=(GoalHandover(goal=THIRD, to=HR, reason="moved"),))
    )


@pytest.mark.parametrize("level", [GoalLevel.PERSON, GoalLevel.TEAM])
def test_title_and_dates_change_and_a_persons_title_is_sealed(level: GoalLevel) -> None:
    known = (fact(A_GOAL, level=level), *facts[1:])
    change = GoalChangeBody(goal=A_GOAL, title="Answer sooner", ends_on=JUNE)
    asked: dict[str, Any] = {**THE_SAME, "facts": known, "changes": (change,)}
    title = PersonalText.about(OWNER, "Answer sooner") if level is GoalLevel.PERSON else "Answer sooner"
    expected = GoalChange(goal=A_GOAL, title=title, metric=None, starts_on=None, ends_on=JUNE)
    given(GOAL_PLAN, *AGREED).when(amend(**asked)).then(
        amendment_proposed("50.00", "30.00", "20.00", changes=(expected,))
    )


def test_a_goal_of_the_plan_that_is_achieved_by_now_keeps_its_weight() -> None:
    finished = (fact(A_GOAL, active=False), facts[1])
    given(GOAL_PLAN, *AGREED).when(amend(facts=finished)).then(without_the_third)


def test_a_goal_that_is_closed_does_not_join() -> None:
    joining = amend(goals=by_hand("40", "30", "20", "10"), cancellations=(), facts=(*facts, fact(FOURTH, active=False)))
    given(GOAL_PLAN, *AGREED).when(joining).then_rejected("plan-goal-must-be-active", goal=FOURTH)


lose = LoseGoal(goal=THIRD, reason="owner-left", at=NOW, by=SYSTEM)
lost = PlannedGoalLost(owner=OWNER, goal=THIRD, reason="owner-left")


def test_an_agreed_plan_says_once_which_of_its_goals_is_lost_and_no_other_plan_does() -> None:
    given(GOAL_PLAN, *AGREED).when(lose).then(lost)
    given(GOAL_PLAN, *AGREED, lost).when(lose).then_nothing()
    given(GOAL_PLAN, *AGREED).when(lose.model_copy(update={"goal": FOURTH})).then_nothing()
    given(GOAL_PLAN, proposed_by_hand).when(lose).then_nothing()


def test_a_lost_goal_stays_in_the_plan_only_if_it_counts_again() -> None:
    staying = amend(goals=by_hand("40", "30", "30"), cancellations=(), facts=(*facts[:2], fact(THIRD, owner=MANAGER)))
    given(GOAL_PLAN, *AGREED, lost).when(staying).then_rejected("plan-goal-must-be-the-owners", goal=THIRD)


def test_an_amendment_cancels_what_it_names() -> None:
    too = GoalCancellationBody(goal=THIRD, reason="r", children=ChildrenGo.CANCELLED_TOO)
    given(GOAL_PLAN, *AGREED).when(amend(cancellations=(too,))).then_rejected(
        "amendment-cancels-what-it-names", goal=THIRD
    )


def test_an_amendment_changes_something() -> None:
    given(GOAL_PLAN, *AGREED).when(amend(**THE_SAME)).then_rejected("amendment-must-change-something")


@pytest.mark.parametrize(
    ("changes", "rule", "goal"),
    [
        (
            {"cancellations": (GoalCancellationBody(goal=FOURTH, reason="r"),)},
            "amendment-is-of-goals-in-the-plan",
            FOURTH,
        ),
        (
            {"cancellations": (GoalCancellationBody(goal=SECOND, reason="r"),)},
            "amendment-must-not-weigh-what-leaves",
            SECOND,
        ),
        ({"handovers": (handing_over(SECOND),)}, "amendment-must-not-weigh-what-leaves", SECOND),
        ({"changes": (GoalChangeBody(goal=FOURTH, title="x"),)}, "amendment-is-of-goals-in-the-plan", FOURTH),
    ],
)
def test_an_amendment_speaks_of_goals_in_the_plan(changes: dict[str, Any], rule: str, goal: object) -> None:
    given(GOAL_PLAN, *AGREED).when(amend(**changes)).then_rejected(rule, goal=goal)


def test_an_amendment_names_a_goal_once() -> None:
    twice = amend(handovers=(handing_over(THIRD),))
    given(GOAL_PLAN, *AGREED).when(twice).then_rejected("amendment-must-name-a-goal-once", goals=[THIRD, THIRD])


def test_the_limits_of_the_policy_in_force_hold_when_it_is_approved() -> None:
    at_most_half = choosing(PLAN_WEIGHTS, WeightLimits(maximum=Decimal(50)))
    given(GOAL_PLAN, *WAITING).when(approve(policy=at_most_half)).then_rejected(
        "weight-must-keep-the-limits", goal=A_GOAL, weight=Decimal("60.00")
    )


def test_what_is_approved_is_what_was_proposed() -> None:
    another = (fact(A_GOAL, fingerprint="has another target"), facts[1])
    given(GOAL_PLAN, *WAITING).when(approve(facts=another)).then_rejected(
        "plan-goal-must-be-as-it-was-proposed", goal=A_GOAL
    )


def test_only_an_agreed_plan_is_amended() -> None:
    given(GOAL_PLAN, proposed_by_hand).when(amend()).then_rejected("goal-plan-is-not-agreed", state="Proposed")


def test_nobody_approves_their_own_amendment() -> None:
    given(GOAL_PLAN, *WAITING).when(approve(**as_manager)).then_rejected(
        "goal-plan-must-be-agreed-by-the-other", proposed_by=MANAGER, by=MANAGER
    )


def test_somebody_on_neither_side_approves_nothing() -> None:
    for command in (approve(**as_hr), send_amendment_back(**as_hr), amend(**as_hr, amendment=HR)):
        given(GOAL_PLAN, *WAITING).when(command).then_rejected("plan-is-agreed-by-the-owner-and-the-other", by=HR)


def test_an_amendment_is_sent_back_with_a_comment_and_the_plan_stays() -> None:
    returned = GoalAmendmentReturned(
        amendment=AMENDMENT,
        owner=OWNER,
        comment=PersonalText.about(OWNER, "Let us keep it"),
        returned_by=OWNER,
    )
    given(GOAL_PLAN, *WAITING).when(send_amendment_back()).then(returned)
    given(GOAL_PLAN, *WAITING, returned).when(approve()).then_rejected(
        "amendment-is-not-proposed", amendment=AMENDMENT, waiting=None
    )


def test_who_proposed_an_amendment_may_take_it_back() -> None:
    taken_back = GoalAmendmentReturned(
        amendment=AMENDMENT, owner=OWNER, comment=PersonalText.about(OWNER, "A mistake"), returned_by=MANAGER
    )
    given(GOAL_PLAN, *WAITING).when(send_amendment_back("A mistake", **as_manager)).then(taken_back)


def test_the_other_sides_amendment_takes_the_place_of_the_one_that_waits() -> None:
    counter = amendment_proposed("70.00", "30.00", amendment=HR, proposed_by=OWNER)
    given(GOAL_PLAN, *WAITING, counter).when(approve()).then_rejected(
        "amendment-is-not-proposed", amendment=AMENDMENT, waiting=HR
    )


def test_approving_twice_changes_nothing() -> None:
    given(GOAL_PLAN, *WAITING, amended("60.00", "40.00")).when(approve()).then_nothing()


histories = st.lists(goal_plan_events, max_size=5)
known_goals = st.lists(st.builds(fact, goals, owner=people, active=st.booleans()), max_size=3).map(tuple)
sides = st.sampled_from([as_owner, as_manager, as_hr])
commands = sides.flatmap(
    lambda side: known_goals.flatmap(
        lambda known: st.sampled_from(
            [
                draft(by=side["by"], facts=known),
                propose(**{**side, "facts": known}),
                agree(**{**side, "facts": known}),
                send_back(**side),
                amend(**{**side, "facts": known}),
                approve(**{**side, "facts": known}),
                send_amendment_back(**side),
            ]
        )
    )
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


weighings = st.lists(st.integers(min_value=0, max_value=4), min_size=1, max_size=4).map(
    lambda parts: by_hand(*(str(part * 25) for part in parts))
)
asked_in_turn = st.lists(
    st.tuples(
        sides,
        st.sampled_from([propose, agree, send_back, amend, approve, send_amendment_back]),
        weighings,
        st.uuids(version=4),
    ),
    max_size=12,
)


@for_all(st.sampled_from([(), AGREED, WAITING]), asked_in_turn)
def test_whatever_is_asked_in_whatever_order_an_agreed_plan_totals_exactly_100(
    history: Sequence[GoalPlanEvent], asked: list[Any]
) -> None:
    state, known = GOAL_PLAN.fold(history), (*facts, fact(FOURTH))
    for side, command, weighing, amendment in asked:
        waiting = state.amendment.amendment if isinstance(state, Agreed) and state.amendment else AMENDMENT
        changes: dict[Any, dict[str, Any]] = {
            propose: {"goals": weighing, "facts": known},
            agree: {"facts": known},
            send_back: {},
            amend: {"goals": weighing, "facts": known, "amendment": amendment, "cancellations": ()},
            approve: {"facts": known, "amendment": waiting},
            send_amendment_back: {"amendment": waiting},
        }
        with suppress(Rejected):
            state = GOAL_PLAN.fold(GOAL_PLAN.decide(state, command(**{**side, **changes[command]})), state)
        if isinstance(state, Agreed):
            assert sum(weight.weight for weight in state.weights) == Decimal("100.00")
