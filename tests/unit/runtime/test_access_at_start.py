"""A service does not start while its access table does not say who may take each of its routes."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.goals.api.permissions import ACCESS
from services.goals.app import SERVICE
from shared.runtime.authorization import (
    READ,
    AccessTable,
    Needed,
    NotInTheTable,
    Permissions,
    needed,
    needs,
    refuse_undeclared,
)
from shared.runtime.process import create_service_api, main
from shared.runtime.service import Runtime, Service
from shared.runtime.settings import Settings

GOAL = Permissions({READ: set(), "align": set()})
TABLE = AccessTable({"goal": {"team": GOAL, "person": Permissions({READ: set()})}})
SETTINGS = {
    "TRELLIS_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    "TRELLIS_KEYS_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    "TRELLIS_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
    "TRELLIS_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "TRELLIS_ISSUER": "https://issuer.example",
    "TRELLIS_JWKS_URL": "https://issuer.example/jwks.json",
}


@needs("goal", READ)
def show() -> None: ...


@needs("goal", "align")
def align() -> None: ...


@needs("plan", READ)
def show_plan() -> None: ...


def undeclared() -> None: ...


def test_a_route_declares_what_it_needs() -> None:
    assert needed(show) == Needed("goal", READ)
    assert needed(undeclared) is None
    refuse_undeclared(TABLE, {"GET /goals": show})


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        (undeclared, "POST /somewhere (declares no action)"),
        (align, "POST /somewhere (align goal)"),
        (show_plan, "POST /somewhere (read plan)"),
    ],
)
def test_what_is_not_declared_or_not_in_every_variant_of_the_table_is_refused_by_name(
    endpoint: Callable[..., Any], told: str
) -> None:
    with pytest.raises(NotInTheTable) as refused:
        refuse_undeclared(TABLE, {"GET /goals": show, "POST /somewhere": endpoint})
    assert str(refused.value) == f"The access table does not say who may: {told}"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return Settings()  # pyright: ignore[reportCallIssue] - from the environment


def without(service: Service, thing: str) -> Service:
    """The service with a table that lacks this thing."""
    return replace(service, access=AccessTable({name: t for name, t in ACCESS.things.items() if name != thing}))


async def test_every_route_of_the_service_is_in_its_table(settings: Settings) -> None:
    runtime = Runtime(SERVICE, settings)
    create_service_api(runtime)
    await runtime.close()


@pytest.mark.parametrize("thing", list(ACCESS.things))
async def test_the_service_does_not_come_up_without_a_line_of_its_table(thing: str, settings: Settings) -> None:
    runtime = Runtime(without(SERVICE, thing), settings)
    with pytest.raises(NotInTheTable, match=f" {thing}\\)"):
        create_service_api(runtime)
    await runtime.close()


@pytest.mark.usefixtures("settings")
def test_its_process_ends_and_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(without(SERVICE, "plan"), ["api"]) == 1
    told = capfd.readouterr()
    assert "POST /goals/v1/plans (propose plan)" in told.out + told.err
