"""KPI: defined with a unit, a direction, a target and thresholds; owned by a person; retired, and never reused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.goals.domain.kpi_value import aggregations_of
from services.goals.domain.metric import Figure
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.identifiers import PersonId
from shared.schemas.kpis import (
    KpiAggregation,
    KpiCode,
    KpiDefined,
    KpiDirection,
    KpiHandedOver,
    KpiKind,
    KpiRenamed,
    KpiRetired,
    KpiSourceChanged,
    KpiTargetRevised,
    KpiThresholds,
)
from shared.schemas.values import Known, ReasonCode, ShortText

Per = Annotated[Figure, Field(gt=0)]


# -- what happened, as far as decisions need it


@dataclass(frozen=True, slots=True)
class NotDefined: ...


@dataclass(frozen=True, slots=True)
class Current:
    code: str
    name: str
    kind: KpiKind
    unit: str | None
    per: Decimal
    direction: KpiDirection
    aggregation: KpiAggregation
    target: Decimal | None
    thresholds: KpiThresholds | None
    owner: PersonId
    source: str


@dataclass(frozen=True, slots=True)
class Retired:
    code: str
    owner: PersonId
    kind: KpiKind
    per: Decimal
    unit: str | None


Kpi = NotDefined | Current | Retired
KpiEvent = KpiDefined | KpiTargetRevised | KpiRenamed | KpiHandedOver | KpiSourceChanged | KpiRetired


class KpiFact(BaseModel):
    """What is to be known of a KPI where something is measured of it."""

    model_config = ConfigDict(frozen=True)

    kind: KpiKind
    per: Decimal
    unit: str | None = None
    retired: bool


# -- what may be asked for


class ThresholdsBody(RequestBody):
    """On track up to `on_track`, at risk up to `at_risk`, off track beyond; both in the KPI's unit."""

    on_track: Figure
    at_risk: Figure


class DefineKpiBody(RequestBody):
    """`per` is what a ratio is multiplied by: 100 for percent. `aggregation` is how it is usually read."""

    code: KpiCode
    name: ShortText
    kind: Known[KpiKind]
    unit: ShortText | None = None
    per: Per = Decimal(1)
    direction: Known[KpiDirection]
    aggregation: Known[KpiAggregation]
    target: Figure | None = None
    thresholds: ThresholdsBody | None = None
    owner: PersonId
    source: ShortText


class DefineKpi(DefineKpiBody, Command): ...


class ReviseKpiTargetBody(RequestBody):
    """All of both: what is left out is there no longer."""

    target: Figure | None = None
    thresholds: ThresholdsBody | None = None
    reason: ReasonCode


class ReviseKpiTarget(ReviseKpiTargetBody, Command): ...


class RenameKpiBody(RequestBody):
    name: ShortText


class RenameKpi(RenameKpiBody, Command): ...


class HandOverKpiBody(RequestBody):
    owner: PersonId


class HandOverKpi(HandOverKpiBody, Command): ...


class ChangeKpiSourceBody(RequestBody):
    source: ShortText


class ChangeKpiSource(ChangeKpiSourceBody, Command): ...


class RetireKpiBody(RequestBody):
    reason: ReasonCode


class RetireKpi(RetireKpiBody, Command): ...


KpiCommand = DefineKpi | ReviseKpiTarget | RenameKpi | HandOverKpi | ChangeKpiSource | RetireKpi


# -- what then holds


def evolve(kpi: Kpi, event: KpiEvent) -> Kpi:
    match event:
        case KpiDefined():
            return _current(event)
        case KpiTargetRevised() if isinstance(kpi, Current):
            return replace(kpi, target=event.target, thresholds=event.thresholds)
        case KpiRenamed() if isinstance(kpi, Current):
            return replace(kpi, name=event.name)
        case KpiHandedOver() if isinstance(kpi, Current):
            return replace(kpi, owner=event.owner)
        case KpiSourceChanged() if isinstance(kpi, Current):
            return replace(kpi, source=event.source)
        case KpiRetired() if isinstance(kpi, Current):
            return Retired(kpi.code, kpi.owner, kpi.kind, kpi.per, kpi.unit)
        case _:
            return kpi


def _current(event: KpiDefined) -> Current:
    return Current(
        code=event.code,
        name=event.name,
        kind=event.kind,
        unit=event.unit,
        per=event.per,
        direction=event.direction,
        aggregation=event.aggregation,
        target=event.target,
        thresholds=event.thresholds,
        owner=event.owner,
        source=event.source,
    )


