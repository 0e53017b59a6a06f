"""Goal plan: which of a person's goals count in a period and how much, proposed by one and agreed by the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from services.goals.domain.plan_period import refuse_wrong_period
from services.goals.domain.plan_weights import (
    MOST_GOALS,
    PlannedGoal,
    refuse_weights_that_cannot_be_agreed,
    weights_of,
)
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.goals import GoalPlanAgreed, GoalPlanProposed, PlanWeight
from shared.schemas.identifiers import GoalId, PersonId

# -- what happened, as far as decisions need it


@dataclass(frozen=True, slots=True)
class NotProposed: ...


@dataclass(frozen=True, slots=True)
class Proposed:
    owner: PersonId
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    proposed_by: PersonId


@dataclass(frozen=True, slots=True)
class Agreed:
    owner: PersonId
    agreed_by: PersonId


GoalPlan = NotProposed | Proposed | Agreed
GoalPlanEvent = GoalPlanProposed | GoalPlanAgreed


# -- what may be asked for


class GoalFact(BaseModel):
    """What the handler read of a goal in the plan: to be unchanged when the events are appended."""

    model_config = ConfigDict(frozen=True)

    goal: GoalId
    owner: PersonId
    active: bool


class ProposeGoalPlanBody(RequestBody):
    owner: PersonId
    starts_on: date
    ends_on: date
    goals: tuple[PlannedGoal, ...] = Field(min_length=1, max_length=MOST_GOALS)


class ProposeGoalPlan(ProposeGoalPlanBody, UnderPolicy, Command):
    facts: tuple[GoalFact, ...]


class AgreeGoalPlanBody(RequestBody): ...


class AgreeGoalPlan(AgreeGoalPlanBody, UnderPolicy, Command):
    facts: tuple[GoalFact, ...]


GoalPlanCommand = ProposeGoalPlan | AgreeGoalPlan


# -- what then holds


def evolve(plan: GoalPlan, event: GoalPlanEvent) -> GoalPlan:
    match event:
        case GoalPlanProposed():
            return Proposed(
                owner=event.owner,
                starts_on=event.starts_on,
                ends_on=event.ends_on,
                weights=event.weights,
                proposed_by=event.proposed_by,
            )
        case GoalPlanAgreed():
            return Agreed(owner=event.owner, agreed_by=event.agreed_by)
        case _:  # pyright: ignore[reportUnnecessaryComparison] - a later version's event is no reason to fail
            return plan


# -- what may happen


def decide(plan: GoalPlan, command: GoalPlanCommand) -> Sequence[GoalPlanEvent]:
    match command:
        case ProposeGoalPlan():
            return propose(plan, command)
        case AgreeGoalPlan():
            return agree(plan, command)


def propose(plan: GoalPlan, command: ProposeGoalPlan) -> Sequence[GoalPlanEvent]:
    """A draft: its weights need not total 100.00 yet, and a new proposal takes the place of the one before."""
    if isinstance(plan, Agreed):
        raise Rejected("goal-plan-is-already-agreed")
    refuse_wrong_period(command.starts_on, command.ends_on, command.policy)
    proposed = GoalPlanProposed(
        owner=command.owner,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        weights=weights_of(command.goals),
        proposed_by=command.by,
    )
    _refuse_goals_that_cannot_count(proposed.weights, command.owner, command.facts)
    return [] if evolve(plan, proposed) == plan else [proposed]


def _refuse_goals_that_cannot_count(weights: Sequence[PlanWeight], owner: PersonId, facts: Sequence[GoalFact]) -> None:
    known = {fact.goal: fact for fact in facts}
    for goal in (weight.goal for weight in weights):
        match known.get(goal):
            case None:
                raise Rejected("plan-goal-must-exist", goal=goal)
            case GoalFact(owner=other) if other != owner:
                raise Rejected("plan-goal-must-be-the-owners", goal=goal)
            case GoalFact(active=False):
                raise Rejected("plan-goal-must-be-active", goal=goal)
            case GoalFact():
                pass


def agree(plan: GoalPlan, command: AgreeGoalPlan) -> Sequence[GoalPlanEvent]:
    match plan:
        case NotProposed():
            raise Rejected("goal-plan-is-not-proposed")
        case Agreed(agreed_by=agreed_by):
            if agreed_by == command.by:
                return []
            raise Rejected("goal-plan-is-already-agreed")
        case Proposed():
            return _agree(plan, command)


def _agree(plan: Proposed, command: AgreeGoalPlan) -> Sequence[GoalPlanEvent]:
    if command.by == plan.proposed_by:
        raise Rejected("goal-plan-must-be-agreed-by-the-other", proposed_by=plan.proposed_by, by=command.by)
    if plan.owner not in (plan.proposed_by, command.by):
        raise Rejected("goal-plan-needs-its-owner", owner=plan.owner, proposed_by=plan.proposed_by, by=command.by)
    refuse_weights_that_cannot_be_agreed(plan.weights, command.policy)
    _refuse_goals_that_cannot_count(plan.weights, plan.owner, command.facts)
    return [
        GoalPlanAgreed(
            owner=plan.owner,
            starts_on=plan.starts_on,
            ends_on=plan.ends_on,
            weights=plan.weights,
            agreed_by=command.by,
        )
    ]


GOAL_PLAN: Final[Decider[GoalPlan]] = Decider(category="goalplan", initial=NotProposed(), decide=decide, evolve=evolve)
