"""Goal evidence: every goal of a roll-up counted once, as the goal tree counts them; answered once; hashed."""

import hashlib
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import reject
from hypothesis import strategies as st

from services.goals.domain import goal_evidence
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_evidence import (
    GOAL_EVIDENCE,
    Counting,
    FreezeEvidence,
    StoodGoal,
    StoodPlan,
    stood_or_none,
)
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.plan_states import Agreed
from shared.eventsourcing.decider import Rejected
from shared.schemas.canonical import canonical_text, sha256_of
from shared.schemas.event import Event, encode
from shared.schemas.goal_changes import GoalVisibilityChosen
from shared.schemas.goal_evidence import GoalEvidenceFrozen, frozen_hash
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goal_plans import GoalPlanAgreed, PlanWeight
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import TYPES, GoalAchieved, GoalCancelled
from shared.schemas.identifiers import SYSTEM, GoalId, GoalPlanId, ReviewId
from tests.spec import given
from tests.unit.services.goals.examples import DECEMBER, JANUARY, JUNE, NOW, OWNER, goal_events, halfway, team_goal_set

REVIEW, PLAN = ReviewId(UUID(int=0x51)), GoalPlanId(UUID(int=0x52))
ROOT, LEFT, RIGHT, LEAF = (GoalId(UUID(int=number)) for number in range(1, 5))


def stood(goal: GoalId, *events: Event, parent: GoalId | None = None, by_children: bool = False) -> StoodGoal:
    source = MeasuredBy.CHILDREN if by_children else None
    first = team_goal_set.model_copy(update={"parent": parent, "measured_by": source})
    found = stood_or_none(goal, GOAL.fold([first, *events]), version=1 + len(events), position=10)
    assert found is not None
    return found


def agreed(*weights: tuple[GoalId, str]) -> StoodPlan:
    weighed = tuple(PlanWeight(goal=goal, weight=Decimal(weight)) for goal, weight in weights)
    event = GoalPlanAgreed(owner=OWNER, starts_on=JANUARY, ends_on=JUNE, weights=weighed, agreed_by=OWNER)
    state = GOAL_PLAN.fold([event])
    assert isinstance(state, Agreed)
    return StoodPlan(PLAN, state, version=1, position=5)


def freeze(plans: tuple[StoodPlan, ...], *goals: StoodGoal) -> FreezeEvidence:
    days = {"starts_on": JANUARY, "ends_on": DECEMBER}
    return FreezeEvidence(review=REVIEW, person=OWNER, plans=plans, goals=goals, at=NOW, by=SYSTEM, **days)


def frozen(command: FreezeEvidence) -> GoalEvidenceFrozen:
    [event] = GOAL_EVIDENCE.decide(GOAL_EVIDENCE.initial, command)
    assert isinstance(event, GoalEvidenceFrozen)
    return event


def test_a_question_that_was_answered_is_not_answered_again() -> None:
    first = frozen(freeze((agreed((ROOT, "100")),), stood(ROOT)))
    given(GOAL_EVIDENCE, first).when(freeze((agreed((ROOT, "100")),), stood(ROOT, halfway))).then_nothing()


def test_a_line_says_who_sees_its_goal() -> None:
    closed = GoalVisibilityChosen(visibility=GoalVisibility.OWNER_AND_MANAGER)
    event = frozen(freeze((agreed((ROOT, "60"), (LEFT, "40")),), stood(ROOT, closed), stood(LEFT)))
    assert {line.goal: line.visibility for line in event.goals} == {ROOT: "owner-and-manager", LEFT: None}


