"""One installation a test run, as a newcomer gets it: `trellis up`, and the people of the sample company."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from launcher.brokers import apache, embedded
from tests.e2e.installation import Installation, installed
from tests.servers import choice

_SAMPLE: Final = Path("launcher/company/hr_employees.csv")


def kafka_of_an_installation() -> str:
    """The run's kind of broker; one that others use too is not for an installation, whose topics have fixed names."""
    asked = choice.kafka().value
    if asked in (apache.KIND, embedded.KIND):
        return asked
    return apache.KIND if apache.available() else embedded.KIND


@pytest.fixture(scope="session")
async def installation(server_folder: Path) -> AsyncIterator[Installation]:
    """Everything runs and the sample's 107 people are known; it is stopped when the run ends, however it ends."""
    async with installed(server_folder / "installation", kafka=kafka_of_an_installation()) as running:
        await running.trellis.run_well("people", "import", str(_SAMPLE))
        yield running
