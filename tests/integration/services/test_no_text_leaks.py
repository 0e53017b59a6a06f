"""No text that a person sent is in a log line, a metric, a dead letter's cause, or an answer to anybody else."""

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
import structlog
from joserfc import jwt
from sqlalchemy import text

from launcher.issuer.signing_keys import ALGORITHM, SigningKeys
from services.reviews.reactions import take_frozen_goals_when_they_come
from shared.eventsourcing.feed import FeedReader, FeedRecord
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.reactor import Reactor
from shared.people.feed import PEOPLE_FEED
from shared.runtime.caller import Role
from shared.runtime.logging import configure_logging
from shared.runtime.metrics import Metrics
from shared.runtime.service import Service
from shared.runtime.worker import Worker
from shared.schemas import people
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers
from shared.schemas.identifiers import PersonId, ReviewId
from tests.integration.people.company import record
from tests.integration.services.marked import Marks, Operation, operations, spoilt, valid
from tests.integration.services.reviews.company import frozen
from tests.integration.services.reviews.published import history
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, RunningService, running
from tests.unit.services.rewards.examples import MATRIX, NOW

HEAD, LEAD, REPORT, STRANGER = (PersonId(derived("person", name)) for name in ("head", "lead", "report", "stranger"))
EVERY_ROLE: Final = tuple(Role)
_HEADERS: Final = (
    *("If-Match", "Idempotency-Key", "Consistency-Token", "X-Correlation-Id", "traceparent", "tracestate", "baggage"),
    *("User-Agent", "Content-Type", "Accept", "Authorization", "X-Anything", "Cookie", "Origin"),
)
_NEVER_ACCEPTED: Final = {
    "/rewards/v1/rewards/{reward}/reject",
    "/rewards/v1/rewards/{reward}/adjust",
    "/goals/v1/goals/{goal}/carry-over",  # all dates are the same day, and it starts after the one before
    "/goals/v1/kpis/{kpi}/measurements",  # of a number and of a ratio at once, or of neither
    "/goals/v1/goals/{goal}/target",  # the goal is made without a metric
    "/goals/v1/goals/{goal}/cancel",  # the agreed plan holds it by then
    "/goals/v1/plans/{plan}/amendments",  # what is made up changes nothing that was agreed
    "/goals/v1/plans/{plan}/amendments/{amendment}/return",  # likewise, there is none to send back
}


@dataclass(slots=True)
class Surroundings:
    """A service whose logs are kept, and what was sent to it."""

    service: RunningService
    logged: io.StringIO
    marks: Marks = field(default_factory=Marks)
    ids: dict[str, str] = field(default_factory=lambda: {"person": str(REPORT), "owner": str(REPORT), "identity": "1"})
    accepted: set[str] = field(default_factory=set[str])

    @property
    def operations(self) -> list[Operation]:
        return operations(self.service.app.openapi())

    def path(self, operation: Operation) -> str:
        ids = self.ids | ({"goal": self.ids.get("a goal to grade", "")} if operation.path.endswith("/grade") else {})
        named = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], str(STRANGER)), operation.path)
        return named.removeprefix(self.service.runtime.service.base_path)

    async def told(self) -> str:
        """Everything that is told to others: logs, metrics, causes of dead letters."""
        runtime = self.service.runtime
        metrics = Metrics(runtime, Worker(runtime, exit_process=lambda: None))
        exposed = (await metrics.exposition()).written("text/plain")[0].decode()
        async with self.service.client(LEAD, Role.ADMIN) as client:
            listed = (await client.get("/admin/dead-letters", params={"limit": 100})).text
        async with runtime.engine.connect() as connection:
            causes = [str(row) for row in await connection.execute(text("select message, cause from dead_letters"))]
        return "\n".join([self.logged.getvalue(), exposed, listed, *causes])

    async def leaked(self) -> list[str]:
        return self.marks.found_in(await self.told())


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged on the level that tells most, as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging(service="tests", level="DEBUG")
    kept = io.StringIO()
    handler: Any = root.handlers[0]
    handler.setStream(kept)
    yield kept
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture(scope="module", params=["goals", "feedback", "reviews", "rewards"])
def service(request: pytest.FixtureRequest) -> Service:
    return import_module(f"services.{request.param}.app").SERVICE


@pytest.fixture(scope="module")
async def databases(service: Service, postgres: Postgres) -> AsyncIterator[MigratedDatabases]:
    migrated = await MigratedDatabases.of(service, postgres)
    yield migrated
    await migrated.drop()


