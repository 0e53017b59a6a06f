"""Goal evolution: what holds of a goal after each event; total and silent."""

from dataclasses import replace
from typing import TypeVar

from services.goals.domain.goal_states import (
    Achieved,
    Active,
    Binding,
    Cancelled,
    Classification,
    Closed,
    Closing,
    Goal,
    GoalEvent,
    KpiBinding,
    Measuring,
    Missed,
)
from services.goals.domain.measurement import Reading, measured, unmeasured
from shared.schemas.goal_changes import (
    GoalClassified,
    GoalDescribed,
    GoalLocked,
    GoalRescheduled,
    GoalRetargeted,
    GoalRetitled,
    GoalUnlocked,
    GoalVisibilityChosen,
)
from shared.schemas.goal_health import GoalHealthSet, UpdateDue
from shared.schemas.goal_metrics import GoalMeasureChosen
from shared.schemas.goal_objectives import ObjectiveGraded
from shared.schemas.goal_ties import (
    GoalCarriedOver,
    GoalContributionAdded,
    GoalContributionRemoved,
    GoalContributorAdded,
    GoalContributorRemoved,
    GoalHandedOver,
)
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalMissed,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
)
from shared.schemas.kpis import GoalBoundToKpi, GoalUnboundFromKpi, KpiValueRefusedByGoal

Item = TypeVar("Item")


def evolve(goal: Goal, event: GoalEvent) -> Goal:
    match event:
        case GoalSet():
            return _active(event)
        case GoalReopened() if isinstance(goal, Closed):
            return replace(goal.was, graded=None)
        case GoalAligned() if isinstance(goal, Achieved | Missed):
            return replace(goal, was=_placed(goal.was, event))
        case GoalCarriedOver() if isinstance(goal, Closed):
            return replace(goal, was=replace(goal.was, carried_to=event.to))
        case GoalUnlocked() if isinstance(goal, Closed):
            return replace(goal, was=_belonging(goal.was, event))
        case _ if isinstance(goal, Active):
            return _open(goal, event)
        case _:
            return goal


def _open(goal: Active, event: GoalEvent) -> Goal:
    """An open goal after an event."""
    match event:
        case GoalRetargeted() | GoalMeasureChosen() | GoalProgressRecorded():
            return _measured(goal, event)
        case GoalBoundToKpi() | GoalUnboundFromKpi() | KpiValueRefusedByGoal():
            return replace(goal, binding=_binding(goal.binding, event))
        case GoalAchieved() | GoalMissed() | GoalCancelled():
            return _closed(goal, event)
        case GoalExpired():
            return replace(goal, expired=True)
        case GoalCarriedOver():
            return replace(goal, carried_to=event.to)
        case _:
            return _judged(_belonging(_worded(_placed(goal, event), event), event), event)


def _placed(goal: Active, event: GoalEvent) -> Active:
    match event:
        case GoalAligned():
            return replace(goal, parent=event.parent, weight=event.weight, weight_by_hand=event.weight_by_hand)
        case GoalContributionAdded():
            return replace(goal, contributes_to=_with(goal.contributes_to, event.to))
        case GoalContributionRemoved():
            return replace(goal, contributes_to=_without(goal.contributes_to, event.to))
        case GoalRescheduled():
            return replace(goal, starts_on=event.starts_on, ends_on=event.ends_on, expired=False)
        case _:
            return goal


def _worded(goal: Active, event: GoalEvent) -> Active:
    match event:
        case GoalRetitled():
            return replace(goal, title=event.title, titles=goal.titles + 1)
        case GoalDescribed():
            return replace(goal, description=event.description)
        case GoalClassified():
            return replace(goal, stands_for=Classification(event.values, event.competencies, event.tags))
        case GoalVisibilityChosen():
            return replace(goal, visibility=event.visibility)
        case _:
            return goal


def _belonging(goal: Active, event: GoalEvent) -> Active:
    match event:
        case GoalHandedOver():
            to = {"owner": event.owner, "team": event.team, "title": event.title, "description": event.description}
            return replace(goal, **to, titles=goal.titles + 1, contributors=_without(goal.contributors, event.owner))
        case GoalContributorAdded():
            return replace(goal, contributors=_with(goal.contributors, event.person))
        case GoalContributorRemoved():
            return replace(goal, contributors=_without(goal.contributors, event.person))
        case GoalLocked():
            return replace(goal, agreements=_with(goal.agreements, event.agreement))
        case GoalUnlocked():
            return replace(goal, agreements=_without(goal.agreements, event.agreement))
        case _:
            return goal


def _measured(goal: Active, event: Measuring) -> Active:
    if isinstance(event, GoalRetargeted):
        binding = None if goal.binding is None else replace(goal.binding, refused=None)
        return replace(goal, metric=event.metric, binding=binding)
    if isinstance(event, GoalMeasureChosen):
        return replace(goal, measured_by=event.measured_by)
    if goal.scale is None:
        return goal
    reading = Reading(event.value, event.measured_at)
    return replace(goal, measured=measured(goal.scale, goal.measured, reading), health=None)


def _judged(goal: Active, event: GoalEvent) -> Active:
    """What a person says of a goal's health holds until progress is recorded."""
    match event:
        case GoalHealthSet():
            return replace(goal, health=event)
        case UpdateDue():
            return replace(goal, update_due_at=event.due_at)
        case ObjectiveGraded():
            return replace(goal, graded=event)
        case _:
            return goal


def _binding(binding: KpiBinding | None, event: Binding) -> KpiBinding | None:
    match event:
        case GoalBoundToKpi():
            return KpiBinding(event.kpi, event.aggregation, event.window)
        case GoalUnboundFromKpi():
            return None
        case KpiValueRefusedByGoal():
            return None if binding is None else replace(binding, refused=event.value)


def _closed(goal: Active, event: Closing) -> Achieved | Missed | Cancelled:
    match event:
        case GoalAchieved():
            return Achieved(goal, event.value, event.progress)
        case GoalMissed():
            return Missed(goal, event.value, event.progress)
        case GoalCancelled():
            return Cancelled(goal)


def _with(known: tuple[Item, ...], one: Item) -> tuple[Item, ...]:
    return known if one in known else (*known, one)


def _without(known: tuple[Item, ...], one: Item) -> tuple[Item, ...]:
    return tuple(item for item in known if item != one)


def _active(event: GoalSet) -> Active:
    return Active(
        level=event.level,
        owner=event.owner,
        team=event.team,
        title=event.title,
        description=event.description,
        stands_for=Classification(event.values, event.competencies, event.tags),
        visibility=event.visibility,
        contributors=event.contributors,
        metric=event.metric,
        measured_by=event.source,
        measured=unmeasured(event.metric),
        parent=event.parent,
        contributes_to=event.contributes_to,
        weight=event.weight,
        weight_by_hand=event.weight_by_hand,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        objective=event.objective,
    )
