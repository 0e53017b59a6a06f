"""Goal progress: what was measured, and how far the goal is by that."""

from collections.abc import Sequence

from pydantic import AwareDatetime

from services.goals.domain.goal_states import Goal, GoalEvent, active_or_rejected
from services.goals.domain.metric import Figure, progress_of
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goals import GoalProgressRecorded, ProgressSource
from shared.schemas.values import Known


class RecordProgressBody(RequestBody):
    value: Figure
    measured_at: AwareDatetime | None = None
    source: Known[ProgressSource] = ProgressSource.MANUAL


class RecordProgress(RecordProgressBody, Command): ...


def record_progress(goal: Goal, command: RecordProgress) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    if active.metric is None:
        raise Rejected("goal-has-no-metric")
    if command.value == active.current:
        return []
    progress = progress_of(active.metric, command.value)
    return [
        GoalProgressRecorded(
            value=command.value,
            raw_progress=progress.raw,
            progress=progress.capped,
            regressed=progress.regressed,
            measured_at=command.measured_at or command.at,
            source=command.source,
        )
    ]
