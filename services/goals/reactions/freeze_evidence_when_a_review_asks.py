"""A review that asks what a person's agreed goals say is answered once, from the streams as they are at that moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_evidence import (
    GOAL_EVIDENCE,
    FreezeEvidence,
    StoodGoal,
    StoodPlan,
    stood_or_none,
)
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.plan_sides import PlanScope
from services.goals.domain.plan_states import Agreed
from services.goals.projections import agreed_plans, goal_graph
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.reaction import React, Reaction
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.store import EventStore
from shared.schemas.identifiers import SYSTEM, GoalId, GoalPlanId, ReviewId
from shared.schemas.reviews import TOPIC, EvidenceRequested


@dataclass(frozen=True, slots=True)
class _Known:
    """What the reviews of a slice ask for: which plans there are, and which goals are below which."""

    scopes: Mapping[GoalPlanId, PlanScope]
    below: Mapping[GoalId, Sequence[GoalId]]


async def react(decision: Decision, store: EventStore, events: Sequence[Recorded]) -> React:
    """Read the streams of all that the slice asks for: those of plans with one query, those of goals with another."""
    asked = [recorded.event for recorded in events if isinstance(recorded.event, EvidenceRequested)]
    scopes = await agreed_plans.of_persons(decision.connection, {event.person for event in asked})
    await decision.read_ahead(store, GOAL_PLAN, scopes)
    weighed = [weight.goal for plan in await _agreed(decision, scopes) for weight in plan.state.counting]
    below = await goal_graph.below(decision.connection, weighed)
    await decision.read_ahead(store, GOAL, _closure(weighed, below))
    return partial(_react, _Known(scopes, below))


async def _react(known: _Known, decision: Decision, recorded: Recorded) -> None:
    match recorded.event:
        case EvidenceRequested() as asked:
            await _freeze(known, decision, ReviewId(recorded.stream_id), asked)
        case _:
            return


async def _freeze(known: _Known, decision: Decision, review: ReviewId, asked: EvidenceRequested) -> None:
    plans = await _agreed(decision, [plan for plan, scope in known.scopes.items() if _counts(scope, asked)])
    goals = _closure((weight.goal for plan in plans for weight in plan.state.counting), known.below)
    command = FreezeEvidence(
        review=review,
        person=asked.person,
        starts_on=asked.starts_on,
        ends_on=asked.ends_on,
        plans=tuple(plans),
        goals=tuple(await _stood(decision, goals)),
        at=decision.context.at,
        by=SYSTEM,
    )
    await decision.decide(GOAL_EVIDENCE, review, command)


def _counts(scope: PlanScope, asked: EvidenceRequested) -> bool:
    return scope.owner == asked.person and scope.starts_on <= asked.ends_on and asked.starts_on <= scope.ends_on


async def _agreed(decision: Decision, plans: Iterable[GoalPlanId]) -> list[StoodPlan]:
    loaded = [(plan, await decision.load(GOAL_PLAN, plan)) for plan in plans]
    return [
        StoodPlan(plan, found.state, found.version, found.position)
        for plan, found in loaded
        if isinstance(found.state, Agreed)
    ]


async def _stood(decision: Decision, goals: Iterable[GoalId]) -> list[StoodGoal]:
    loaded = [(goal, await decision.load(GOAL, goal)) for goal in goals]
    stood = [stood_or_none(goal, found.state, found.version, found.position) for goal, found in loaded]
    return [one for one in stood if one is not None]


def _closure(goals: Iterable[GoalId], below: Mapping[GoalId, Sequence[GoalId]]) -> list[GoalId]:
    """The goals and all that are below them, each once."""
    found = dict.fromkeys(goals)
    waiting = list(found)
    for goal in waiting:
        new = [child for child in below.get(goal, ()) if child not in found]
        found.update(dict.fromkeys(new))
        waiting.extend(new)
    return list(found)


REACTION: Final = Reaction(name="freeze_evidence_when_a_review_asks", topics=(TOPIC,), react=react, starts="beginning")
