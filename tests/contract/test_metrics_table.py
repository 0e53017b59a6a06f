"""The table of metrics in docs/observability.md says what the catalogue and the services' own gauges declare."""

from importlib import import_module
from pathlib import Path

from shared.runtime.catalogue import METRICS, Metric

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"
SERVICES = ("goals", "feedback", "reviews", "rewards")


def row(metric: Metric, told_by: str) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {told_by} | {metric.meaning} |"


def declared() -> list[str]:
    rows = [row(metric, "api, worker" if metric.told_by == "both" else metric.told_by) for metric in METRICS.values()]
    for service in SERVICES:
        gauges = import_module(f"services.{service}.app").SERVICE.gauges
        rows += [row(gauge.metric, f"worker of {service}") for gauge in gauges]
    return rows


def test_the_table_of_metrics_is_the_catalogue() -> None:
    documented = [line for line in PAGE.read_text().splitlines() if line.startswith("| `trellis_")]
    assert documented == declared()
