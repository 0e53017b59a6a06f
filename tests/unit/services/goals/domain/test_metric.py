"""Rules of metrics: what can be measured, and how far a value is from start to target."""

from decimal import Decimal

import pytest
from hypothesis import given
from pydantic import ValidationError

from services.goals.domain.metric import MetricBody, metric_of, progress_of
from shared.eventsourcing.decider import Rejected
from shared.schemas.goals import Metric, MetricKind
from tests.unit.services.goals.examples import figures, metrics


def number(start: str, target: str) -> Metric:
    return Metric(kind=MetricKind.NUMBER, start=Decimal(start), target=Decimal(target))


def body(kind: MetricKind, start: str, target: str, unit: str | None = None) -> MetricBody:
    return MetricBody(kind=kind, start=Decimal(start), target=Decimal(target), unit=unit)


@pytest.mark.parametrize(
    ("start", "target", "value", "raw", "capped", "regressed"),
    [
        ("200", "0", "100", "50", "50", False),
        ("10", "0", "7", "30", "30", False),
        ("10", "0", "-10", "200", "100", False),
        ("0", "100", "100", "100", "100", False),
        ("0", "100", "150", "150", "100", False),
        ("50", "100", "40", "-20", "0", True),
        ("10", "0", "12", "-20", "0", True),
        ("0", "3", "1", "33.333333333333", "33.333333333333", False),
        ("0", "3", "2", "66.666666666667", "66.666666666667", False),
        ("-5", "5", "0", "50", "50", False),
    ],
)
def test_progress_is_the_way_covered_from_start_to_target(
    *, start: str, target: str, value: str, raw: str, capped: str, regressed: bool
) -> None:
    progress = progress_of(number(start, target), Decimal(value))
    assert (progress.raw, progress.capped, progress.regressed) == (Decimal(raw), Decimal(capped), regressed)


def test_progress_is_exact_for_the_largest_and_the_smallest_figures() -> None:
    progress = progress_of(number("0", "0.000001"), Decimal(999999999999999999))
    assert progress.raw == Decimal(99999999999999999900000000)


def measurable(metric: Metric) -> bool:
    return metric.kind not in (MetricKind.YES_NO, MetricKind.MILESTONES)


@given(metrics.filter(measurable), figures)
def test_progress_stays_within_0_and_100_and_says_when_it_is_below_the_start(metric: Metric, value: Decimal) -> None:
    progress = progress_of(metric, value)
    assert 0 <= progress.capped <= 100
    assert progress.regressed == (progress.raw < 0)
    assert not progress.regressed or progress.capped == 0


@pytest.mark.parametrize("kind", list(MetricKind))
def test_a_metric_whose_start_is_its_target_is_refused(kind: MetricKind) -> None:
    with pytest.raises(Rejected, match="metric-start-must-differ-from-target"):
        metric_of(body(kind, "1.0", "1"))


@pytest.mark.parametrize(
    ("refused", "rule"),
    [
        (body(MetricKind.YES_NO, "0", "2"), "yes-or-no-must-run-from-0-to-1"),
        (body(MetricKind.YES_NO, "1", "0"), "yes-or-no-must-run-from-0-to-1"),
        (body(MetricKind.MILESTONES, "1", "5"), "milestones-must-run-from-0-to-a-whole-number"),
        (body(MetricKind.MILESTONES, "0", "4.5"), "milestones-must-run-from-0-to-a-whole-number"),
        (body(MetricKind.MILESTONES, "0", "-4"), "milestones-must-run-from-0-to-a-whole-number"),
        (body(MetricKind.CURRENCY, "0", "5"), "currency-metric-must-name-its-currency"),
        (body(MetricKind.CURRENCY, "0", "5", "dollars"), "currency-metric-must-name-its-currency"),
    ],
)
def test_each_kind_has_its_own_start_and_target(refused: MetricBody, rule: str) -> None:
    with pytest.raises(Rejected, match=rule):
        metric_of(refused)


@pytest.mark.parametrize(
    "allowed",
    [
        body(MetricKind.NUMBER, "10", "-10"),
        body(MetricKind.PERCENT, "80", "95.5"),
        body(MetricKind.CURRENCY, "0", "1250.50", "USD"),
        body(MetricKind.YES_NO, "0", "1"),
        body(MetricKind.MILESTONES, "0", "12"),
    ],
)
def test_what_can_be_measured_is_taken_as_it_is(allowed: MetricBody) -> None:
    assert metric_of(allowed).model_dump() == allowed.model_dump()


@pytest.mark.parametrize(
    ("kind", "target", "value", "rule"),
    [
        (MetricKind.YES_NO, "1", "0.5", "yes-or-no-must-be-0-or-1"),
        (MetricKind.MILESTONES, "4", "5", "milestones-done-must-be-a-whole-number-up-to-all"),
        (MetricKind.MILESTONES, "4", "1.5", "milestones-done-must-be-a-whole-number-up-to-all"),
        (MetricKind.MILESTONES, "4", "-1", "milestones-done-must-be-a-whole-number-up-to-all"),
    ],
)
def test_a_value_that_the_kind_does_not_have_is_refused(kind: MetricKind, target: str, value: str, rule: str) -> None:
    with pytest.raises(Rejected, match=rule):
        progress_of(Metric(kind=kind, start=Decimal(0), target=Decimal(target)), Decimal(value))


@pytest.mark.parametrize("figure", ["0.0000001", "1" * 25, "1e3", "NaN"])
def test_a_figure_out_of_bounds_is_no_request(figure: str) -> None:
    with pytest.raises(ValidationError):
        MetricBody.model_validate({"kind": "number", "target": figure})


def test_an_unknown_kind_is_no_request() -> None:
    with pytest.raises(ValidationError, match="must be one of number, percent, currency, yes-no, milestones"):
        MetricBody.model_validate({"kind": "zones", "target": "1"})