@pytest.fixture
async def around(
    service: Service, issuer: Issuer, databases: MigratedDatabases, logged: io.StringIO
) -> AsyncIterator[Surroundings]:
    async with running(service, issuer, databases) as started:
        await started.knows([record(HEAD), record(LEAD, HEAD), record(REPORT, LEAD)])
        yield Surroundings(started, logged)


async def send(around: Surroundings, client: httpx.AsyncClient, operation: Operation, body: Any) -> httpx.Response:
    content = operation.file if body is None else json.dumps(body)
    return await client.request(operation.method, around.path(operation), content=content, headers=as_json())


async def send_valid(around: Surroundings) -> list[tuple[Operation, httpx.Response]]:
    """A valid body to every operation; what is made first is what the next ones speak of."""
    answers: list[tuple[Operation, httpx.Response]] = []
    passed_on = (REPORT, LEAD, HEAD, REPORT)  # as a review is, from one to the next
    for turn, person in enumerate(passed_on, start=1):
        async with around.service.client(person, *EVERY_ROLE) as client:
            for operation in around.operations:
                if operation.path.endswith(("/erase", "/rebuild", "/log/fork")):
                    continue
                if operation.ends_something and turn < len(passed_on):
                    continue
                for whole in (False, True):
                    body = body_of(operation, around, whole=whole)
                    answer = await send(around, client, operation, body)
                    answers.append((operation, answer))
                    if answer.is_success and operation.method == "POST":
                        around.accepted.add(operation.path)
                        remember(around, operation, body, answer)
                        await around.service.delivery.deliver()
                        await add_to(around, operation, client)
    return answers


async def add_to(around: Surroundings, operation: Operation, client: httpx.AsyncClient) -> None:
    """What the others need besides: a goal that can be graded, and the evidence that an assessment waits for."""
    if operation.path == "/goals/v1/goals" and "a goal to grade" not in around.ids:
        body = body_of(operation, around, whole=False) | {"objective": "committed"}
        around.ids["a goal to grade"] = (await send(around, client, operation, body)).json()["id"]
    if operation.path.endswith("/self-assessment"):
        await freeze_evidence(around)


async def freeze_evidence(around: Surroundings) -> None:
    review, handler = UUID(around.ids["review"]), around.service.runtime.handler
    events = history("goalevidence", review, frozen(ReviewId(review), REPORT))
    async with handler.store.engine.begin() as connection:
        committed = await Reactor(take_frozen_goals_when_they_come.REACTION, handler).apply(connection, events)
    if committed is not None:
        committed()


def body_of(operation: Operation, around: Surroundings, *, whole: bool = True) -> Any:
    body = valid(operation, around.marks, around.ids, whole=whole)
    if isinstance(body, dict) and "matrix" in body:
        body["matrix"] = MATRIX.model_dump(mode="json")
    return body


def remember(around: Surroundings, operation: Operation, body: Any, answer: httpx.Response) -> None:
    """The id of what was made, under the name that paths and bodies give it."""
    made = answer.json()
    if "{" not in operation.path and "id" in made:
        name = operation.path.rpartition("/")[2].replace("-", "_").removesuffix("s")
        around.ids.setdefault(name, made["id"])
    if operation.path == "/reviews/v1/cycles":
        around.ids.setdefault("section", body["policy"]["sections"][0]["name"])
        around.ids.setdefault("review", str(derived("review", made["id"], REPORT)))


async def test_no_endpoint_tells_others_what_is_valid(around: Surroundings) -> None:
    answers = await send_valid(around)
    refused = [(o.path, a.text) for o, a in answers if a.status_code in {400, 415, 422, 500}]
    assert refused == [], "the generated bodies are to be valid"
    texts = {operation.path for operation in around.operations if operation.takes_text()}
    assert {path for path in texts - around.accepted if "/admin/" not in path} <= _NEVER_ACCEPTED
    assert len(around.marks.sent) >= len(texts)
    assert await around.leaked() == []
    assert around.marks.worded_in(await refusals_of_a_stranger(around)) == []
    async with around.service.runtime.engine.begin() as connection:
        await connection.execute(text("alter table events add constraint full_up check (false) not valid"))
    await send_valid(around)
    assert "CheckViolationError: sqlstate 23514" in await around.told(), "PostgreSQL's own message would quote the row"
    assert await around.leaked() == []


async def refusals_of_a_stranger(around: Surroundings) -> str:
    """Every problem document that somebody else is answered, who asks for the same things."""
    theirs = Surroundings(around.service, around.logged, Marks({"": ""}), around.ids)
    async with around.service.client(STRANGER) as client:
        asked = [await send(around, client, o, body_of(o, theirs)) for o in around.operations]
    problems = [answer.text for answer in asked if answer.status_code >= 400]
    assert problems
    return "\n".join(problems)


