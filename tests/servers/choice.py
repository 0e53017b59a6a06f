"""Which Kafka and which PostgreSQL a test run uses, and why."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Final

from launcher.brokers import apache

KAFKA_IMAGE: Final = "apache/kafka:4.3.1"
POSTGRES_IMAGE: Final = "postgres:18"
OWN: Final = frozenset({"testcontainers", "apache", "embedded"})
"""Servers that each process of a run starts for itself."""
_PULL_SECONDS: Final = 90


@dataclass(frozen=True, slots=True)
class Choice:
    """`value`: testcontainers, apache, embedded, or an address."""

    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.value} ({self.why})"


@cache
def kafka() -> Choice:
    asked = os.environ.get("TRELLIS_TEST_KAFKA")
    if asked:
        return Choice(asked, "TRELLIS_TEST_KAFKA")
    if _docker_has(KAFKA_IMAGE):
        return Choice("testcontainers", f"Docker has {KAFKA_IMAGE}")
    if apache.available():
        return Choice("apache", "no Docker image, but Java and Maven")
    return Choice("embedded", "neither a Docker image nor Java and Maven")


@cache
def postgres() -> Choice:
    asked = os.environ.get("TRELLIS_TEST_POSTGRES")
    if asked:
        return Choice(asked, "TRELLIS_TEST_POSTGRES")
    if _docker_has(POSTGRES_IMAGE):
        return Choice("testcontainers", f"Docker has {POSTGRES_IMAGE}")
    return Choice("embedded", "no Docker image")


def _docker_has(image: str) -> bool:
    """Asked in a process of its own, so that a pull that takes too long can be given up."""
    command = [sys.executable, "-m", "tests.servers.docker_images", image]
    try:
        return subprocess.run(command, capture_output=True, timeout=_PULL_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
