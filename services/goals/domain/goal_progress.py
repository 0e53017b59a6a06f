"""Goal progress: what was measured, and how far the goal is by that."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from services.goals.domain.goal_states import Active, Goal, GoalEvent, active_or_rejected
from services.goals.domain.measurement import Reading, progress_after
from services.goals.domain.metric import Figure
from services.goals.domain.policy import Option, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_metrics import MeasuredBy, Metric
from shared.schemas.goals import GoalProgressRecorded, ProgressSource
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import Known, LongText

_CLOCKS_DIFFER: Final = timedelta(minutes=5)

REGRESS_NEEDS_NOTE: Final[Option[bool]] = Option(
    "regress-needs-note",
    bool,
    default=False,
    means="who records a value that is worse than the start says why, in the note",
)


class RecordProgressBody(RequestBody):
    """`measured_at` is the moment that the value speaks of: now, unless it is said.

    `confidence` is how sure the person is to reach the target, 0 to 10; `note` is kept as personal text.
    """

    value: Figure
    measured_at: AwareDatetime | None = None
    source: Known[ProgressSource] = ProgressSource.MANUAL
    note: LongText | None = None
    confidence: Annotated[int, Field(ge=0, le=10)] | None = None


class RecordProgress(RecordProgressBody, UnderPolicy, Command): ...


def record_progress(goal: Goal, command: RecordProgress) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    scale = _scale(active, command)
    if active.follows is not None:
        raise Rejected("goal-is-bound-to-a-kpi", kpi=active.follows.kpi)
    if command.source is ProgressSource.KPI:
        raise Rejected("only-a-binding-measures-as-a-kpi", source=command.source)
    reading = Reading(command.value, command.measured_at or command.at)
    if reading == active.measured.recorded:
        return []
    if reading.at > command.at + _CLOCKS_DIFFER:
        raise Rejected("progress-must-not-be-measured-in-the-future", measured_at=reading.at, now=command.at)
    progress = progress_after(scale, active.measured, reading)
    if progress.regressed:
        _refuse_silent_regress(command)
    return [
        GoalProgressRecorded(
            value=command.value,
            raw_progress=progress.raw,
            progress=progress.capped,
            regressed=progress.regressed,
            measured_at=reading.at,
            source=command.source,
            late=active.measured.is_late(reading),
            note=None if command.note is None else PersonalText.about(active.owner, command.note),
            confidence=command.confidence,
        )
    ]


def _refuse_silent_regress(command: RecordProgress) -> None:
    """A source that is no person has no words."""
    by_a_person = command.source is ProgressSource.MANUAL
    if by_a_person and command.note is None and command.policy[REGRESS_NEEDS_NOTE]:
        raise Rejected("regress-needs-a-note", value=command.value)


def _scale(active: Active, command: RecordProgress) -> Metric:
    if active.scale is None:
        raise Rejected("goal-is-measured-by-the-goals-below-it", value=command.value)
    if active.measured_by is MeasuredBy.MANUAL and not 0 <= command.value <= 100:  # noqa: PLR2004 - percent
        raise Rejected("said-progress-must-lie-within-0-and-100", value=command.value)
    return active.scale