def as_fact(kpi: Kpi) -> KpiFact | None:
    """What another stream needs to know of the KPI; None if it was never defined."""
    if isinstance(kpi, NotDefined):
        return None
    return KpiFact(kind=kpi.kind, per=kpi.per, unit=kpi.unit, retired=isinstance(kpi, Retired))


# -- what may happen


def decide(kpi: Kpi, command: KpiCommand) -> Sequence[KpiEvent]:
    match command:
        case DefineKpi():
            return define(kpi, command)
        case ReviseKpiTarget():
            return revise_target(kpi, command)
        case RenameKpi():
            return rename(kpi, command)
        case HandOverKpi():
            return hand_over(kpi, command)
        case ChangeKpiSource():
            return change_source(kpi, command)
        case RetireKpi():
            return retire(kpi, command)


def define(kpi: Kpi, command: DefineKpi) -> Sequence[KpiEvent]:
    if command.aggregation not in (fitting := aggregations_of(command.kind)):
        raise Rejected(
            "kpi-aggregation-must-fit-its-kind",
            kind=command.kind,
            aggregation=command.aggregation,
            fitting=sorted(fitting),
        )
    if command.kind is KpiKind.NUMBER and command.per != 1:
        raise Rejected("only-a-ratio-is-per-something", kind=command.kind, per=command.per)
    said = {name: value for name, value in dict(command).items() if name in DefineKpiBody.model_fields}
    thresholds = _thresholds(command.target, command.thresholds, command.direction)
    defined = KpiDefined.model_validate({**said, "thresholds": thresholds})
    match kpi:
        case NotDefined():
            return [defined]
        case Current() if kpi == _current(defined):
            return []
        case _:
            raise Rejected("kpi-code-must-be-new", code=command.code)


def revise_target(kpi: Kpi, command: ReviseKpiTarget) -> Sequence[KpiEvent]:
    current = _current_or_rejected(kpi)
    thresholds = _thresholds(command.target, command.thresholds, current.direction)
    if (current.target, current.thresholds) == (command.target, thresholds):
        return []
    return [KpiTargetRevised(target=command.target, thresholds=thresholds, reason=command.reason)]


def rename(kpi: Kpi, command: RenameKpi) -> Sequence[KpiEvent]:
    current = _current_or_rejected(kpi)
    return [] if current.name == command.name else [KpiRenamed(name=command.name)]


def hand_over(kpi: Kpi, command: HandOverKpi) -> Sequence[KpiEvent]:
    current = _current_or_rejected(kpi)
    if current.owner == command.owner:
        return []
    return [KpiHandedOver(owner=command.owner, previous_owner=current.owner)]


def change_source(kpi: Kpi, command: ChangeKpiSource) -> Sequence[KpiEvent]:
    current = _current_or_rejected(kpi)
    if current.source == command.source:
        return []
    return [KpiSourceChanged(source=command.source, previous_source=current.source)]


def retire(kpi: Kpi, command: RetireKpi) -> Sequence[KpiEvent]:
    if isinstance(kpi, Retired):
        return []
    _current_or_rejected(kpi)
    return [KpiRetired(reason=command.reason)]


def _current_or_rejected(kpi: Kpi) -> Current:
    if not isinstance(kpi, Current):
        raise Rejected("kpi-is-not-current", state=type(kpi).__name__)
    return kpi


def _thresholds(
    target: Decimal | None, thresholds: ThresholdsBody | None, direction: KpiDirection
) -> KpiThresholds | None:
    """Better comes first: a target is on track, and what is on track is not at risk."""
    if thresholds is None:
        return None
    ordered = [figure for figure in (target, thresholds.on_track, thresholds.at_risk) if figure is not None]
    if ordered != sorted(ordered, reverse=direction is KpiDirection.RISING):
        raise Rejected(
            "kpi-thresholds-must-lie-in-order",
            direction=direction,
            target=target,
            on_track=thresholds.on_track,
            at_risk=thresholds.at_risk,
        )
    return KpiThresholds(on_track=thresholds.on_track, at_risk=thresholds.at_risk)


KPI: Final[Decider[Kpi]] = Decider(category="kpi", initial=NotDefined(), decide=decide, evolve=evolve)