async def test_no_endpoint_tells_others_what_is_not_valid(around: Surroundings) -> None:
    async with around.service.client(LEAD, *EVERY_ROLE) as client:
        for operation in around.operations:
            place, path = f"{operation.method} {operation.path}", around.path(operation)
            for body in spoilt(body_of(operation, around), around.marks, f"{place} body"):
                await send(around, client, operation, body)
            mark = around.marks.of(f"{place} elsewhere")
            await client.request(operation.method, path, content=f"{{{mark}", headers={"Content-Type": "text/plain"})
            await client.request(operation.method, path, content=f'{{"{mark}": "{mark}', headers=as_json())
            await client.request(operation.method, path, content=mark.encode("utf-16"), headers=as_json())
            await client.request(mark, path)
            for name in [*operation.parameters("query"), mark]:
                await client.request(operation.method, path, params={name: f"{mark} \x00"})
                await client.request(operation.method, path, params={name: mark})
            base = around.service.runtime.service.base_path
            await client.request(operation.method, re.sub(r"\{\w+\}", mark, operation.path).removeprefix(base))
        await client.get(f"/{around.marks.of('a path that is none')}")
        await send_headers(around, client)
    assert len(around.marks.sent) > 100
    assert await around.leaked() == []


def as_json() -> dict[str, str]:
    return {"Content-Type": "application/json"}


async def send_headers(around: Surroundings, client: httpx.AsyncClient) -> None:
    """Every header that somebody reads, and tokens whose every claim is a marker."""
    marks = around.marks
    command = next(o for o in around.operations if o.method == "POST" and "{" not in o.path and o.body is not None)
    for name in _HEADERS:
        mark = marks.of(f"header {name}")
        for value in (mark, f"Bearer {mark}", f'"{mark}"'):
            headers = as_json() | {name: value}
            body = json.dumps(body_of(command, around))
            await client.post(around.path(command), content=body, headers=headers)
            await client.get(around.path(command), headers=headers)
    for headers in tokens(around):
        await client.get(around.path(command), headers={"Authorization": f"Bearer {headers}"})


def tokens(around: Surroundings) -> Iterator[str]:
    """Signed by the issuer's key, each with one claim, or the key's name, that is not as it should be."""
    issuer, marks = around.service.issuer, around.marks
    key = SigningKeys(issuer.folder).newest()
    good: dict[str, Any] = {"iss": issuer.name, "aud": "trellis", "sub": str(LEAD), "exp": 4_000_000_000}
    for claim in (*good, "nbf", "iat", "roles", "name"):
        for value in (marks.of(f"claim {claim}"), [marks.of(f"claim {claim}")], {marks.of("claim"): 1}):
            yield jwt.encode({"alg": ALGORITHM, "kid": key.kid}, good | {claim: value}, key, algorithms=[ALGORITHM])
    yield jwt.encode({"alg": ALGORITHM, "kid": marks.of("kid")}, good, key, algorithms=[ALGORITHM])


async def test_the_people_feed_tells_nobody_of_people(around: Surroundings) -> None:
    runtime, marks = around.service.runtime, around.marks
    texts = ("given_name", "family_name", "email", "team", "job_title", "employee_number", "legal_entity", "pay_group")
    marked: dict[str, Any] = {name: marks.of(f"people {name}") for name in texts}
    known = record(REPORT, revision=7, **marked)
    good = json.loads(encode(known))
    values = [
        json.dumps(good),
        *(json.dumps(good | {name: {marks.of(f"key of {name}"): marks.of(f"wrong {name}")}}) for name in good),
        marks.of("no JSON"),
        json.dumps({marks.of("unknown"): marks.of("unknown value")}),
    ]
    headers = feed_headers(known, identity=derived("person", 1), source="/hr", subject=str(REPORT), time=NOW)
    records = [FeedRecord(people.TOPIC, 0, n, b"k", value.encode(), headers) for n, value in enumerate(values)]
    reader = FeedReader(runtime.engine, runtime.kafka, PEOPLE_FEED)
    await reader._apply(records)  # pyright: ignore[reportPrivateUsage] - as if they had been read
    async with runtime.engine.begin() as connection:
        parked = (await connection.execute(text("select count(*) from dead_letters"))).scalar_one()
        await connection.execute(text("alter table people add constraint full_up check (false) not valid"))
    assert parked > len(texts)
    again = [FeedRecord(people.TOPIC, 1, n, b"k", value.encode(), headers) for n, value in enumerate(values)]
    await reader._apply(again)  # pyright: ignore[reportPrivateUsage] - likewise
    assert "feed.parked" in await around.told()
    assert await around.leaked() == []
