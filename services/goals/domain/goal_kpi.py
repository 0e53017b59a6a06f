"""Goal and KPI: a bound goal moves with its KPI, keeps the target that was agreed, and takes no value by hand."""

from collections.abc import Sequence

from pydantic import AwareDatetime

from services.goals.domain.goal_states import Active, Goal, GoalEvent, KpiBinding, active_or_rejected
from services.goals.domain.kpi import KpiFact
from services.goals.domain.kpi_value import aggregations_of
from services.goals.domain.measurement import Reading, progress_after
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_metrics import MeasuredBy, Metric, MetricKind
from shared.schemas.goals import GoalProgressRecorded, ProgressSource
from shared.schemas.identifiers import KpiId
from shared.schemas.kpis import (
    GoalBoundToKpi,
    GoalUnboundFromKpi,
    KpiAggregation,
    KpiValueRefusedByGoal,
    KpiWindow,
)
from shared.schemas.values import DecimalString, Known, ReasonCode


class BindGoalToKpiBody(RequestBody):
    """How the KPI's measurements become the goal's value, and which of them count."""

    kpi: KpiId
    aggregation: Known[KpiAggregation]
    window: Known[KpiWindow] = KpiWindow.GOAL_PERIOD


class BindGoalToKpi(BindGoalToKpiBody, Command):
    """`defined` is what the handler read of the KPI; None: there is none such."""

    defined: KpiFact | None


class UnbindGoalFromKpiBody(RequestBody):
    reason: ReasonCode


class UnbindGoalFromKpi(UnbindGoalFromKpiBody, Command): ...


class FollowKpi(Command):
    """The KPI has this value over the binding's window, in which it was last measured at `measured_at`."""

    kpi: KpiId
    value: DecimalString
    measured_at: AwareDatetime


def bind(goal: Goal, command: BindGoalToKpi) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    metric = _measured_by_one_value(active)
    _refuse_what_does_not_fit(metric, command)
    asked, bound = (command.kpi, command.aggregation, command.window), active.binding
    if bound is not None and asked == (bound.kpi, bound.aggregation, bound.window):
        return []
    return [GoalBoundToKpi(kpi=command.kpi, aggregation=command.aggregation, window=command.window)]


def unbind(goal: Goal, command: UnbindGoalFromKpi) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    if active.binding is None:
        return []
    return [GoalUnboundFromKpi(kpi=active.binding.kpi, reason=command.reason)]


def follow(goal: Goal, command: FollowKpi) -> Sequence[GoalEvent]:
    """A goal that is closed or bound to another KPI stays where it is; so does one that is there already."""
    match goal:
        case Active(follows=KpiBinding(kpi=kpi), metric=Metric() as metric) if kpi == command.kpi:
            return [] if _is_there(goal, command) else _moved(goal, metric, command)
        case _:
            return []


def _measured_by_one_value(active: Active) -> Metric:
    """Bounds to keep take a value for each period, which one value of a window is not."""
    if active.metric is None or active.measured_by is not MeasuredBy.METRIC:
        raise Rejected("goal-must-be-measured-by-its-metric-to-follow-a-kpi", measured_by=active.measured_by)
    if active.metric.kind is MetricKind.KEEP:
        raise Rejected("goal-metric-must-be-one-value-to-follow-a-kpi", kind=active.metric.kind)
    return active.metric


def _refuse_what_does_not_fit(metric: Metric, command: BindGoalToKpi) -> None:
    defined = command.defined
    if defined is None:
        raise Rejected("kpi-must-be-defined", kpi=command.kpi)
    if defined.retired:
        raise Rejected("kpi-is-retired", kpi=command.kpi)
    if command.aggregation not in (fitting := aggregations_of(defined.kind)):
        raise Rejected(
            "kpi-aggregation-must-fit-its-kind",
            kind=defined.kind,
            aggregation=command.aggregation,
            fitting=sorted(fitting),
        )
    if None not in (metric.unit, defined.unit) and metric.unit != defined.unit:
        raise Rejected("goal-and-kpi-must-share-their-unit", goal=metric.unit, kpi=defined.unit)


def _is_there(goal: Active, command: FollowKpi) -> bool:
    latest, binding = goal.measured.latest, goal.binding
    refused = binding is not None and binding.refused == command.value
    return refused or (latest is not None and latest.value == command.value)


def _moved(goal: Active, metric: Metric, command: FollowKpi) -> Sequence[GoalEvent]:
    """It speaks of the latest measurement, and of no earlier moment than the goal knows: a late one moves nothing."""
    latest = goal.measured.latest
    reading = Reading(command.value, command.measured_at if latest is None else max(command.measured_at, latest.at))
    try:
        progress = progress_after(metric, goal.measured, reading)
    except Rejected as refusal:
        return [KpiValueRefusedByGoal(kpi=command.kpi, value=command.value, rule=refusal.rule)]
    return [
        GoalProgressRecorded(
            value=command.value,
            raw_progress=progress.raw,
            progress=progress.capped,
            regressed=progress.regressed,
            measured_at=reading.at,
            source=ProgressSource.KPI,
        )
    ]
