"""Goal assignment: templates given to a population as one act, person by person, and taken back goal by goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Final

from pydantic import Field

from services.goals.domain.goal_dates import refuse_end_before_start
from services.goals.domain.parent import Placed, refuse_mixed_weights, refuse_wrong_parent
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
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
from shared.schemas.identifiers import GoalId, GoalTemplateId, PersonId
from shared.schemas.values import ReasonCode, ShortText

People = Annotated[tuple[PersonId, ...], Field(max_length=5_000)]
Names = Annotated[tuple[ShortText, ...], Field(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class NotBegun: ...


@dataclass(frozen=True, slots=True)
class Act:
    """What was begun; who has a result already; the goals that it set and that are not withdrawn."""

    begun: GoalAssignmentBegun
    done: frozenset[PersonId] = frozenset()
    goals: frozenset[GoalId] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Assigning(Act): ...


@dataclass(frozen=True, slots=True)
class Assigned(Act): ...


@dataclass(frozen=True, slots=True)
class Undone(Act):
    """`kept`: the goals that something rests on, each with the rule that says so."""

    kept: Mapping[GoalId, str | None] = field(default_factory=dict[GoalId, "str | None"])


GoalAssignment = NotBegun | Assigning | Assigned | Undone
GoalAssignmentEvent = (
    GoalAssignmentBegun | GoalsAssigned | GoalAssignmentFinished | GoalAssignmentUndone | AssignedGoalsWithdrawn
)


class PopulationBody(RequestBody):
    """Everybody employed of whom all holds that is said: in one of the teams, in one of the countries, below a manager.

    `reports_of` is a manager: their direct reports, or all below them with `whole_line`. `people` are named one by
    one. Nothing said: everybody.
    """

    teams: Names = ()
    countries: Names = ()
    reports_of: PersonId | None = None
    whole_line: bool = False
    people: People = ()


class AssignTemplatesBody(RequestBody):
    """Each person of the population gets one goal from each template, in these dates, below `parent` if it is named."""

    templates: Annotated[tuple[GoalTemplateId, ...], Field(min_length=1, max_length=20)]
    population: PopulationBody = PopulationBody()
    starts_on: date
    ends_on: date
    parent: GoalId | None = None


class BeginAssignment(AssignTemplatesBody, Placed, UnderPolicy, Command):
    """`given`: the templates as they are; `people`: of the population now. `goal` stands for the goals to be set.

    `beyond`: whom the population names though they are not below the manager who gives; HR gives to anybody.
    """

    given: tuple[GivenTemplate, ...]
    people: int
    beyond: tuple[PersonId, ...] = ()


class AssignGoals(Command):
    """Some more persons have their results."""

    results: tuple[AssignedGoal, ...]


class FinishAssignment(Command): ...


class UndoAssignmentBody(RequestBody):
    reason: ReasonCode


class UndoAssignment(UndoAssignmentBody, Command): ...


class WithdrawGoals(Command):
    """Some more goals have their results."""

    results: tuple[WithdrawnGoal, ...]


AssignmentCommand = BeginAssignment | AssignGoals | FinishAssignment | UndoAssignment | WithdrawGoals


def evolve(act: GoalAssignment, event: GoalAssignmentEvent) -> GoalAssignment:
    match event, act:
        case GoalAssignmentBegun(), NotBegun():
            return Assigning(event)
        case GoalsAssigned(), Act():
            return _with_results(act, event)
        case GoalAssignmentFinished(), Assigning():
            return Assigned(act.begun, act.done, act.goals, act.counts)
        case GoalAssignmentUndone(), Assigning() | Assigned():
            return Undone(act.begun, act.done, act.goals, act.counts)
        case AssignedGoalsWithdrawn(), Undone():
            return _with_withdrawals(act, event)
        case _:
            return act


def _with_results(act: Assigning | Assigned | Undone, event: GoalsAssigned) -> GoalAssignment:
    counts = dict(act.counts)
    for result in event.results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    set_now = {r.goal for r in event.results if r.outcome is AssignmentOutcome.SET and r.goal is not None}
    done = act.done | {result.person for result in event.results}
    return replace(act, done=done, goals=act.goals | set_now, counts=counts)


def _with_withdrawals(act: Undone, event: AssignedGoalsWithdrawn) -> Undone:
    gone = {result.goal for result in event.results if result.outcome is WithdrawalOutcome.WITHDRAWN}
    kept = {result.goal: result.rule for result in event.results if result.goal not in gone}
    still = {goal: rule for goal, rule in act.kept.items() if goal not in gone}
    return replace(act, goals=act.goals - gone, kept={**still, **kept})


def decide(act: GoalAssignment, command: AssignmentCommand) -> Sequence[GoalAssignmentEvent]:
    match command:
        case BeginAssignment():
            return begin(act, command)
        case AssignGoals():
            return assign(act, command)
        case FinishAssignment():
            return finish(act, command)
        case UndoAssignment():
            return undo(act, command)
        case WithdrawGoals():
            return withdraw(act, command)


def begin(act: GoalAssignment, command: BeginAssignment) -> Sequence[GoalAssignmentEvent]:
    """What would refuse every one of the goals refuses the act."""
    if not isinstance(act, NotBegun):
        raise Rejected("goal-assignment-is-already-begun")
    if len(set(command.templates)) < len(command.templates):
        raise Rejected("assignment-must-name-a-template-once", templates=command.templates)
    refuse_end_before_start(command.starts_on, command.ends_on)
    refuse_wrong_parent(command, command.parent, command.starts_on, command.ends_on)
    refuse_mixed_weights(command, by_hand=False)
    if command.beyond:
        raise Rejected("population-must-be-below-its-manager", people=command.beyond)
    if command.people < 1:
        raise Rejected("population-is-empty", **command.population.model_dump(mode="json"))
    return [
        GoalAssignmentBegun(
            templates=command.given,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            parent=command.parent,
            population=Population(**dict(command.population)),
            people=command.people,
        )
    ]


def assign(act: GoalAssignment, command: AssignGoals) -> Sequence[GoalAssignmentEvent]:
    """Who has a result keeps it."""
    going_on = _going_on(act)
    new = tuple(result for result in command.results if result.person not in going_on.done)
    return [GoalsAssigned(results=new)] if new else []


def finish(act: GoalAssignment, _command: FinishAssignment) -> Sequence[GoalAssignmentEvent]:
    return [GoalAssignmentFinished()] if isinstance(_going_on(act), Assigning) else []


def undo(act: GoalAssignment, command: UndoAssignment) -> Sequence[GoalAssignmentEvent]:
    """Also one that is not finished: it then sets no more goals."""
    if isinstance(act, NotBegun):
        raise Rejected("goal-assignment-is-not-begun")
    return [] if isinstance(act, Undone) else [GoalAssignmentUndone(reason=command.reason)]


def withdraw(act: GoalAssignment, command: WithdrawGoals) -> Sequence[GoalAssignmentEvent]:
    """What is kept for the same reason as before is no news."""
    if not isinstance(act, Undone):
        raise Rejected("goal-assignment-is-not-undone", state=type(act).__name__)
    new = tuple(result for result in command.results if _is_news(act, result))
    return [AssignedGoalsWithdrawn(results=new)] if new else []


def _is_news(act: Undone, result: WithdrawnGoal) -> bool:
    known = result.goal in act.kept and act.kept[result.goal] == result.rule
    return result.goal in act.goals and not (known and result.outcome is WithdrawalOutcome.KEPT)


def _going_on(act: GoalAssignment) -> Assigning | Assigned:
    match act:
        case Assigning() | Assigned():
            return act
        case Undone():
            raise Rejected("goal-assignment-is-undone")
        case NotBegun():
            raise Rejected("goal-assignment-is-not-begun")


ASSIGNMENT: Final[Decider[GoalAssignment]] = Decider(
    category="goalassignment", initial=NotBegun(), decide=decide, evolve=evolve
)
