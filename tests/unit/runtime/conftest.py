"""A running development issuer, tokens of its, and a small API behind the gate."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI
from pydantic import Field

from launcher.issuer.application import issuer_app
from launcher.issuer.name import AUDIENCE, ISSUER
from launcher.token import issue_token
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.eventsourcing.errors import Conflict, KeyReused, NotCaughtUp, VersionMismatch
from shared.eventsourcing.handler import Outcome
from shared.runtime.api import create_api
from shared.runtime.authentication import Authenticator, IssuerKeys
from shared.runtime.authorization import READ, AccessTable, Permissions, Relation, needs
from shared.runtime.caller import Role
from shared.runtime.http import AtEdge, CommandAnswer
from shared.runtime.logging import configure_logging, logger
from shared.runtime.pagination import AskedPage, Page
from shared.schemas.identifiers import PersonId
from shared.schemas.money import Money
from shared.schemas.values import DecimalString, LongText, ShortText
from tests.servers.issuer import serving

PERSON = PersonId(UUID("0199a1b2-0000-7000-8000-000000000103"))
GOAL = UUID("0199a1b2-0000-7000-8000-000000000001")


_ALL = {(Role.EMPLOYEE, Relation.ANY)}
ACCESS = AccessTable({"bonus": {"": Permissions({"set": _ALL})}, "number": {"": Permissions({READ: _ALL})}})


class SetBonusBody(RequestBody):
    title: ShortText
    target: DecimalString
    amount: Money
    starts_on: date
    note: LongText | None = None
    plain: Annotated[str, Field(max_length=50)] = ""


class Active:
    """A state; its name is the answer's."""


FAILURES: dict[str, Exception] = {
    "conflict": Conflict("goal-1"),
    "version": VersionMismatch("goal-1", expected=1, actual=2),
    "key": KeyReused("k-1"),
    "behind": NotCaughtUp("goal_tree", partition=1, wanted=9, reached=4),
    "database": ConnectionRefusedError("port 5432"),
    "unforeseen": RuntimeError("secret inside"),
}


def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/bonuses/{bonus}/set")
    @needs("bonus", "set")
    async def set_bonus(bonus: UUID, body: SetBonusBody, edge: AtEdge) -> CommandAnswer:
        if body.title == "forbidden":
            raise Rejected("weights-must-total-100", total=body.target, owner=edge.caller.person, why="x" * 200)
        outcome = Outcome(
            identity=bonus,
            stream=f"bonus-{bonus}",
            version=3,
            state=Active(),
            position=77,
            partitions=12,
            answer=edge.describe(lambda _state: ["cancel"])(bonus, 3, Active()),
        )
        return edge.accepted(outcome, location=f"/tests/v1/bonuses/{bonus}")

    @router.get("/numbers")
    @needs("number", READ)
    async def numbers(page: AskedPage) -> Page[int]:
        after = page.after(tuple[int])
        rows = [n for n in range(1, 8) if after is None or n > after[0]][: page.limit + 1]
        return page.of(rows, key=lambda n: (n,), item=lambda n: n)

    @router.get("/edge")
    @needs("number", READ)
    async def edge_seen(edge: AtEdge, only: str | None = None) -> dict[str, object]:
        key = edge.context.idempotency
        return {
            "only": only,
            "person": str(edge.caller.person),
            "roles": sorted(edge.caller.roles),
            "correlation": str(edge.context.correlation_id),
            "traceparent": edge.context.traceparent,
            "consistency": dict(edge.consistency),
            "expected": edge.context.expected_version,
            "key": [key.caller, key.route, key.key, key.request_hash.hex()] if key else None,
        }

    @router.get("/fails/{how}")
    @needs("number", READ)
    async def fails(how: str) -> None:
        logger("tests").warning("about to fail", how=how)
        raise FAILURES[how]

    return router


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Logs as a service writes them, and afterwards as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging(service="tests")
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
async def issuer(folder: Path) -> AsyncIterator[str]:
    async with serving(issuer_app(folder)) as address:
        yield address


@pytest.fixture(scope="session")
def authenticator(issuer: str) -> Authenticator:
    return Authenticator(issuer=ISSUER, audience=AUDIENCE, keys=IssuerKeys(f"{issuer}/jwks.json"))


@pytest.fixture(scope="session")
def not_ready() -> list[str]:
    return []


@pytest.fixture(scope="session")
def app(authenticator: Authenticator, not_ready: list[str]) -> FastAPI:
    async def ready() -> list[str]:
        return not_ready

    return create_api(
        title="Tests",
        description="Every kind of answer.",
        base_path="/tests/v1",
        routers=[routes()],
        access=ACCESS,
        authenticator=authenticator,
        ready=ready,
        largest_body=20_000,
    )


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.fixture
def client(stranger: httpx.AsyncClient, token: Callable[..., str]) -> httpx.AsyncClient:
    """A client that sends an employee's token."""
    stranger.headers["Authorization"] = f"Bearer {token()}"
    return stranger


@pytest.fixture
def token(folder: Path) -> Callable[..., str]:
    def issue(person: PersonId = PERSON, roles: Iterable[Role] = (Role.EMPLOYEE,)) -> str:
        return issue_token(folder, person, roles)

    return issue
