"""Rules of KPIs: defined once, judged in order, handed over, retired for good."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from services.goals.domain.kpi import (
    KPI,
    ChangeKpiSource,
    HandOverKpi,
    KpiCommand,
    KpiEvent,
    RenameKpi,
    RetireKpi,
    ReviseKpiTarget,
    ThresholdsBody,
)
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import encode
from shared.schemas.goals import TYPES
from shared.schemas.kpis import (
    KpiAggregation,
    KpiDirection,
    KpiHandedOver,
    KpiKind,
    KpiRenamed,
    KpiSourceChanged,
    KpiTargetRevised,
)
from tests.spec import given
from tests.unit.services.goals.examples import HR, MANAGER, NOW, OWNER
from tests.unit.services.goals.kpi_examples import define, kpi_events, retired, within_a_day

at_once: dict[str, Any] = {"at": NOW, "by": MANAGER}
revise = ReviseKpiTarget(target=Decimal(97), thresholds=None, reason="new-contract", **at_once)
rename = RenameKpi(name="Within a day", **at_once)
hand_over = HandOverKpi(owner=HR, **at_once)
change_source = ChangeKpiSource(source="new ticket system", **at_once)
retire = RetireKpi(reason="measured-otherwise", **at_once)


def test_a_kpi_is_defined() -> None:
    given(KPI).when(define()).then(within_a_day)


def test_defining_the_same_again_changes_nothing() -> None:
    given(KPI, within_a_day).when(define()).then_nothing()


def test_a_code_is_given_once_and_never_again() -> None:
    other = define(name="Another thing")
    given(KPI, within_a_day).when(other).then_rejected("kpi-code-must-be-new", code="support.tickets-within-24h")
    given(KPI, within_a_day, retired).when(define()).then_rejected("kpi-code-must-be-new")


@pytest.mark.parametrize(
    ("kind", "per", "aggregation"),
    [
        (KpiKind.RATIO, Decimal(100), KpiAggregation.SUM),
        (KpiKind.NUMBER, Decimal(1), KpiAggregation.RATIO_OF_SUMS),
    ],
)
def test_ratios_have_no_sum_and_numbers_no_ratio_of_sums(
    kind: KpiKind, per: Decimal, aggregation: KpiAggregation
) -> None:
    asked = define(kind=kind, per=per, aggregation=aggregation)
    given(KPI).when(asked).then_rejected("kpi-aggregation-must-fit-its-kind", kind=kind, aggregation=aggregation)


def test_only_a_ratio_is_per_something() -> None:
    asked = define(kind=KpiKind.NUMBER, aggregation=KpiAggregation.SUM)
    given(KPI).when(asked).then_rejected("only-a-ratio-is-per-something", per=Decimal(100))


@pytest.mark.parametrize(
    ("direction", "target", "on_track", "at_risk"),
    [
        (KpiDirection.RISING, "95", "96", "90"),
        (KpiDirection.RISING, "95", "90", "91"),
        (KpiDirection.FALLING, "5", "4", "8"),
        (KpiDirection.FALLING, "5", "8", "6"),
    ],
)
def test_thresholds_lie_in_order_the_better_first(
    direction: KpiDirection, target: str, on_track: str, at_risk: str
) -> None:
    thresholds = ThresholdsBody(on_track=Decimal(on_track), at_risk=Decimal(at_risk))
    asked = define(direction=direction, target=Decimal(target), thresholds=thresholds)
    given(KPI).when(asked).then_rejected(
        "kpi-thresholds-must-lie-in-order", target=Decimal(target), on_track=Decimal(on_track), at_risk=Decimal(at_risk)
    )


def test_a_target_is_revised_with_a_reason() -> None:
    given(KPI, within_a_day).when(revise).then(
        KpiTargetRevised(target=Decimal(97), thresholds=None, reason="new-contract")
    )


def test_a_revised_target_keeps_the_order_too() -> None:
    wrong = revise.model_copy(update={"thresholds": ThresholdsBody(on_track=Decimal(98), at_risk=Decimal(90))})
    given(KPI, within_a_day).when(wrong).then_rejected("kpi-thresholds-must-lie-in-order", on_track=Decimal(98))


def test_a_kpi_is_renamed_handed_over_and_measured_elsewhere() -> None:
    given(KPI, within_a_day).when(rename).then(KpiRenamed(name="Within a day"))
    given(KPI, within_a_day).when(hand_over).then(KpiHandedOver(owner=HR, previous_owner=OWNER))
    given(KPI, within_a_day).when(change_source).then(
        KpiSourceChanged(source="new ticket system", previous_source="ticket system")
    )


def test_a_kpi_is_retired_once() -> None:
    given(KPI, within_a_day).when(retire).then(retired)
    given(KPI, within_a_day, retired).when(retire).then_nothing()


@pytest.mark.parametrize("command", [revise, rename, hand_over, change_source])
def test_a_retired_kpi_does_not_change(command: KpiCommand) -> None:
    given(KPI, within_a_day, retired).when(command).then_rejected("kpi-is-not-current", state="Retired")


@pytest.mark.parametrize("command", [revise, rename, hand_over, change_source, retire])
def test_what_was_never_defined_does_not_change(command: KpiCommand) -> None:
    given(KPI).when(command).then_rejected("kpi-is-not-current", state="NotDefined")


@pytest.mark.parametrize("code", ["Support", "support tickets", "support.", "-a", "a" * 81, ""])
def test_a_malformed_code_is_no_request(code: str) -> None:
    with pytest.raises(ValidationError, match="code"):
        define(code=code)


@for_all(kpi_events)
def test_events_survive_storage(event: KpiEvent) -> None:
    assert TYPES.decode(event.event_type, encode(event)) == event


@for_all(st.lists(kpi_events, max_size=8))
def test_any_history_can_be_folded(history: list[KpiEvent]) -> None:
    KPI.fold(history)


commands = st.sampled_from([define(), revise, rename, hand_over, change_source, retire])


@for_all(st.lists(kpi_events, max_size=6), commands)
def test_deciding_twice_adds_nothing(history: list[KpiEvent], command: KpiCommand) -> None:
    state = KPI.fold(history)
    try:
        once = KPI.fold(KPI.decide(state, command), state)
    except Rejected:
        return
    assert KPI.decide(once, command) == []
