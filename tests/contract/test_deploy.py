"""What is deployed fits the programs: settings that exist, pinned images, probes that answer, hashes that hold."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.eventsourcing.schema import PARTITIONS
from shared.runtime.settings import Settings
from shared.schemas import kpi_measurements, payroll, people

REPOSITORY = Path(__file__).parents[2]
KUBERNETES = REPOSITORY / "deploy" / "k8s"
COMPOSE = REPOSITORY / "docker-compose.yml"
SERVICES = ("goals", "feedback", "reviews", "rewards")
OVERLAYS = ("development", "production")
VARIABLE = re.compile(r"TRELLIS_[A-Z_]+")
FILES = [COMPOSE, REPOSITORY / "Dockerfile", *sorted(p for p in KUBERNETES.rglob("*") if p.is_file())]

Document = Mapping[str, Any]


def documents(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def variables(settings: type[Settings], *, required: bool = False) -> set[str]:
    """The environment variables that a settings class reads."""
    fields = settings.model_fields.items()
    return {f"TRELLIS_{name.upper()}" for name, field in fields if field.is_required() or not required}


def settings_of(service: str) -> type[Settings]:
    """A service's own settings, where it has more than the shared ones."""
    module = f"services.{service}.settings"
    return getattr(import_module(module), "Settings", Settings) if find_spec(module) else Settings


def payroll_variables() -> set[str]:
    """The reference payroll shares no code with the services: its settings name their variables themselves."""
    return set(VARIABLE.findall((REPOSITORY / "consumers" / "payroll" / "settings.py").read_text()))


def compose_services() -> Mapping[str, Document]:
    return documents(COMPOSE)[0]["services"]


def containers() -> Iterator[tuple[str, Document]]:
    """Every container of the base, with its component's name."""
    for path in sorted((KUBERNETES / "base" / "service").glob("*.yaml")):
        for document in documents(path):
            template = document.get("spec", {}).get("template", {}) if document["kind"] != "Kustomization" else {}
            for container in template.get("spec", {}).get("containers", []):
                yield document["metadata"]["name"], container


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_variable_that_is_named_is_a_setting(path: Path) -> None:
    known = set[str]().union(*(variables(settings_of(service)) for service in SERVICES), payroll_variables())
    named = set(VARIABLE.findall(path.read_text()))
    assert named <= known


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", ["migrate", "api", "worker"])
def test_compose_gives_each_process_what_it_requires(service: str, role: str) -> None:
    process = compose_services()[f"{service}-{role}"]
    assert process["command"] == [role]
    assert process["build"]["args"]["SERVICE"] == service
    assert variables(settings_of(service), required=True) <= set(process["environment"])


@pytest.mark.parametrize("service", SERVICES)
def test_kubernetes_gives_each_process_what_it_requires(service: str) -> None:
    (base,) = documents(KUBERNETES / "base" / "kustomization.yaml")
    public = {literal.split("=")[0] for literal in base["configMapGenerator"][0]["literals"]}
    secret = set(re.findall(r"--from-literal=(TRELLIS_[A-Z_]+)", (KUBERNETES / "README.md").read_text()))
    assert variables(settings_of(service), required=True) <= public | secret


def test_payroll_gets_what_it_reads_and_is_probed() -> None:
    process = compose_services()["payroll"]
    assert process["build"]["args"] == {"ROOM": "consumers", "SERVICE": "payroll"}
    assert {"TRELLIS_KAFKA_BOOTSTRAP", "TRELLIS_PAYROLL_DATABASE"} <= set(process["environment"])
    assert "/health/ready" in str(process["healthcheck"]["test"])


@pytest.mark.parametrize("path", [COMPOSE, KUBERNETES / "README.md"], ids=["compose", "kubernetes"])
def test_the_feeds_of_others_are_created(path: Path) -> None:
    created = set(re.findall(r"--topic (\S+)", path.read_text()))
    assert created == {people.TOPIC, people.COMPENSATION_TOPIC, payroll.TOPIC, kpi_measurements.TOPIC}
    assert set(re.findall(r"--partitions (\d+)", path.read_text())) == {str(PARTITIONS)}


def test_images_are_pinned() -> None:
    images = {process["image"] for process in compose_services().values()}
    images |= set(re.findall(r"(?m)^FROM (\S+)", (REPOSITORY / "Dockerfile").read_text()))
    assert images >= {"postgres:18", "apache/kafka:4.3.1", "python:3.13-slim"}
    for image in images:
        _, _, tag = image.partition(":")
        assert tag, image
        assert tag != "latest", image
    for service in SERVICES:
        (kustomization,) = documents(KUBERNETES / "base" / service / "kustomization.yaml")
        assert kustomization["images"] == [
            {"name": "trellis-service", "newName": f"trellis-{service}", "newTag": "0.1.0"}
        ]


def test_a_running_container_has_probes_and_time_to_end() -> None:
    found = dict(containers())
    assert set(found) == {"api", "worker", "migrate"}
    for name in ("api", "worker"):
        assert found[name]["args"] == [name]
        assert found[name]["livenessProbe"]["httpGet"]["path"] == "/health/live"
        assert found[name]["readinessProbe"]["httpGet"]["path"] == "/health/ready"
        (deployment,) = documents(KUBERNETES / "base" / "service" / f"{name}.yaml")
        assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 30
    for name in ("api", "worker"):
        for service in SERVICES:
            assert "/health/ready" in str(compose_services()[f"{service}-{name}"]["healthcheck"]["test"])


def test_no_container_runs_as_root_or_may_become_it() -> None:
    for name, container in containers():
        (document,) = documents(KUBERNETES / "base" / "service" / f"{name}.yaml")
        assert document["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_each_database_that_a_process_names_is_created() -> None:
    created = set(re.findall(r"create database (\w+);", (REPOSITORY / "deploy/compose/databases.sql").read_text()))
    named = set(re.findall(r"@postgres/(\w+)", COMPOSE.read_text()))
    assert created == named


def test_production_installs_from_hashes_and_has_no_embedded_server() -> None:
    assert "pip install --require-hashes --requirement requirements.lock" in (REPOSITORY / "Dockerfile").read_text()
    lock = (REPOSITORY / "deploy" / "requirements.lock").read_text()
    assert not re.search(r"(?m)^(calfkit|pixeltable|pytest|testcontainers)", lock)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl, to render the overlays")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_renders_whole(overlay: str) -> None:
    command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    objects = [(d["kind"], d["metadata"]["name"]) for d in yaml.safe_load_all(rendered)]
    for service in SERVICES:
        assert ("Deployment", f"{service}-api") in objects
        assert ("Deployment", f"{service}-worker") in objects
        assert ("Service", f"{service}-api") in objects
        assert ("Job", f"{service}-migrate") in objects
        assert f"name: trellis-{service}\n" in rendered
    assert "trellis-service" not in rendered
