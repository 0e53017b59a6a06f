"""Goal target: a goal is to reach something else; what was measured stays, and counts by the new target."""

from collections.abc import Sequence

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import Active, Goal, GoalEvent, active_or_rejected
from services.goals.domain.measurement import progress_now
from services.goals.domain.metric import MetricBody, metric_of
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goal_changes import GoalRetargeted
from shared.schemas.goal_metrics import KeepPeriod, Metric


class RetargetGoalBody(RequestBody):
    """The whole metric; only what is to be reached may differ: target, zones, or bounds to keep."""

    metric: MetricBody


class RetargetGoal(RetargetGoalBody, Amendable): ...


def retarget(goal: Goal, command: RetargetGoal) -> Sequence[GoalEvent]:
    active, metric = active_or_rejected(goal), metric_of(command.metric)
    if active.metric == metric:
        return []
    refuse_what_is_agreed(active, command, "target")
    if active.metric is None:
        raise Rejected("goal-has-no-metric")
    _refuse_another_metric(active.metric, metric)
    return [_retargeted(active, active.metric, metric, command)]


def _retargeted(active: Active, previous: Metric, metric: Metric, command: RetargetGoal) -> GoalRetargeted:
    progress = progress_now(metric, active.measured)
    return GoalRetargeted(
        metric=metric,
        previous=previous,
        raw_progress=None if progress is None else progress.raw,
        progress=None if progress is None else progress.capped,
        regressed=progress is not None and progress.regressed,
        amendment=command.amendment,
    )


def _refuse_another_metric(before: Metric, after: Metric) -> None:
    if (before.kind, before.unit, before.start, _period(before)) != (
        after.kind,
        after.unit,
        after.start,
        _period(after),
    ):
        raise Rejected("new-target-must-keep-the-metric", kind=before.kind, unit=before.unit, start=before.start)


def _period(metric: Metric) -> KeepPeriod | None:
    return None if metric.keep is None else metric.keep.period
