"""Planned goals: what must be true of a goal that counts in a plan, and that it is the one that was proposed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from services.goals.domain.goal_states import Active
from services.goals.domain.plan_sides import PlanScope
from shared.eventsourcing.decider import Rejected
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import PlanWeight, SeenGoal
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId


class Holding(BaseModel):
    """Another plan that was agreed and holds the goal."""

    model_config = ConfigDict(frozen=True)

    plan: GoalPlanId
    level: GoalLevel
    starts_on: date
    ends_on: date


class GoalFact(BaseModel):
    """What the handler read of a goal in the plan: to be unchanged when the events are appended."""

    model_config = ConfigDict(frozen=True)

    goal: GoalId
    owner: PersonId
    level: GoalLevel = GoalLevel.PERSON
    active: bool
    version: int = 1
    fingerprint: str = ""
    held: tuple[Holding, ...] = ()
    aspirational: bool = False

    @property
    def seen(self) -> SeenGoal:
        return SeenGoal(goal=self.goal, version=self.version, fingerprint=self.fingerprint)


def fingerprint(goal: Active) -> str:
    """SHA-256 of what an agreement fixes: which of its titles, metric and dates; progress does not touch it."""
    metric = goal.metric.model_dump(mode="json") if goal.metric else None
    fixed = [goal.titles, metric, goal.starts_on.isoformat(), goal.ends_on.isoformat()]
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def aspirations(facts: Sequence[GoalFact]) -> frozenset[GoalId]:
    """Which of the goals are aspirational objectives."""
    return frozenset(fact.goal for fact in facts if fact.aspirational)


def seen_goals(weights: Sequence[PlanWeight], facts: Sequence[GoalFact]) -> tuple[SeenGoal, ...]:
    """Raises Rejected: of a goal nothing is known here, as of one that the plan has and who proposes may not see."""
    known = {fact.goal: fact.seen for fact in facts}
    for weight in weights:
        if weight.goal not in known:
            raise Rejected("plan-goal-must-exist", goal=weight.goal)
    return tuple(known[weight.goal] for weight in weights)


def refuse_goals_that_cannot_count(weights: Sequence[PlanWeight], scope: PlanScope, facts: Sequence[GoalFact]) -> None:
    """Raises Rejected: there is no such goal, it is another's, of another level, closed, or counts elsewhere."""
    known = {fact.goal: fact for fact in facts}
    for weight in weights:
        _refuse(weight.goal, scope, known)


def _refuse(goal: GoalId, scope: PlanScope, known: Mapping[GoalId, GoalFact]) -> None:
    fact = known.get(goal)
    if fact is None:
        raise Rejected("plan-goal-must-exist", goal=goal)
    if fact.owner != scope.owner:
        raise Rejected("plan-goal-must-be-the-owners", goal=goal)
    if not _fits(fact.level, scope.level):
        raise Rejected("plan-goal-must-be-of-its-level", goal=goal, level=fact.level, plan=scope.level)
    if not fact.active:
        raise Rejected("plan-goal-must-be-active", goal=goal)
    for held in fact.held:
        if _counts_twice(held, scope):
            raise Rejected("plan-goal-must-count-in-one-plan-at-a-time", goal=goal, plan=held.plan, until=held.ends_on)


def _counts_twice(held: Holding, scope: PlanScope) -> bool:
    """A leader's own plan may weigh a goal that the team's plan holds; two plans of one level and time may not."""
    return held.level == scope.level and held.starts_on <= scope.ends_on and scope.starts_on <= held.ends_on


def _fits(goal: GoalLevel, plan: GoalLevel) -> bool:
    """A person's plan may weigh whatever the person answers for; a team's and the organization's their own goals."""
    return plan in (GoalLevel.PERSON, goal)


def refuse_what_was_not_proposed(seen: Sequence[SeenGoal], facts: Sequence[GoalFact]) -> None:
    """Raises Rejected: a goal has another title, metric or dates than the proposer saw."""
    known = {fact.goal: fact.fingerprint for fact in facts}
    for goal in seen:
        if known.get(goal.goal) != goal.fingerprint:
            raise Rejected("plan-goal-must-be-as-it-was-proposed", goal=goal.goal, proposed_at_version=goal.version)
