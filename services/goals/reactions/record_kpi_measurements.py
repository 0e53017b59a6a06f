"""What systems publish of KPIs becomes measurements, each once; what cannot be one is a dead letter, alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import chain
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.domain.kpi import KPI, KpiFact, as_fact
from services.goals.domain.kpi_month import (
    KPI_MONTH,
    MeasurementAnswer,
    MeasurementOutcome,
    RecordMeasurement,
    ReportedMeasurement,
    TakenMeasurement,
)
from services.goals.domain.policy import Policy
from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, in_force
from services.goals.projections import taken_measurements
from services.goals.projections.kpis import kpi_id
from services.goals.projections.taken_measurements import Measured
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Context, Decision
from shared.eventsourcing.feed import Feed, FeedRecord, RefusedRecord
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived, uuid7
from shared.runtime.clock import Clock
from shared.schemas.feed import feed_type
from shared.schemas.identifiers import SYSTEM, KpiId
from shared.schemas.kpi_measurements import TOPIC, TYPES, MeasurementReported

_AT_ONCE: Final = 250
"""Measurements in one transaction: it must end within its time also on a machine that is overloaded."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the measurements of one transaction are decided by; `taken` grows as they are."""

    kpis: dict[KpiId, KpiFact | None]
    taken: dict[str, TakenMeasurement]


async def record_measurements(
    decision: Decision, reported: Sequence[ReportedMeasurement], zone: tzinfo, policy: Policy
) -> list[MeasurementAnswer]:
    """Decide each for itself, in their order, and write down which ids are taken; a refused one stops no other.

    The streams are entered in turn and in one order, so that two who report at once wait instead of conflicting.
    """
    commands = [_Asked(one, kpi_id(one.kpi), zone) for one in reported]
    await decision.enter(KPI_MONTH, {asked.month for asked in commands})
    facts = await _facts(decision, commands)
    answers = [await _answered(decision, asked, facts, policy) for asked in commands]
    await taken_measurements.take(decision.connection, _decided(decision))
    return answers


class _Asked:
    """A measurement that was reported, its KPI, and the stream that it goes to."""

    __slots__ = ("kpi", "measured_on", "month", "said")

    def __init__(self, said: ReportedMeasurement, kpi: KpiId, zone: tzinfo) -> None:
        self.said = said
        self.kpi = kpi
        self.measured_on = said.measured_at.astimezone(zone).date()
        self.month = derived("kpimonth", kpi, f"{self.measured_on:%Y-%m}")


async def _facts(decision: Decision, commands: Sequence[_Asked]) -> Facts:
    kpis = {kpi: as_fact((await decision.hold(KPI, kpi)).state) for kpi in sorted({asked.kpi for asked in commands})}
    named = chain.from_iterable((asked.said.id, asked.said.corrects) for asked in commands)
    return Facts(kpis, await taken_measurements.find(decision.connection, {name for name in named if name}))


async def _answered(decision: Decision, asked: _Asked, facts: Facts, policy: Policy) -> MeasurementAnswer:
    said, known = asked.said, facts.taken.get(asked.said.id)
    command = RecordMeasurement(
        kpi=asked.kpi,
        measurement=said.id,
        measured_at=said.measured_at,
        measured_on=asked.measured_on,
        value=said.value,
        numerator=said.numerator,
        denominator=said.denominator,
        source=said.source,
        corrects=said.corrects,
        reason=said.reason,
        defined=facts.kpis[asked.kpi],
        known=known,
        corrected=facts.taken.get(said.corrects) if said.corrects else None,
        policy=policy,
        at=decision.context.at,
        by=decision.context.actor,
    )
    try:
        await decision.decide(KPI_MONTH, asked.month, command)
    except Rejected as refusal:
        return MeasurementAnswer(said.id, MeasurementOutcome.REFUSED, refusal)
    if known is not None:
        return MeasurementAnswer(said.id, MeasurementOutcome.ALREADY_RECORDED)
    _take(facts, command)
    return MeasurementAnswer(said.id, MeasurementOutcome.RECORDED)


def _take(facts: Facts, command: RecordMeasurement) -> None:
    """What comes later in the same transaction sees it."""
    facts.taken[command.measurement] = TakenMeasurement.model_validate(dict(command))
    if command.corrects is not None:
        corrected = facts.taken[command.corrects]
        facts.taken[command.corrects] = corrected.model_copy(update={"corrected_by": command.measurement})


def _decided(decision: Decision) -> list[Measured]:
    events = chain.from_iterable(change.events for change in decision.changes.values())
    return [event for event, _ in events if isinstance(event, Measured)]


def kpi_feed(handler: CommandHandler, zone: tzinfo, clock: Clock) -> Feed:
    """The feed whose records are commands: deduplicated by measurement id; offsets decide nothing."""

    async def apply(_engine: AsyncEngine, records: Sequence[FeedRecord]) -> Sequence[RefusedRecord]:
        refused: list[RefusedRecord] = []
        reported: list[tuple[FeedRecord, ReportedMeasurement]] = []
        for record in records:
            try:
                if (said := _reported(record)) is not None:
                    reported.append((record, said))
            except ValueError as error:  # headers that say no type, and data that are not what the type says
                refused.append(RefusedRecord(record, error))
        for start in range(0, len(reported), _AT_ONCE):
            refused += await _recorded(reported[start : start + _AT_ONCE])
        return refused

    async def _recorded(reported: Sequence[tuple[FeedRecord, ReportedMeasurement]]) -> list[RefusedRecord]:
        answers: list[MeasurementAnswer] = []
        policy = in_force(await handler.recent.state(ADOPTION, THE_COMPANYS))
        context = Context(
            actor=SYSTEM,
            at=clock(),
            command_id=uuid7(),
            correlation_id=uuid7(),
            policy_version=policy.version,
        )

        async def plan(decision: Decision) -> None:
            said = [one for _, one in reported]
            answers[:] = await record_measurements(decision, said, zone, policy)

        await handler.handle_together(context, plan)
        told = zip(reported, answers, strict=True)
        return [RefusedRecord(record, answer.refusal) for (record, _), answer in told if answer.refusal]

    return Feed(name="kpi_measurements", topic=TOPIC, apply=apply, needed=False)


def _reported(record: FeedRecord) -> ReportedMeasurement | None:
    """The measurement that a record holds; one of a type that is not known yet says nothing."""
    event = TYPES.decode(feed_type(record.headers), record.value or b"")
    if not isinstance(event, MeasurementReported):
        return None
    said = dict(event)
    return ReportedMeasurement.model_validate({"id": said.pop("measurement_id"), **said})
