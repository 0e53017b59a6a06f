"""One installation for the tests of this room, as a newcomer gets it: `trellis up`, and the sample company's people."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.installation import Installation, installed

_SAMPLE: Final = Path("launcher/company/hr_employees.csv")


def kafka_of_an_installation() -> str:
    """What `make demo` starts, the embedded broker, unless TRELLIS_TEST_KAFKA asks for Apache Kafka."""
    return "apache" if os.environ.get("TRELLIS_TEST_KAFKA") == "apache" else "embedded"


@pytest.fixture(scope="package")
async def installation(server_folder: Path) -> AsyncIterator[Installation]:
    """Everything runs and the sample's 107 people are known.

    It is stopped after the last test of the room: idle, it takes a third of a core from those that come then.
    """
    async with installed(server_folder / "installation", kafka=kafka_of_an_installation()) as running:
        await running.trellis.run_well("people", "import", str(_SAMPLE))
        yield running
