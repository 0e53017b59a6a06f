"""KPIs, measurements and random events of them that the goals service's tests share."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from services.goals.domain.kpi import DefineKpi, KpiFact, ThresholdsBody
from services.goals.domain.kpi_month import RecordMeasurement, TakenMeasurement
from services.goals.domain.policy import DEFAULT
from shared.schemas.identifiers import KpiId
from shared.schemas.kpis import (
    KpiAggregation,
    KpiDefined,
    KpiDirection,
    KpiHandedOver,
    KpiKind,
    KpiMeasured,
    KpiMeasurementCorrected,
    KpiRenamed,
    KpiRetired,
    KpiSourceChanged,
    KpiTargetRevised,
    KpiThresholds,
)
from tests.unit.services.goals.examples import MANAGER, NOW, OWNER, figures, people, words

A_KPI = KpiId(UUID(int=0x71))
MEASURED_AT = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
percent = KpiFact(kind=KpiKind.RATIO, per=Decimal(100), retired=False)
number = KpiFact(kind=KpiKind.NUMBER, per=Decimal(1), retired=False)

within_a_day = KpiDefined(
    code="support.tickets-within-24h",
    name="Tickets answered within 24 hours",
    kind=KpiKind.RATIO,
    unit="%",
    per=Decimal(100),
    direction=KpiDirection.RISING,
    aggregation=KpiAggregation.RATIO_OF_SUMS,
    target=Decimal(95),
    thresholds=KpiThresholds(on_track=Decimal(95), at_risk=Decimal(90)),
    owner=OWNER,
    source="ticket system",
)
retired = KpiRetired(reason="measured-otherwise")


def define(**changes: Any) -> DefineKpi:
    asked: dict[str, Any] = {
        "code": "support.tickets-within-24h",
        "name": "Tickets answered within 24 hours",
        "kind": KpiKind.RATIO,
        "unit": "%",
        "per": Decimal(100),
        "direction": KpiDirection.RISING,
        "aggregation": KpiAggregation.RATIO_OF_SUMS,
        "target": Decimal(95),
        "thresholds": ThresholdsBody(on_track=Decimal(95), at_risk=Decimal(90)),
        "owner": OWNER,
        "source": "ticket system",
        "at": NOW,
        "by": MANAGER,
    }
    return DefineKpi(**{**asked, **changes})


def measure(**changes: Any) -> RecordMeasurement:
    asked: dict[str, Any] = {
        "kpi": A_KPI,
        "measurement": "m-1",
        "measured_at": MEASURED_AT,
        "measured_on": MEASURED_AT.date(),
        "numerator": Decimal(190),
        "denominator": Decimal(200),
        "source": "ticket system",
        "defined": percent,
        "policy": DEFAULT,
        "at": NOW,
        "by": OWNER,
    }
    return RecordMeasurement(**{**asked, **changes})


def taken(**changes: Any) -> TakenMeasurement:
    """What `measure` recorded, as it is found again."""
    said: dict[str, Any] = {
        "kpi": A_KPI,
        "measurement": "m-1",
        "measured_at": MEASURED_AT,
        "value": None,
        "numerator": Decimal(190),
        "denominator": Decimal(200),
        "source": "ticket system",
        "corrects": None,
    }
    return TakenMeasurement(**{**said, **changes})


measured = KpiMeasured(
    kpi=A_KPI,
    measurement="m-1",
    measured_at=MEASURED_AT,
    measured_on=date(2026, 3, 30),
    value=Decimal(95),
    numerator=Decimal(190),
    denominator=Decimal(200),
    source="ticket system",
    late_days=1,
)

_thresholds = st.none() | st.builds(KpiThresholds, on_track=figures, at_risk=figures)
_measurement: dict[str, Any] = {
    "kpi": st.just(A_KPI),
    "measurement": words,
    "measured_at": st.datetimes(timezones=st.just(UTC)),
    "measured_on": st.dates(),
    "value": st.none() | figures,
    "numerator": st.none() | figures,
    "denominator": st.none() | figures,
    "source": words,
    "late_days": st.integers(min_value=0),
}
kpi_events = st.one_of(
    st.builds(
        KpiDefined,
        code=words,
        name=words,
        kind=st.sampled_from([*KpiKind, KpiKind("histogram")]),
        unit=st.none() | words,
        per=figures,
        direction=st.sampled_from([*KpiDirection, KpiDirection("sideways")]),
        aggregation=st.sampled_from([*KpiAggregation, KpiAggregation("median")]),
        target=st.none() | figures,
        thresholds=_thresholds,
        owner=people,
        source=words,
    ),
    st.builds(KpiTargetRevised, target=st.none() | figures, thresholds=_thresholds, reason=words),
    st.builds(KpiRenamed, name=words),
    st.builds(KpiHandedOver, owner=people, previous_owner=people),
    st.builds(KpiSourceChanged, source=words, previous_source=words),
    st.builds(KpiRetired, reason=words),
)
kpi_month_events = st.one_of(
    st.builds(KpiMeasured, **_measurement),
    st.builds(KpiMeasurementCorrected, **_measurement, corrects=words, reason=st.none() | words),
)
