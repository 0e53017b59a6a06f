"""The machine and the versions that something was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

from launcher.brokers.kafka_distribution import VERSION as KAFKA
from launcher.postgres import VERSION as POSTGRESQL

_PACKAGES: Final = ("aiokafka", "asyncpg", "faststream", "pydantic", "sqlalchemy", "uvicorn", "uvloop")


def described() -> dict[str, Any]:
    """Processor, memory in GiB, versions, and how busy the machine was before anything began (load average)."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "versions": {
            "python": platform.python_version(),
            "postgresql": POSTGRESQL,
            "kafka": KAFKA,
            **{package: version(package) for package in _PACKAGES},
        },
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
