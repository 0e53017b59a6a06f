"""Rules of assignments: begun once, a result for each person once, finished, taken back goal by goal."""

from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.goals.domain.goal_assignment import (
    ASSIGNMENT,
    AssignGoals,
    BeginAssignment,
    FinishAssignment,
    NotBegun,
    UndoAssignment,
    WithdrawGoals,
)
from services.goals.domain.parent import ParentGoal
from services.goals.domain.policy import DEFAULT
from shared.schemas.event import Event, encode
from shared.schemas.goal_assignments import (
    AssignedGoal,
    AssignedGoalsWithdrawn,
    AssignmentOutcome,
    GivenTemplate,
    GoalAssignmentBegun,
    GoalAssignmentFinished,
    GoalAssignmentUndone,
    GoalsAssigned,
    Population,
    WithdrawalOutcome,
    WithdrawnGoal,
)
from shared.schemas.goals import TYPES
from shared.schemas.identifiers import GoalId, GoalTemplateId, PersonId
from tests.spec import given
from tests.unit.services.goals.domain.test_goal_template import GOAL
from tests.unit.services.goals.examples import A_GOAL, DECEMBER, HR, JANUARY, JUNE, NOW, OTHER_PARENT, OWNER, PARENT

TEMPLATE = GoalTemplateId(UUID(int=0x7))
OTHER = PersonId(UUID(int=0xD))
GIVEN = (GivenTemplate(template=TEMPLATE, version=1, goal=GOAL),)
BY_HR: dict[str, Any] = {"at": NOW, "by": HR}
OVER: dict[str, Any] = {"templates": (TEMPLATE,), "starts_on": JANUARY, "ends_on": DECEMBER}
begun = GoalAssignmentBegun(
    templates=GIVEN, starts_on=JANUARY, ends_on=DECEMBER, parent=None, population=Population(), people=2
)
his = AssignedGoal(person=OWNER, template=TEMPLATE, outcome=AssignmentOutcome.SET, goal=A_GOAL)
hers = AssignedGoal(
    person=OTHER, template=TEMPLATE, outcome=AssignmentOutcome.REFUSED, rule="person-must-be-employed", message="left"
)
assigned = GoalsAssigned(results=(his, hers))
finished = GoalAssignmentFinished()
undone = GoalAssignmentUndone(reason="wrong-department")
kept = WithdrawnGoal(goal=A_GOAL, outcome=WithdrawalOutcome.KEPT, rule="withdrawn-goal-must-have-no-progress")
gone = WithdrawnGoal(goal=A_GOAL, outcome=WithdrawalOutcome.WITHDRAWN)


def test_a_manager_gives_to_nobody_beyond_their_line() -> None:
    given(ASSIGNMENT).when(begin(beyond=(OTHER,))).then_rejected(
        "population-must-be-below-its-manager", people=(OTHER,)
    )


def begin(**said: Any) -> BeginAssignment:
    facts: dict[str, Any] = {"given": GIVEN, "people": 2, "goal": A_GOAL, "policy": DEFAULT}
    return BeginAssignment(**{**OVER, **facts, **said}, **BY_HR)


def under(**said: Any) -> dict[str, Any]:
    usual = {"goal": PARENT, "active": True, "starts_on": JANUARY, "ends_on": DECEMBER, "ancestors": ()}
    return {"parent": PARENT, "parent_goal": ParentGoal.model_validate({**usual, **said})}


def test_an_assignment_is_begun_over_a_population() -> None:
    given(ASSIGNMENT).when(begin()).then(begun)
    given(ASSIGNMENT, begun).when(begin()).then_rejected("goal-assignment-is-already-begun")


def test_a_population_of_nobody_is_refused() -> None:
    given(ASSIGNMENT).when(begin(people=0)).then_rejected("population-is-empty", teams=[])


def test_a_template_is_named_once() -> None:
    given(ASSIGNMENT).when(begin(templates=(TEMPLATE, TEMPLATE))).then_rejected("assignment-must-name-a-template-once")


def test_what_would_refuse_every_goal_refuses_the_act() -> None:
    for said, rule in (
        ({"starts_on": DECEMBER, "ends_on": JANUARY}, "goal-must-not-end-before-it-starts"),
        ({"parent": PARENT}, "parent-goal-must-exist"),
        (under(active=False), "parent-goal-must-be-active"),
        (under(ends_on=JUNE), "child-dates-must-lie-inside-parent"),
        (under(children_weighed_by_hand=True), "weights-must-be-all-by-hand-or-all-equal"),
    ):
        given(ASSIGNMENT).when(begin(**said)).then_rejected(rule)


