"""The manifests of Kubernetes fit the programs: settings, ports, paths, probes, rights and topics, without any tool."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pytest
import yaml

from launcher.processes import TOPICS
from shared.runtime.service import Runtime
from shared.runtime.settings import Settings
from shared.runtime.stopping import ANSWER_SECONDS
from tests.contract.manifests import (
    KUBERNETES,
    SERVICES,
    configured_in,
    documents,
    known_to,
    literals,
    objects_of,
    overlay,
    pods_of_the_base,
    secrets_of,
    settings_of,
    variables,
)

DEPLOYED = ("development", "production")
OVERLAYS = (*DEPLOYED, "operators")
PORTS = {"http": "TRELLIS_HTTP_PORT", "metrics": "TRELLIS_METRICS_PORT"}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", DEPLOYED)
def test_what_is_set_is_known_and_what_is_required_is_set(name: str, service: str) -> None:
    found = set(configured_in(name)) | secrets_of(name, service)
    assert found <= known_to(service)
    assert variables(settings_of(service), required=True) <= found


@pytest.mark.parametrize("service", SERVICES)
def test_the_secret_that_the_page_makes_and_the_base_have_what_is_required(service: str) -> None:
    (base,) = documents(KUBERNETES / "base" / "kustomization.yaml")
    secret = set(re.findall(r"--from-literal=(TRELLIS_[A-Z_]+)", (KUBERNETES / "README.md").read_text()))
    assert variables(settings_of(service), required=True) <= set(literals(base)) | secret


@pytest.mark.parametrize("name", DEPLOYED)
def test_what_is_configured_is_a_possible_setting(name: str) -> None:
    assert settings_with(configured_in(name)).kafka_bootstrap == configured_in(name)["TRELLIS_KAFKA_BOOTSTRAP"]


def settings_with(configured: Mapping[str, str]) -> Settings:
    """The settings of a process that has these variables; what is secret or required stands in."""
    said = {variable.removeprefix("TRELLIS_").lower(): value for variable, value in configured.items()}
    url, key = "postgresql+asyncpg://goals:x@postgres/goals", "A" * 43 + "="
    required = {"kafka_bootstrap": "kafka:9092", "issuer": "https://issuer", "jwks_url": "https://issuer/keys"}
    return Settings(database_url=url, keys_database_url=url, master_key=key, **required | said)  # pyright: ignore[reportArgumentType]


def test_a_setting_that_does_not_exist_is_found() -> None:
    assert "TRELLIS_KAFKA_BOOTSTRAP_SERVERS" not in known_to("goals")
    assert "TRELLIS_MASTER_KEY_FILE" in known_to("goals")


@pytest.mark.parametrize("name", DEPLOYED)
def test_ports_are_those_that_the_processes_listen_at(name: str) -> None:
    configured = configured_in(name)
    assert configured["TRELLIS_HTTP_HOST"] == "0.0.0.0"  # noqa: S104 - in a pod of its own
    for component, pod in pods_of_the_base():
        for port in pod["containers"][0].get("ports", []):
            assert configured[PORTS[port["name"]]] == str(port["containerPort"]), component
    (service,) = documents(KUBERNETES / "base" / "service" / "service.yaml")
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]


def test_probes_ask_where_something_answers_and_leave_time_to_end() -> None:
    pods = dict(pods_of_the_base())
    assert set(pods) == {"api", "worker", "migrate"}
    for name in ("api", "worker"):
        (container,) = pods[name]["containers"]
        assert container["args"] == [name]
        for probe, path in (("startup", "live"), ("liveness", "live"), ("readiness", "ready")):
            assert container[f"{probe}Probe"]["httpGet"] == {"path": f"/health/{path}", "port": "http"}
        assert pods[name]["terminationGracePeriodSeconds"] >= drain_seconds(container) + 10 + ANSWER_SECONDS
        assert [first["args"] for first in pods[name]["initContainers"]] == [["migrated"]]


def test_an_api_serves_until_its_readiness_has_failed_and_nobody_is_sent_there_any_more() -> None:
    (api,) = dict(pods_of_the_base())["api"]["containers"]
    noticed = api["readinessProbe"]["periodSeconds"] * api["readinessProbe"]["failureThreshold"]
    assert drain_seconds(api) >= noticed + 5, "until the ingress knows, too"
    assert "lifecycle" not in api, "a process that is not told is ready while it is about to end"


def drain_seconds(container: Mapping[str, Any]) -> float:
    """How long it serves once it is told to stop; a worker stops at once."""
    if container["args"] == ["worker"]:
        return 0
    return settings_with({setting["name"]: setting["value"] for setting in container["env"]}).drain_seconds


def test_no_container_may_do_more_than_the_restricted_standard_allows() -> None:
    pods = [*pods_of_the_base(), *((o["metadata"]["name"], o["spec"]["template"]["spec"]) for o in started())]
    assert len(pods) == 3 + 5
    for name, pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name


def test_a_policy_says_who_may_reach_each_server_of_the_development_overlay() -> None:
    allowed: dict[str, list[Any]] = {}
    for policy in (o for o in objects_of("development") if o["kind"] == "NetworkPolicy"):
        chosen = policy["spec"]["podSelector"]
        names = [chosen.get("matchLabels", {}).get("app.kubernetes.io/name")]
        names = [name for one in chosen.get("matchExpressions", []) for name in one["values"]] or names
        assert "Ingress" in policy["spec"]["policyTypes"]
        allowed |= dict.fromkeys(names, policy["spec"]["ingress"])
    assert set(allowed) == {o["metadata"]["name"] for o in started()}
    for name, rules in allowed.items():
        assert all(rule["from"] and rule["ports"] for rule in rules), f"{name}: a rule without either lets everybody in"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", DEPLOYED)
def test_the_ingress_routes_each_service_by_its_path(name: str, service: str) -> None:
    (ingress,) = [o for o in objects_of(name) if o["kind"] == "Ingress"]
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    app = import_module(f"services.{service}.app").SERVICE
    routed = {path["path"]: path["backend"]["service"]["name"] for path in paths}
    assert app.base_path.startswith(f"/{service}/")
    assert routed[f"/{service}"] == f"{service}-api"
    assert len(routed) == len(SERVICES)


def started() -> list[Any]:
    """What the development overlay starts besides the services."""
    return [o for o in objects_of("development") if "template" in o.get("spec", {})]


def test_a_service_reaches_what_it_needs_and_nothing_else() -> None:
    (outgoing, requests, metrics) = documents(KUBERNETES / "base" / "service" / "network.yaml")
    ports = {port["port"] for rule in outgoing["spec"]["egress"] for port in rule["ports"]}
    assert ports == {5432, 9092, 8000, 53, 4318}
    assert all(policy["spec"]["podSelector"]["matchLabels"] for policy in (outgoing, requests, metrics)), (
        "of this service"
    )
    assert all(rule["to"] for rule in outgoing["spec"]["egress"])
    assert outgoing["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert requests["spec"]["ingress"][0]["ports"] == [{"port": "http"}]
    assert metrics["spec"]["ingress"][0]["ports"] == [{"port": "metrics"}]
    assert "matchLabels" not in str(outgoing["spec"]["egress"]), "kustomize would put the service's own labels there"


@pytest.mark.parametrize("service", SERVICES)
def test_production_scales_and_confines_each_service(service: str) -> None:
    found = {(o["kind"], o["metadata"]["name"]): o for o in objects_of("production")}
    assert found["HorizontalPodAutoscaler", f"{service}-api"]["spec"]["minReplicas"] >= 2
    scaled = found["ScaledObject", f"{service}-worker"]["spec"]
    assert scaled["maxReplicaCount"] == TOPICS[0].partitions
    lag = f'trellis_reader_lag_records{{namespace="trellis",service="{service}"}}'
    assert lag in scaled["triggers"][0]["metadata"]["query"]
    patched = str([patch["patch"] for patch in overlay("production")["patches"]])
    assert f"values: [{service}-postgres]" in patched


def test_the_topics_of_the_operator_are_those_of_the_contract() -> None:
    found = {o["metadata"]["name"]: o["spec"] for o in objects_of("operators") if o["kind"] == "KafkaTopic"}
    assert set(found) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        config = {name: str(value) for name, value in found[topic.name]["config"].items()}
        assert config.pop("min.insync.replicas") == "2"
        assert found[topic.name]["partitions"] == topic.partitions
        assert config == topic.settings


@pytest.mark.parametrize("service", SERVICES)
def test_the_rights_in_kafka_are_what_a_service_reads_and_writes(service: str) -> None:
    users = {
        o["metadata"]["name"]: o["spec"]["authorization"]["acls"]
        for o in objects_of("operators")
        if o["kind"] == "KafkaUser"
    }
    topics = {a["resource"]["name"]: a["operations"] for a in users[service] if a["resource"]["type"] == "topic"}
    assert {name for name, operations in topics.items() if "Read" in operations} == read_by(service)
    assert [name for name, operations in topics.items() if "Write" in operations] == [f"{service}.events"]
    groups = [a["resource"] for a in users[service] if a["resource"]["type"] == "group"]
    assert groups == [{"type": "group", "name": f"{service}.", "patternType": "prefix"}]


def read_by(service: str) -> set[str]:
    """The topics that a service's readers and feeds listen to, and its own, at whose end its relay looks."""
    app = import_module(f"services.{service}.app").SERVICE
    readers = {topic for reader in (*app.projections, *app.reactions) for topic in reader.topics}
    url, key = "postgresql+asyncpg://goals:x@postgres/goals", "A" * 43 + "="
    said: Any = {name.removeprefix("TRELLIS_").lower(): value for name, value in configured_in("development").items()}
    said |= {"database_url": url, "keys_database_url": url, "master_key": key}
    runtime = Runtime(app, Settings(**said))
    return readers | {feed.topic for feed in app.feeds(runtime)} | {app.topic}


@pytest.mark.skipif(shutil.which("kustomize") is None, reason="needs kustomize, to render the overlays")
@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_renders_whole(name: str) -> None:
    folder = KUBERNETES / "overlays" / name
    if name == "development":
        subprocess.run(["sh", str(KUBERNETES.parent / "secrets.sh"), str(folder / "secrets")], check=True)
    rendered = subprocess.run(["kustomize", "build", str(folder)], capture_output=True, text=True, check=True).stdout
    objects = [(d["kind"], d["metadata"]["name"]) for d in yaml.safe_load_all(rendered)]
    assert "trellis-service" not in rendered
    assert len(set(objects)) == len(objects)
    if name in DEPLOYED:
        for kind, part in (("Deployment", "api"), ("Deployment", "worker"), ("Service", "api"), ("Job", "migrate")):
            assert {(kind, f"{service}-{part}") for service in SERVICES} <= set(objects)
