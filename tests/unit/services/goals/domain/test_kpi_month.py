"""Rules of measurements: each once, in time, of the KPI's kind; a correction takes the place of one, once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.goals.domain.kpi_month import KPI_AHEAD_MINUTES, KPI_LATE_DAYS, KPI_MONTH, KpiMonthEvent, Month
from services.goals.domain.policy import Policy
from shared.schemas.event import encode
from shared.schemas.goals import TYPES
from shared.schemas.identifiers import KpiId
from shared.schemas.kpis import KpiMeasurementCorrected
from tests.spec import given
from tests.unit.services.goals.examples import A_GOAL, NOW
from tests.unit.services.goals.kpi_examples import (
    A_KPI,
    MEASURED_AT,
    kpi_month_events,
    measure,
    measured,
    number,
    percent,
    taken,
)

no_ratio: dict[str, Any] = {"numerator": None, "denominator": None, "defined": number}


def test_a_ratio_is_measured_by_its_two_counts() -> None:
    given(KPI_MONTH).when(measure()).then(measured)


def test_a_number_is_measured_by_its_value() -> None:
    asked = measure(value=Decimal("12.5"), **no_ratio)
    changes = {"value": Decimal("12.5"), "numerator": None, "denominator": None}
    given(KPI_MONTH).when(asked).then(measured.model_copy(update=changes))


def test_a_ratio_of_nothing_has_no_value_and_still_counts_its_numerator() -> None:
    asked = measure(numerator=Decimal(0), denominator=Decimal(0))
    changes = {"value": None, "numerator": Decimal(0), "denominator": Decimal(0)}
    given(KPI_MONTH).when(asked).then(measured.model_copy(update=changes))


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"value": Decimal(95)}, "ratio-is-measured-by-its-two-counts"),
        ({"denominator": None}, "ratio-is-measured-by-its-two-counts"),
        ({"denominator": Decimal(-1)}, "ratio-denominator-must-not-be-negative"),
        ({"defined": number}, "number-is-measured-by-its-value"),
        ({**no_ratio}, "number-is-measured-by-its-value"),
        ({"defined": None}, "kpi-must-be-defined"),
        ({"defined": percent.model_copy(update={"retired": True})}, "kpi-is-retired"),
    ],
)
def test_a_measurement_fits_its_kpi(said: dict[str, Any], rule: str) -> None:
    given(KPI_MONTH).when(measure(**said)).then_rejected(rule)


def test_the_same_measurement_again_changes_nothing() -> None:
    given(KPI_MONTH, measured).when(measure(known=taken())).then_nothing()


def test_the_same_measurement_again_changes_nothing_also_when_the_kpi_was_retired_meanwhile() -> None:
    gone = percent.model_copy(update={"retired": True})
    given(KPI_MONTH, measured).when(measure(known=taken(), defined=gone)).then_nothing()


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ({"numerator": Decimal(191)}, "numerator"),
        ({"measured_at": MEASURED_AT + timedelta(seconds=1)}, "measured_at"),
        ({"kpi": KpiId(A_GOAL)}, "kpi"),
        ({"source": "spreadsheet"}, "source"),
        ({"corrects": "m-0"}, "corrects"),
        ({"reason": "counted-late"}, "reason"),
    ],
)
def test_another_body_under_the_same_id_is_refused(other: dict[str, Any], differs: str) -> None:
    given(KPI_MONTH, measured).when(measure(known=taken(**other))).then_rejected(
        "measurement-id-is-taken", measurement="m-1", differs=[differs]
    )


def test_a_correction_takes_the_place_of_a_measurement() -> None:
    asked = measure(measurement="m-2", numerator=Decimal(191), corrects="m-1", reason="counted-late", corrected=taken())
    given(KPI_MONTH, measured).when(asked).then(
        KpiMeasurementCorrected(
            kpi=A_KPI,
            measurement="m-2",
            corrects="m-1",
            measured_at=MEASURED_AT,
            measured_on=MEASURED_AT.date(),
            value=Decimal("95.5"),
            numerator=Decimal(191),
            denominator=Decimal(200),
            source="ticket system",
            late_days=1,
            reason="counted-late",
        )
    )


def test_a_correction_again_for_another_reason_is_refused() -> None:
    again: dict[str, Any] = {"corrects": "m-0", "reason": "counted-late"}
    given(KPI_MONTH, measured).when(measure(**again, known=taken(**again))).then_nothing()
    given(KPI_MONTH, measured).when(measure(**again, known=taken(**again | {"reason": "typo"}))).then_rejected(
        "measurement-id-is-taken", measurement="m-1", differs=["reason"]
    )


def test_a_reason_is_of_a_correction() -> None:
    given(KPI_MONTH).when(measure(reason="counted-late")).then_rejected(
        "only-a-correction-has-a-reason", reason="counted-late"
    )


def test_what_is_corrected_was_measured_of_the_same_kpi() -> None:
    asked = measure(measurement="m-2", corrects="m-1")
    given(KPI_MONTH).when(asked).then_rejected("corrected-measurement-must-exist", corrects="m-1")
    elsewhere = asked.model_copy(update={"corrected": taken(kpi=KpiId(A_GOAL))})
    given(KPI_MONTH).when(elsewhere).then_rejected("corrected-measurement-must-exist", corrects="m-1", kpi=A_KPI)


def test_a_measurement_is_corrected_once_and_then_its_correction() -> None:
    asked = measure(measurement="m-3", corrects="m-1", corrected=taken(corrected_by="m-2"))
    given(KPI_MONTH, measured).when(asked).then_rejected("measurement-is-already-corrected", corrects="m-1", by="m-2")


def test_a_source_may_be_ahead_of_the_clock_by_what_the_policy_says() -> None:
    policy = Policy("own-1", {KPI_AHEAD_MINUTES.name: 30})
    at_the_edge = measure(measured_at=NOW + timedelta(minutes=30), policy=policy)
    assert KPI_MONTH.decide(Month(), at_the_edge)
    beyond = measure(measured_at=NOW + timedelta(minutes=30, seconds=1), policy=policy)
    given(KPI_MONTH).when(beyond).then_rejected("measurement-must-not-lie-in-the-future", now=NOW, ahead_minutes=30)


def test_a_measurement_may_be_as_late_as_the_policy_says() -> None:
    late = measure(measured_at=NOW - timedelta(days=400))
    assert KPI_MONTH.decide(Month(), late)
    policy = Policy("own-1", {KPI_LATE_DAYS.name: 45})
    assert KPI_MONTH.decide(Month(), measure(measured_at=NOW - timedelta(days=45), policy=policy))
    given(KPI_MONTH).when(late.model_copy(update={"policy": policy})).then_rejected(
        "measurement-is-too-late", late_days=45
    )


@for_all(kpi_month_events)
def test_events_survive_storage(event: KpiMonthEvent) -> None:
    assert TYPES.decode(event.event_type, encode(event)) == event


@for_all(st.lists(kpi_month_events, max_size=8))
def test_any_history_can_be_folded(history: list[KpiMonthEvent]) -> None:
    assert KPI_MONTH.fold(history) == Month(len(history))