def test_a_cancelled_goal_counts_in_no_roll_up_and_a_signed_figure_stays() -> None:
    closed = GoalAchieved(value=None, progress=Decimal(80), closed_on=JUNE)
    goals = [
        stood(ROOT, by_children=True),
        stood(LEFT, closed, parent=ROOT, by_children=True),
        stood(RIGHT, halfway, GoalCancelled(reason="merged"), parent=ROOT),
        stood(LEAF, halfway, parent=LEFT),
    ]
    counting = Counting(goals)
    assert [(one.goal, one.progress) for one in counting.below(ROOT)] == [(LEFT, Decimal(80))]
    assert counting.progress[ROOT] == Decimal(80)


def test_a_goal_that_measures_itself_counts_nothing_below_it() -> None:
    counting = Counting([stood(ROOT, halfway), stood(LEAF, parent=ROOT)])
    assert counting.below(ROOT) == []


def test_a_cycle_ends_the_walk() -> None:
    counting = Counting([stood(ROOT, parent=LEFT, by_children=True), stood(LEFT, halfway, parent=ROOT)])
    assert [one.goal for one in counting.below(ROOT)] == [LEFT]


def test_a_list_too_long_to_be_published_is_left_out_and_still_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    goals = [stood(ROOT, by_children=True), stood(LEFT, parent=ROOT), stood(RIGHT, parent=ROOT)]
    whole = frozen(freeze((agreed((ROOT, "100")),), *goals))
    monkeypatch.setattr(goal_evidence, "MOST_LISTED", 1)
    short = frozen(freeze((agreed((ROOT, "100")),), *goals))
    assert ([one.goal for one in whole.counted], short.counted) == ([LEFT, RIGHT], ())
    assert short.goals == whole.goals
    assert short.evidence_hash == whole.evidence_hash


def test_the_hash_is_of_everything_but_the_list_and_itself() -> None:
    event = frozen(freeze((agreed((ROOT, "60"), (LEFT, "40")),), stood(ROOT, halfway), stood(LEFT)))
    assert event.evidence_hash == frozen_hash(event)
    for changed in ({"review": ReviewId(UUID(int=1))}, {"starts_on": JUNE}, {"goals": event.goals[:1]}, {"plans": ()}):
        assert frozen_hash(event.model_copy(update=changed)) != event.evidence_hash
    line = event.goals[0].model_copy(update={"version": 99})
    assert frozen_hash(event.model_copy(update={"goals": (line, event.goals[1])})) != event.evidence_hash


@for_all(st.lists(goal_events, max_size=6), st.lists(goal_events, max_size=6))
def test_whatever_happened_to_the_goals_they_are_frozen_and_survive_storage(
    one: list[Event], other: list[Event]
) -> None:
    states = [(goal, GOAL.fold(events)) for goal, events in ((ROOT, one), (LEFT, other))]
    goals = [found for goal, state in states if (found := stood_or_none(goal, state, 1, 1)) is not None]
    try:
        event = frozen(freeze((agreed((ROOT, "50"), (LEFT, "50")),), *goals))
    except Rejected:  # a metric that no command sets
        reject()
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert isinstance(read, GoalEvidenceFrozen)
    assert frozen_hash(read) == event.evidence_hash


def test_canonical_text_is_what_rfc_8785_writes() -> None:
    """The strings of section 3.2.2.2 of the RFC, and its order of names, which for ASCII letters is the usual one."""
    content = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": None, "a": [], "B": {}}
    assert canonical_text(content) == '{"B":{},"a":[],"literals":null,"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert sha256_of(content) == hashlib.sha256(canonical_text(content).encode()).hexdigest()


def test_numbers_and_days_are_strings_and_equal_numbers_alike() -> None:
    assert canonical_text([Decimal("50.00"), Decimal("5E+1"), Decimal("-0.0"), 7, JUNE, ROOT]) == (
        '["50","50","0","7","2026-06-30","00000000-0000-0000-0000-000000000001"]'
    )


@pytest.mark.parametrize("content", [1.5, True, NOW, b"x", {1.0}])
def test_what_has_no_text_of_its_own_is_refused(content: object) -> None:
    with pytest.raises(TypeError):
        canonical_text([content])
