"""The dashboard, the alerts and their page name metrics and labels that exist, and alerts fire when they should."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from shared.runtime.catalogue import METRICS, Metric

REPOSITORY: Final = Path(__file__).parents[2]
FOLDER: Final = REPOSITORY / "deploy" / "observability"
OF_PROMETHEUS: Final = {"instance", "job"}
OF_THE_CLUSTER: Final = "namespace"
"""What a scrape of Kubernetes adds: the installation, of which a Prometheus may see several."""
OF_THE_PROCESS: Final = {"process_resident_memory_bytes"}
SERVICES: Final = ("goals", "feedback", "reviews", "rewards")
NAME: Final = re.compile(r"\b(?:trellis|process)_[a-z_]+")
GROUPED: Final = re.compile(r"\bby \(([^)]*)\)")
MATCHED: Final = re.compile(r"[{,]\s*([a-z_]+)\s*(=~|!=|!~|=)")
INSTANCE: Final = re.compile(r"(\w+)-(api|worker)-[a-z]")
GATHERED: Final = {"max": "sum", "sum": "min", "min": "max"}
NEEDS_PROMTOOL: Final = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="there is no promtool: it is part of Prometheus (prometheus.io/download, or the package `prometheus`)",
)


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


def cases() -> dict[str, Any]:
    """When each alert fires and when it is silent, as promtool reads it."""
    return yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())


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
    known = OF_PROMETHEUS | {OF_THE_CLUSTER, "service", "le"}
    for name in names & set(series):
        known |= set(series[name].labels)
    return (names - set(series) - OF_THE_PROCESS) | (labels_used(expression, shown) - known)


def told_otherwise(series: str) -> str | None:
    """What no process would tell of a series like this, as it is scraped; None: it is one that is told."""
    name, _, rest = series.partition("{")
    if (metric := declared().get(name)) is None:
        return f"nothing is named {name}"
    labels = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    expected = {*OF_PROMETHEUS, "service", *metric.labels} | ({"le"} if name.endswith("_bucket") else set())
    if set(labels) - {OF_THE_CLUSTER} != expected:
        return f"{name} has the labels {sorted(expected)}"
    instance = INSTANCE.fullmatch(labels["instance"])
    if instance is None or instance[1] != labels["service"] or instance[1] not in SERVICES:
        return f"{labels['instance']} is no process of {labels['service']}"
    return None if metric.told_by in {"both", instance[2]} else f"no {instance[2]} tells {name}"


def turned(rule: dict[str, Any]) -> None:
    """The comparison, turned round."""
    rule["expr"] = re.sub(r" ([<>]) ", lambda sign: " > " if sign[1] == "<" else " < ", rule["expr"])


def at_once(rule: dict[str, Any]) -> None:
    """The alert, without waiting."""
    rule.pop("for")


def gathered(rule: dict[str, Any]) -> None:
    """What several processes tell, put together in another way."""
    rule["expr"] = re.sub(r"\b(max|sum|min) by", lambda how: f"{GATHERED[how[1]]} by", rule["expr"])


def changes() -> Iterator[tuple[str, Callable[[dict[str, Any]], None]]]:
    """Each alert, with each change that makes it another one."""
    for rule in alerts():
        yield rule["alert"], turned
        if "for" in rule:
            yield rule["alert"], at_once
        if rule["alert"] != "TrellisLogForked":  # of figures that are 0 or 1 and not shown, any is as good as the sum
            yield rule["alert"], gathered


def promtool(folder: Path, *arguments: str) -> tuple[int, str]:
    """How it ended, and what it said."""
    ended = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


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


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    shown = [case for test in cases()["tests"] for case in test["alert_rule_test"]]
    told = {(case["alertname"], bool(case.get("exp_alerts"))) for case in shown}
    assert told == {(rule["alert"], fires) for rule in alerts() for fires in (True, False)}


def test_the_cases_speak_of_what_processes_tell() -> None:
    scraped = [one for test in cases()["tests"] for one in test["input_series"]]
    assert [wrong for one in scraped if (wrong := told_otherwise(one["series"])) is not None] == []
    # without quotes `0x5`, zero and five more, is YAML's number 5
    assert {type(one["values"]) for one in scraped} == {str}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("trellis_relay_lag_hours", 'service="goals",job="trellis",instance="goals-worker-a"'),
        ("trellis_append_seconds", 'service="goals",job="trellis",instance="goals-worker-a"'),
        ("trellis_append_seconds_bucket", 'service="goals",job="trellis",instance="goals-worker-a"'),
        ("trellis_relay_leads", 'service="goals",reader="goal_tree",job="trellis",instance="goals-worker-a"'),
        ("trellis_timers_total", 'service="goals",job="trellis",instance="goals-worker-a"'),
        ("trellis_relay_leads", 'service="goals",job="trellis",instance="goals-api-a"'),
        ("trellis_relay_leads", 'service="goals",job="trellis",instance="reviews-worker-a"'),
        ("trellis_relay_leads", 'service="payroll",job="trellis",instance="payroll-worker-a"'),
    ],
)
def test_a_series_that_no_process_tells_is_found(name: str, labels: str) -> None:
    assert told_otherwise(f"{name}{{{labels}}}")


@NEEDS_PROMTOOL
def test_every_alert_fires_and_is_silent_as_its_cases_say() -> None:
    assert promtool(FOLDER, "check", "rules", "alerts.yaml")[0] == 0
    code, said = promtool(FOLDER, "test", "rules", "alerts.test.yaml")
    assert code == 0, said


@NEEDS_PROMTOOL
@pytest.mark.parametrize(("alert", "change"), list(changes()))
def test_another_alert_is_refused_by_the_cases(
    alert: str, change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    rule = next(rule for rule in alerts() if rule["alert"] == alert)
    change(rule)
    own = [test for test in cases()["tests"] if alert in {case["alertname"] for case in test["alert_rule_test"]}]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump({"groups": [{"name": "trellis", "rules": [rule]}]}))
    (tmp_path / "alerts.test.yaml").write_text(yaml.safe_dump(cases() | {"tests": own}))
    code, said = promtool(tmp_path, "test", "rules", "alerts.test.yaml")
    assert code != 0
    assert f"alertname: {alert}, time: " in said


def test_the_examples_are_yaml_that_names_what_is_there() -> None:
    scrape = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    assert [(FOLDER / rules).is_file() for rules in scrape["rule_files"]] == [True]
    added = {relabelled.get("target_label") for relabelled in scrape["scrape_configs"][0]["relabel_configs"]}
    assert {OF_THE_CLUSTER, "instance"} <= added
    assert [rule["alert"] for rule in alerts() if f"by ({OF_THE_CLUSTER}, " not in rule["expr"]] == []
    pipeline = yaml.safe_load((FOLDER / "otel-collector.yaml").read_text())
    traces = pipeline["service"]["pipelines"]["traces"]
    for part in ("receivers", "processors", "exporters"):
        assert set(traces[part]) <= set(pipeline[part])
