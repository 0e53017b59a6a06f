"""KPI month: what was measured of one KPI in one month, each measurement once, corrected by another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.goals.domain.kpi import KpiFact
from services.goals.domain.kpi_value import ratio
from services.goals.domain.metric import Figure
from services.goals.domain.policy import Option, UnderPolicy
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.identifiers import KpiId
from shared.schemas.kpis import KpiCode, KpiKind, KpiMeasured, KpiMeasurementCorrected, MeasurementId
from shared.schemas.values import ReasonCode, ShortText

KPI_AHEAD_MINUTES: Final[Option[int]] = Option(
    "kpi-ahead-minutes",
    Annotated[int, Field(ge=0, le=1_440)],
    default=5,
    means="how far a measurement's time may be ahead of the clock, in minutes",
)
KPI_LATE_DAYS: Final[Option[int | None]] = Option(
    "kpi-late-days",
    Annotated[int | None, Field(ge=0, le=3_660)],
    default=None,
    means="how many days after its time a measurement is still taken; null: however late it comes",
)


@dataclass(frozen=True, slots=True)
class Month:
    """How much was measured. Which ids are taken is a fact beside the stream: an id is one in the whole company."""

    measurements: int = 0


KpiMonthEvent = KpiMeasured | KpiMeasurementCorrected


class MeasurementOutcome(StrEnum):
    """What became of one of many."""

    RECORDED = "recorded"
    ALREADY_RECORDED = "already-recorded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class MeasurementAnswer:
    """One of many, answered for itself; `refusal` says which rule it breaks."""

    measurement: str
    outcome: MeasurementOutcome
    refusal: Rejected | None = None


# -- what may be asked for, and what the handler read


class Figures(RequestBody):
    """Of a number KPI the `value`, of a ratio KPI `numerator` and `denominator`; in the KPI's unit.

    `corrects` names the measurement that this one takes the place of.
    """

    measured_at: AwareDatetime
    value: Figure | None = None
    numerator: Figure | None = None
    denominator: Figure | None = None
    source: ShortText
    corrects: MeasurementId | None = None
    reason: ReasonCode | None = None


class MeasurementBody(Figures):
    """Without an `id` it is a new measurement each time."""

    id: MeasurementId | None = None


class ReportedMeasurement(Figures):
    """One of many, of the KPI with this code: its id makes the request safe to repeat."""

    id: MeasurementId
    kpi: KpiCode


class TakenMeasurement(BaseModel):
    """A measurement that was recorded before, as it was reported: of a ratio its two counts alone."""

    model_config = ConfigDict(frozen=True)

    kpi: KpiId
    measurement: str
    measured_at: datetime
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    source: str
    corrects: str | None
    reason: str | None = None
    corrected_by: str | None = None


class RecordMeasurement(UnderPolicy, Command):
    """`known` has the same id, `corrected` is what it corrects; None: there is none such."""

    kpi: KpiId
    measurement: MeasurementId
    measured_at: AwareDatetime
    measured_on: date
    value: Figure | None = None
    numerator: Figure | None = None
    denominator: Figure | None = None
    source: ShortText
    corrects: MeasurementId | None = None
    reason: ReasonCode | None = None
    defined: KpiFact | None
    known: TakenMeasurement | None = None
    corrected: TakenMeasurement | None = None


# -- what then holds


def evolve(month: Month, _event: KpiMonthEvent) -> Month:
    return Month(month.measurements + 1)


# -- what may happen


def decide(_month: Month, command: RecordMeasurement) -> Sequence[KpiMonthEvent]:
    if command.known is not None:
        _refuse_another_body(command, command.known)
        return []
    defined = _current_or_rejected(command)
    _refuse_wrong_time(command)
    facts: dict[str, Any] = {
        "kpi": command.kpi,
        "measurement": command.measurement,
        "measured_at": command.measured_at,
        "measured_on": command.measured_on,
        "value": _value(command, defined),
        "numerator": command.numerator,
        "denominator": command.denominator,
        "source": command.source,
        "late_days": max((command.at - command.measured_at).days, 0),
    }
    if command.corrects is None:
        _refuse_a_reason(command)
        return [KpiMeasured(**facts)]
    _refuse_wrong_correction(command)
    return [KpiMeasurementCorrected(**facts, corrects=command.corrects, reason=command.reason)]


def _refuse_another_body(command: RecordMeasurement, known: TakenMeasurement) -> None:
    said = ("kpi", "measured_at", "value", "numerator", "denominator", "source", "corrects", "reason")
    other = [name for name in said if getattr(command, name) != getattr(known, name)]
    if other:
        raise Rejected("measurement-id-is-taken", measurement=command.measurement, differs=other)


def _current_or_rejected(command: RecordMeasurement) -> KpiFact:
    if command.defined is None:
        raise Rejected("kpi-must-be-defined", kpi=command.kpi)
    if command.defined.retired:
        raise Rejected("kpi-is-retired", kpi=command.kpi)
    return command.defined


def _refuse_wrong_time(command: RecordMeasurement) -> None:
    ahead, late = command.policy[KPI_AHEAD_MINUTES], command.policy[KPI_LATE_DAYS]
    when = {"measured_at": command.measured_at, "now": command.at}
    if command.measured_at - command.at > timedelta(minutes=ahead):
        raise Rejected("measurement-must-not-lie-in-the-future", **when, ahead_minutes=ahead)
    if late is not None and command.at - command.measured_at > timedelta(days=late):
        raise Rejected("measurement-is-too-late", **when, late_days=late)


def _value(command: RecordMeasurement, defined: KpiFact) -> Decimal | None:
    counts = (command.numerator, command.denominator)
    match defined.kind, command.value, *counts:
        case KpiKind.RATIO, None, Decimal() as numerator, Decimal() as denominator if denominator >= 0:
            return ratio(numerator, denominator, defined.per)
        case KpiKind.RATIO, None, Decimal(), Decimal() as denominator:
            raise Rejected("ratio-denominator-must-not-be-negative", denominator=denominator)
        case KpiKind.RATIO, _, _, _:
            raise Rejected(
                "ratio-is-measured-by-its-two-counts",
                value=command.value,
                numerator=command.numerator,
                denominator=command.denominator,
            )
        case _, Decimal() as value, None, None:
            return value
        case _:
            raise Rejected(
                "number-is-measured-by-its-value",
                value=command.value,
                numerator=command.numerator,
                denominator=command.denominator,
            )


def _refuse_a_reason(command: RecordMeasurement) -> None:
    """It would be said nowhere: a reason says why a measurement takes the place of another."""
    if command.reason is not None:
        raise Rejected("only-a-correction-has-a-reason", reason=command.reason)


def _refuse_wrong_correction(command: RecordMeasurement) -> None:
    corrected = command.corrected
    if corrected is None or corrected.kpi != command.kpi:
        raise Rejected("corrected-measurement-must-exist", corrects=command.corrects, kpi=command.kpi)
    if corrected.corrected_by is not None:
        raise Rejected("measurement-is-already-corrected", corrects=command.corrects, by=corrected.corrected_by)


KPI_MONTH: Final[Decider[Month]] = Decider(category="kpimonth", initial=Month(), decide=decide, evolve=evolve)
