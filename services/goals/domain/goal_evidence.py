"""Goal evidence: what a person's agreed goals say at one moment, for a review that asked; answered once and for all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from services.goals.domain.goal_states import Achieved, Active, Cancelled, Closed, Goal, Missed, NotSet
from services.goals.domain.measurement import progress_now
from services.goals.domain.plan_states import Agreed
from services.goals.domain.roll_up import Node, recomputed
from shared.eventsourcing.decider import Command, Decider
from shared.schemas.goal_evidence import (
    CountedGoal,
    FrozenPlan,
    GoalEvidence,
    GoalEvidenceFrozen,
    counted_hash,
    frozen_hash,
)
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goal_plans import PlanWeight
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId, ReviewId

MOST_LISTED: Final = 2_000
"""Counted goals that an event lists: with more it would be too long to be published."""


@dataclass(frozen=True, slots=True)
class StoodGoal:
    """A goal as it stood at this version of its stream."""

    goal: GoalId
    state: Active | Closed
    version: int
    position: int


@dataclass(frozen=True, slots=True)
class StoodPlan:
    """An agreed plan as it stood."""

    plan: GoalPlanId
    state: Agreed
    version: int
    position: int


class FreezeEvidence(Command):
    """`plans` are the person's agreed ones that touch the days; `goals` are what they weigh and all that is below."""

    review: ReviewId
    person: PersonId
    starts_on: date
    ends_on: date
    plans: tuple[StoodPlan, ...]
    goals: tuple[StoodGoal, ...]


@dataclass(frozen=True, slots=True)
class NotFrozen: ...


@dataclass(frozen=True, slots=True)
class Frozen: ...


Evidence = NotFrozen | Frozen


def evolve(evidence: Evidence, event: GoalEvidenceFrozen) -> Evidence:
    match event:
        case GoalEvidenceFrozen():
            return Frozen()
        case _:  # pyright: ignore[reportUnnecessaryComparison] - a later version's event is no reason to fail
            return evidence


def decide(evidence: Evidence, command: FreezeEvidence) -> Sequence[GoalEvidenceFrozen]:
    if isinstance(evidence, Frozen):
        return []
    event = _frozen(command)
    return [event.model_copy(update={"evidence_hash": frozen_hash(event)})]


def _frozen(command: FreezeEvidence) -> GoalEvidenceFrozen:
    known = {stood.goal: stood for stood in command.goals}
    counting = Counting(command.goals)
    lines = [
        _line(plan, weight, known[weight.goal], counting)
        for plan in command.plans
        for weight in plan.state.counting
        if weight.goal in known
    ]
    counted = {one.goal: one for line in lines for one in counting.below(line.goal)}
    listed = sorted(counted.values(), key=lambda one: str(one.goal)) if len(counted) <= MOST_LISTED else ()
    return GoalEvidenceFrozen(
        review=command.review,
        person=command.person,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        plans=tuple(_plan(plan) for plan in command.plans),
        goals=tuple(sorted(lines, key=lambda line: (str(line.goal), str(line.plan)))),
        counted=tuple(listed),
        evidence_hash="",
    )


def _plan(plan: StoodPlan) -> FrozenPlan:
    scope = plan.state.scope
    return FrozenPlan(
        plan=plan.plan,
        starts_on=scope.starts_on,
        ends_on=scope.ends_on,
        version=plan.version,
        position=plan.position,
    )


def _line(plan: StoodPlan, weight: PlanWeight, stood: StoodGoal, counting: "Counting") -> GoalEvidence:
    counted = counting.below(stood.goal)
    return GoalEvidence(
        goal=stood.goal,
        plan=plan.plan,
        weight=weight.weight,
        state=type(stood.state).__name__.lower(),
        value=_value(stood.state),
        progress=counting.progress[stood.goal],
        visibility=was(stood.state).visibility,
        version=stood.version,
        position=stood.position,
        counted=len(counted),
        counted_hash=counted_hash(counted) if counted else None,
    )


class Counting:
    """The progress of goals by themselves and by those below them, and which of those counted."""

    def __init__(self, goals: Iterable[StoodGoal]) -> None:
        self._known = {stood.goal: stood for stood in goals}
        nodes = [_node(stood) for stood in self._known.values()]
        self.progress: Mapping[GoalId, Decimal | None] = recomputed(nodes, {})
        self._nodes = {node.goal: node for node in nodes}
        self._children: defaultdict[GoalId, list[GoalId]] = defaultdict(list)
        for node in nodes:
            if node.parent is not None and node.counts and self.progress[node.goal] is not None:
                self._children[node.parent].append(node.goal)

    def below(self, goal: GoalId) -> list[CountedGoal]:
        """All that counted in the goal's roll-up, at any depth, the nearest first; none where it measures itself."""
        found = dict.fromkeys([goal])
        waiting, counted = [goal], list[CountedGoal]()
        for parent in waiting:
            if not self._nodes[parent].by_children:
                continue
            new = [child for child in self._children[parent] if child not in found]
            found.update(dict.fromkeys(new))
            waiting.extend(new)
            counted.extend(self._counted(child, parent) for child in new)
        return counted

    def _counted(self, child: GoalId, parent: GoalId) -> CountedGoal:
        stood = self._known[child]
        return CountedGoal(
            goal=child,
            parent=parent,
            weight=self._nodes[child].weight,
            progress=self.progress[child] or Decimal(0),
            version=stood.version,
            position=stood.position,
        )


def _node(stood: StoodGoal) -> Node:
    """As the goal tree has it: who closed a goal with a figure signed it, and it stays whatever is below."""
    goal = was(stood.state)
    own = _own(stood.state)
    signed = isinstance(stood.state, Achieved | Missed) and own is not None
    return Node(
        goal=stood.goal,
        parent=goal.parent,
        weight=goal.weight,
        counts=not isinstance(stood.state, Cancelled),
        by_children=goal.measured_by is MeasuredBy.CHILDREN and not signed,
        own=own,
        progress=None,
    )


def was(state: Active | Closed) -> Active:
    """The open goal, or the closed one as it was."""
    return state if isinstance(state, Active) else state.was


def stood_or_none(identity: GoalId, state: Goal, version: int, position: int) -> StoodGoal | None:
    """None: it was never set."""
    return None if isinstance(state, NotSet) else StoodGoal(identity, state, version, position)


def _own(state: Active | Closed) -> Decimal | None:
    if isinstance(state, Achieved | Missed):
        return state.progress
    goal = was(state)
    progress = None if goal.scale is None else progress_now(goal.scale, goal.measured)
    return None if progress is None else progress.capped


def _value(state: Active | Closed) -> Decimal | None:
    if isinstance(state, Achieved | Missed):
        return state.value
    goal = was(state)
    return None if goal.scale is None else goal.current


GOAL_EVIDENCE: Final[Decider[Evidence]] = Decider(
    category="goalevidence", initial=NotFrozen(), decide=decide, evolve=evolve
)
