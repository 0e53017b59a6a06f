"""What is measured of a KPI moves the goals that are bound to it: once per slice, by all that was taken so far."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_kpi import FollowKpi
from services.goals.domain.goal_states import Active, KpiBinding
from services.goals.domain.kpi import KPI, as_fact
from services.goals.domain.kpi_window import days_of
from services.goals.projections import bound_goals, taken_measurements
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.reaction import Reaction, one_by_one
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_changes import GoalRescheduled, GoalRetargeted
from shared.schemas.goal_metrics import GoalMeasureChosen
from shared.schemas.goals import TOPIC, GoalReopened
from shared.schemas.identifiers import SYSTEM, GoalId
from shared.schemas.kpis import GoalBoundToKpi, KpiMeasured, KpiMeasurementCorrected

IN_TURN: Final = func.pg_advisory_xact_lock(6120843918)


def _what_changed(recorded: Recorded) -> UUID | None:
    """The KPI of which more is known, or the goal that follows one otherwise than before."""
    match recorded.event:
        case KpiMeasured(kpi=kpi) | KpiMeasurementCorrected(kpi=kpi):
            return kpi
        case GoalBoundToKpi() | GoalRescheduled() | GoalRetargeted() | GoalMeasureChosen() | GoalReopened():
            return recorded.stream_id
        case _:
            return None


async def react(decision: Decision, recorded: Recorded) -> None:
    """Slices take turns until they commit: whoever comes later has seen more.

    Two that measure the same KPI in different months may run at once, and the one that saw less could write last.
    """
    changed = _what_changed(recorded)
    if changed is None:
        return
    await decision.connection.execute(select(IN_TURN))
    for goal in await bound_goals.moved_by(decision.connection, changed):
        state = (await decision.load(GOAL, goal)).state
        if isinstance(state, Active) and state.follows is not None:
            await _follow(decision, goal, state, state.follows)


async def _follow(decision: Decision, goal: GoalId, state: Active, binding: KpiBinding) -> None:
    connection, period = decision.connection, (state.starts_on, state.ends_on)
    latest = await taken_measurements.latest(connection, binding.kpi, *period)
    defined = as_fact((await decision.load(KPI, binding.kpi)).state)
    if defined is None or latest is None:
        return
    moment, day = latest
    days = days_of(binding.window, day, *period)
    value = await taken_measurements.value(connection, binding.kpi, binding.aggregation, days=days, per=defined.per)
    if value is not None:
        command = FollowKpi(kpi=binding.kpi, value=value, measured_at=moment, at=decision.context.at, by=SYSTEM)
        await decision.decide(GOAL, goal, command)


REACTION: Final = Reaction(
    name="move_goals_when_kpi_is_measured",
    topics=(TOPIC,),
    react=one_by_one(react),
    events=(
        KpiMeasured,
        KpiMeasurementCorrected,
        GoalBoundToKpi,
        GoalRescheduled,
        GoalRetargeted,
        GoalMeasureChosen,
        GoalReopened,
    ),
    once_per=_what_changed,
    starts="beginning",
)
