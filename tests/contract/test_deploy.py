"""What docker compose runs fits the programs: settings that exist, pinned images, probes that answer, no secrets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from shared.schemas import kpi_measurements, payroll, people
from shared.schemas.partitions import PARTITIONS
from tests.contract.manifests import (
    COMPOSE,
    DEPLOY,
    KUBERNETES,
    REPOSITORY,
    SERVICES,
    VARIABLE,
    compose,
    compose_services,
    given,
    known_to,
    payroll_variables,
    settings_of,
    variables,
)

DOCKERFILE = REPOSITORY / "Dockerfile"
FILES = [
    COMPOSE,
    DOCKERFILE,
    DEPLOY / "healthcheck.py",
    *sorted(p for p in KUBERNETES.rglob("*") if p.is_file() and p.parent.name != "secrets"),
    *sorted(p for p in (DEPLOY / "compose").glob("*") if p.is_file()),
]
OF_THE_COMPOSE_FILE = {"postgres", "kafka", "feeds", "payroll", "issuer", "prometheus", "grafana", "otel-collector"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_variable_that_is_named_is_a_setting(path: Path) -> None:
    known = set[str]().union(*(known_to(service) for service in SERVICES), payroll_variables())
    assert set(VARIABLE.findall(path.read_text())) <= known


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", ["migrate", "api", "worker"])
def test_compose_gives_each_process_what_it_requires(service: str, role: str) -> None:
    process = compose_services()[f"{service}-{role}"]
    ours = {name for name in process["environment"] if name.startswith("TRELLIS_")}
    assert process["command"] == [role]
    assert process["build"]["args"]["SERVICE"] == service
    assert ours <= known_to(service)
    assert variables(settings_of(service), required=True) <= given(process["environment"])


def test_every_secret_comes_from_a_file_and_is_mounted_where_it_is_read() -> None:
    declared = compose()["secrets"]
    assert all(set(secret) == {"file"} for secret in declared.values())
    for name, process in compose_services().items():
        read = {
            Path(v).name for v in map(str, process.get("environment", {}).values()) if v.startswith("/run/secrets/")
        }
        assert read <= set(process.get("secrets", [])) <= set(declared), name
    assert not re.search(r"(?i)(password|key): +(?!/run/secrets|\{file)\S", COMPOSE.read_text())


def test_the_script_makes_every_secret_that_is_declared_once_and_keeps_it(tmp_path: Path) -> None:
    script = ["sh", str(DEPLOY / "secrets.sh"), str(tmp_path / "secrets"), "db.example"]
    subprocess.run(script, check=True, capture_output=True)
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert {f"deploy/compose/secrets/{name}" for name in made} == {s["file"] for s in compose()["secrets"].values()}
    assert re.fullmatch(
        r"postgresql\+asyncpg://goals_keys:[0-9a-f]{48}@db\.example/goals_keys\n", made["goals_keys_database_url"]
    )
    assert len(set(made.values())) == len(made)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    subprocess.run(script, check=True, capture_output=True)
    assert {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()} == made


def test_what_runs_is_confined_limited_and_started_again() -> None:
    ours = {
        name: process
        for name, process in compose_services().items()
        if name.startswith((*SERVICES, "payroll", "issuer"))
    }
    assert len(ours) == 3 * len(SERVICES) + 2
    for name, process in ours.items():
        assert process["read_only"] is True, name
        assert process["cap_drop"] == ["ALL"], name
        assert process["security_opt"] == ["no-new-privileges:true"], name
    for name, process in compose_services().items():
        assert process["deploy"]["resources"]["limits"]["memory"], name
        once = name.endswith("-migrate") or name == "feeds"
        assert process["restart"] == ("on-failure" if once else "unless-stopped"), name


def test_a_process_waits_for_what_it_needs() -> None:
    for service in SERVICES:
        for role in ("api", "worker"):
            waits = compose_services()[f"{service}-{role}"]["depends_on"]
            assert waits[f"{service}-migrate"] == {"condition": "service_completed_successfully"}
        waits = compose_services()[f"{service}-migrate"]["depends_on"]
        assert waits == {name: {"condition": "service_healthy"} for name in ("postgres", "kafka")}


def test_ports_are_published_to_this_machine_alone_and_none_of_the_inside() -> None:
    for name, process in compose_services().items():
        for port in process.get("ports", []):
            assert port.startswith("127.0.0.1:"), name
            assert not port.endswith(":9000"), name


def test_there_is_nothing_else_in_the_compose_file() -> None:
    processes = {f"{service}-{role}" for service in SERVICES for role in ("migrate", "api", "worker")}
    assert set(compose_services()) == processes | OF_THE_COMPOSE_FILE
    profiles = {name: process.get("profiles") for name, process in compose_services().items() if "profiles" in process}
    assert profiles == {
        "issuer": ["dev"],
        **{name: ["observability"] for name in ("prometheus", "grafana", "otel-collector")},
    }


def test_payroll_gets_what_it_reads() -> None:
    process = compose_services()["payroll"]
    assert process["build"]["args"] == {"ROOM": "consumers", "SERVICE": "payroll"}
    assert {"TRELLIS_KAFKA_BOOTSTRAP", "TRELLIS_PAYROLL_DATABASE"} <= set(process["environment"])


def test_the_feeds_of_others_are_created() -> None:
    for path in (COMPOSE, KUBERNETES / "overlays" / "development" / "kafka.yaml", KUBERNETES / "README.md"):
        created = set(re.findall(r"--topic (\S+)", path.read_text()))
        assert created == {people.TOPIC, people.COMPENSATION_TOPIC, payroll.TOPIC, kpi_measurements.TOPIC}, path
        assert set(re.findall(r"--partitions (\d+)", path.read_text())) == {str(PARTITIONS)}, path


def test_images_are_pinned() -> None:
    images = {process["image"] for process in compose_services().values()}
    images |= set(re.findall(r"(?m)^FROM (\S+)", DOCKERFILE.read_text()))
    images |= set(re.findall(r"(?m)^ +image: (\S+)", "".join(p.read_text() for p in KUBERNETES.rglob("*.yaml")))) - {
        "trellis-service"
    }
    assert images >= {"postgres:18", "apache/kafka:4.3.1", "python:3.13-slim"}
    for image in images:
        _, _, tag = image.partition(":")
        assert tag, image
        assert tag != "latest", image


def test_the_image_installs_from_hashes_runs_as_nobody_and_is_probed() -> None:
    text = DOCKERFILE.read_text()
    lock = (DEPLOY / "requirements.lock").read_text()
    assert "install --require-hashes --only-binary=:all:" in text
    assert not re.search(r"(?m)^(calfkit|pixeltable|pytest|testcontainers)", lock)
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"(?m)^USER 10001$", last)
    assert "pip" not in last
    assert "HEALTHCHECK" in last
    assert {"title", "version", "revision", "licenses"} <= set(re.findall(r"org\.opencontainers\.image\.(\w+)=", last))


def test_the_health_check_says_what_the_process_says() -> None:
    environment = {**os.environ, "TRELLIS_HTTP_PORT": "1"}
    ended = subprocess.run(
        [sys.executable, str(DEPLOY / "healthcheck.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "port 1 does not answer" in ended.stderr


def test_what_prometheus_and_grafana_are_given_is_there() -> None:
    scraped = yaml.safe_load((DEPLOY / "compose" / "prometheus.yaml").read_text())["scrape_configs"][0][
        "static_configs"
    ]
    assert set(scraped[0]["targets"]) == {
        f"{service}-{role}:9000" for service in SERVICES for role in ("api", "worker")
    }
    for process in compose_services().values():
        for volume in process.get("volumes", []):
            if volume.startswith("./"):
                assert (REPOSITORY / volume.split(":")[0]).is_file(), volume
