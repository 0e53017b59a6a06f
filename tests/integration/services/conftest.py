"""Fixtures of all services: the issuer whose tokens they trust."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers.issuer import Issuer, issuing


@pytest.fixture(scope="session")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Issuer]:
    folder: Path = tmp_path_factory.mktemp("issuer")
    async with issuing(folder) as issuer:
        yield issuer