def test_each_person_has_one_result() -> None:
    given(ASSIGNMENT, begun).when(AssignGoals(results=(his, hers), **BY_HR)).then(assigned)
    first = GoalsAssigned(results=(his,))
    given(ASSIGNMENT, begun, first).when(AssignGoals(results=(his, hers), **BY_HR)).then(GoalsAssigned(results=(hers,)))
    given(ASSIGNMENT, begun, assigned).when(AssignGoals(results=(his,), **BY_HR)).then_nothing()


def test_an_assignment_is_finished_once() -> None:
    given(ASSIGNMENT, begun, assigned).when(FinishAssignment(**BY_HR)).then(finished)
    given(ASSIGNMENT, begun, assigned, finished).when(FinishAssignment(**BY_HR)).then_nothing()


def test_nothing_is_assigned_by_an_act_that_was_never_begun() -> None:
    for command in (AssignGoals(results=(his,), **BY_HR), FinishAssignment(**BY_HR)):
        given(ASSIGNMENT).when(command).then_rejected("goal-assignment-is-not-begun")
    undo = UndoAssignment(reason="wrong-department", **BY_HR)
    given(ASSIGNMENT).when(undo).then_rejected("goal-assignment-is-not-begun")


def test_an_assignment_is_undone_finished_or_not_and_then_goes_on_no_more() -> None:
    undo = UndoAssignment(reason="wrong-department", **BY_HR)
    given(ASSIGNMENT, begun).when(undo).then(undone)
    given(ASSIGNMENT, begun, assigned, finished).when(undo).then(undone)
    given(ASSIGNMENT, begun, undone).when(undo).then_nothing()
    for command in (AssignGoals(results=(his,), **BY_HR), FinishAssignment(**BY_HR)):
        given(ASSIGNMENT, begun, undone).when(command).then_rejected("goal-assignment-is-undone")


def test_only_what_is_undone_is_withdrawn() -> None:
    command = WithdrawGoals(results=(gone,), **BY_HR)
    given(ASSIGNMENT, begun, assigned).when(command).then_rejected("goal-assignment-is-not-undone", state="Assigning")
    given(ASSIGNMENT, begun, assigned, undone).when(command).then(AssignedGoalsWithdrawn(results=(gone,)))


def test_a_goal_that_was_kept_is_told_again_only_when_that_changes() -> None:
    history = (begun, assigned, finished, undone, AssignedGoalsWithdrawn(results=(kept,)))
    given(ASSIGNMENT, *history).when(WithdrawGoals(results=(kept,), **BY_HR)).then_nothing()
    given(ASSIGNMENT, *history).when(WithdrawGoals(results=(gone,), **BY_HR)).then(
        AssignedGoalsWithdrawn(results=(gone,))
    )
    after = (*history, AssignedGoalsWithdrawn(results=(gone,)))
    given(ASSIGNMENT, *after).when(WithdrawGoals(results=(gone,), **BY_HR)).then_nothing()


def test_a_goal_of_another_act_is_not_withdrawn() -> None:
    other = WithdrawnGoal(goal=GoalId(OTHER_PARENT), outcome=WithdrawalOutcome.WITHDRAWN)
    given(ASSIGNMENT, begun, assigned, undone).when(WithdrawGoals(results=(other,), **BY_HR)).then_nothing()


EVENTS = st.sampled_from(
    [begun, assigned, GoalsAssigned(results=(his,)), finished, undone, AssignedGoalsWithdrawn(results=(kept,))]
)


@for_all(EVENTS)
def test_events_survive_storage(event: Event) -> None:
    assert TYPES.decode(event.event_type, encode(event)) == event


@for_all(st.lists(EVENTS, max_size=8))
def test_no_history_is_too_strange_and_deciding_twice_adds_nothing(history: list[Event]) -> None:
    state = ASSIGNMENT.fold(history)
    if isinstance(state, NotBegun):
        return
    undo = UndoAssignment(reason="wrong-department", **BY_HR)
    state = ASSIGNMENT.fold(ASSIGNMENT.decide(state, undo), state)
    assert ASSIGNMENT.decide(state, undo) == []
    withdrawal = WithdrawGoals(results=(kept,), **BY_HR)
    state = ASSIGNMENT.fold(ASSIGNMENT.decide(state, withdrawal), state)
    assert ASSIGNMENT.decide(state, withdrawal) == []
