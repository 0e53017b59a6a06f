"""The dashboard, the alerts and the page about them speak of metrics and labels that exist."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from shared.runtime.catalogue import METRICS, Metric

REPOSITORY: Final = Path(__file__).parents[2]
FOLDER: Final = REPOSITORY / "deploy" / "observability"
OF_PROMETHEUS: Final = {"instance", "job"}
OF_THE_PROCESS: Final = {"process_resident_memory_bytes"}
SERVICES: Final = ("goals", "feedback", "reviews", "rewards")
NAME: Final = re.compile(r"\b(?:trellis|process)_[a-z_]+")
GROUPED: Final = re.compile(r"\bby \(([^)]*)\)")
MATCHED: Final = re.compile(r"[{,]\s*([a-z_]+)\s*(=~|!=|!~|=)")


def declared() -> dict[str, Metric]:
    """Every series that is exposed, by its name: a histogram is three."""
    own = [gauge.metric for name in SERVICES for gauge in import_module(f"services.{name}.app").SERVICE.gauges]
    series: dict[str, Metric] = {}
    for metric in (*METRICS.values(), *own):
        parts = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        series |= {f"{metric.name}{part}": metric for part in parts}
    return series


def alerts() -> list[dict[str, Any]]:
    return yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]


def panels() -> list[dict[str, Any]]:
    return json.loads((FOLDER / "dashboard.json").read_text())["panels"]


def expressions() -> Iterator[tuple[str, str]]:
    """Each expression, with the text that shows its labels."""
    for rule in alerts():
        yield rule["expr"], rule["annotations"]["summary"]
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]


def labels_used(expression: str, shown: str) -> set[str]:
    grouped = {label.strip() for group in GROUPED.findall(expression) for label in group.split(",")}
    matched = {label for label, _ in MATCHED.findall(expression)}
    named = set(re.findall(r"\$labels\.([a-z_]+)", shown)) | set(re.findall(r"\{\{([a-z_]+)\}\}", shown))
    return grouped | matched | named


def unknown(expression: str, shown: str) -> set[str]:
    """The names and labels in an expression that no process exposes."""
    series = declared()
    names = set(NAME.findall(expression))
    known = OF_PROMETHEUS | {"service", "le"}
    for name in names & set(series):
        known |= set(series[name].labels)
    return (names - set(series) - OF_THE_PROCESS) | (labels_used(expression, shown) - known)


@pytest.mark.parametrize(("expression", "shown"), list(expressions()))
def test_an_expression_speaks_of_what_is_exposed(expression: str, shown: str) -> None:
    assert NAME.search(expression)
    assert unknown(expression, shown) == set()


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("max by (service) (trellis_relay_lag_hours)", ""),
        ("max by (stream) (trellis_relay_lag_seconds)", ""),
        ('rate(trellis_commands_total{result="accepted"}[5m])', ""),
        ("trellis_append_seconds > 1", ""),
        ("trellis_relay_lag_seconds", "{{ $labels.topic }}"),
    ],
)
def test_what_is_not_exposed_is_found(expression: str, shown: str) -> None:
    assert unknown(expression, shown)


def test_a_grouped_expression_shows_no_label_that_it_lost() -> None:
    for expression, shown in expressions():
        if groups := GROUPED.findall(expression):
            kept = {label.strip() for group in groups for label in group.split(",")}
            assert labels_used("", shown) <= kept


def test_every_alert_has_its_section_on_the_page() -> None:
    headings = set(re.findall(r"(?m)^### (\w+)$", (REPOSITORY / "docs" / "observability.md").read_text()))
    names = {rule["alert"] for rule in alerts()}
    assert names == headings
    for rule in alerts():
        assert rule["annotations"]["runbook"] == f"docs/observability.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_the_examples_are_yaml_that_names_what_is_there() -> None:
    scrape = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    assert [(FOLDER / rules).is_file() for rules in scrape["rule_files"]] == [True]
    pipeline = yaml.safe_load((FOLDER / "otel-collector.yaml").read_text())
    traces = pipeline["service"]["pipelines"]["traces"]
    for part in ("receivers", "processors", "exporters"):
        assert set(traces[part]) <= set(pipeline[part])
