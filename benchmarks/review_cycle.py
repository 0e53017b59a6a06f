"""How fast a review cycle is opened over a company, beside the same events appended raw, and what a kill leaves."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import asyncpg

from benchmarks.http_client import Answered, connected
from benchmarks.measuring import Contender, Series, compared, take_turns
from benchmarks.processes import Running, issuing, ran, role, settings_of
from benchmarks.progress_load import engine_of
from benchmarks.question import Answer, Asked, Question
from benchmarks.settling import settled
from launcher.people_generation.company import company
from launcher.people_import.changes import changes
from launcher.people_import.feed import PeopleFeed
from launcher.people_import.roster import Roster
from launcher.processes import TOPICS
from launcher.topic_creation import create_topics
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.schema import install
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from shared.schemas.people import PersonRecord
from shared.schemas.reviews import TOPIC

_UNIT: Final = "events/s"
_AT_ONCE: Final = 1_000
"""Events to a raw statement."""
_CONNECTIONS: Final = 3
"""That the raw appends share: as many as the opening uses."""
_TIMES: Final = 3
"""As many raw events as an opening's: a second of them says more than a tenth."""
_LOOK_AGAIN_SECONDS: Final = 0.02
_OPENED: Final = """select count(*), count(distinct data::jsonb ->> 'person') from events
                     where type = 'trellis.reviews.ReviewOpened.v1' and data::jsonb ->> 'cycle' = $1"""
_POLICY: Final[dict[str, Any]] = {
    "version": "enterprise-1",
    "sections": [{"name": "goals", "weight": "60"}, {"name": "competencies", "weight": "40"}],
    "levels": [
        {"name": "below", "minimum": "1"},
        {"name": "meets", "minimum": "3"},
        {"name": "exceeds", "minimum": "4"},
    ],
}
_CYCLE: Final[dict[str, Any]] = {"starts_on": "2026-01-01", "ends_on": "2026-12-31", "policy": _POLICY}


@dataclass(slots=True)
class _Installation:
    """The reviews service over a company; `raw` is the empty store that raw appends go to."""

    settings: dict[str, str]
    asked: Asked
    token: str
    population: int
    data: str
    raw: str
    database: asyncpg.Connection
    shown: list[float] = field(default_factory=list[float])
    steps: list[int] = field(default_factory=list[int])

    def api(self) -> Any:
        return role("reviews", "api", self.settings, self.asked.folder)

    def worker(self) -> Any:
        return role("reviews", "worker", self.settings, self.asked.folder)


async def answered(asked: Asked) -> Answer:
    """One request of HR opens everybody's review: first of an api alone, then beside a worker that reads along."""
    size = asked.size(20_000)
    async with _installed(asked, size) as here:
        async with here.api() as api:
            alone = await _rounds(here, "alone", partial(_opened, here, api), to=here.raw)
            async with here.worker():
                await settled(here.database, TOPIC)
                beside = await _rounds(here, "beside a worker", partial(_opened_and_shown, here, api), to=here.data)
        killed = await _killed_half_way(here)
    shown = Series("until the last review is shown, beside a worker", "s", tuple(here.shown))
    comparisons = [
        compared(f"a cycle over {here.population:,} people, {where}, beside raw merged appends", ours, raw, goal=0.5)
        for where, (ours, raw) in (("api alone", alone), ("with a worker that reads along", beside))
    ]
    steps = f"while it was opened, a query showed {min(here.steps)} to {max(here.steps)} stages between none and all"
    return Answer(
        [*alone, *beside, shown],
        comparisons,
        {"people": here.population, "at_once": _AT_ONCE, "times": _TIMES},
        [steps, killed],
    )


async def _rounds(here: _Installation, where: str, opened: Any, *, to: str) -> list[Series]:
    """`to` is the store that raw appends go to: beside a worker its own, so that it reads along with them, too."""
    contenders = [
        Contender(f"trellis, {where}", _UNIT, opened),
        Contender(f"raw merged appends, {where}", _UNIT, partial(_raw, here, to)),
    ]
    await opened()  # what is loaded, prepared and cached once
    here.shown.clear()
    here.steps.clear()
    return await take_turns(contenders, progress=here.asked.progress, what="review_cycle")


@asynccontextmanager
async def _installed(asked: Asked, size: int) -> AsyncGenerator[_Installation]:
    servers, folder = asked.servers, asked.folder
    async with AsyncExitStack() as stack:
        databases = await stack.enter_async_context(servers.service_databases("reviews"))
        raw = await stack.enter_async_context(servers.database())
        issuer = await stack.enter_async_context(issuing(folder))
        await create_topics(servers.broker.bootstrap, TOPICS)
        async with engine_of(servers.postgres.url(raw)) as engine, engine.begin() as connection:
            await connection.run_sync(install)
        settings = settings_of(servers, databases, issuer, kafka=True)
        database = await asyncpg.connect(servers.postgres.dsn(databases[0]))
        stack.push_async_callback(database.close)
        people = await _hired(asked, size)
        dsn = servers.postgres.dsn
        token = issuer.token(people[0], Role.HR)
        here = _Installation(settings, asked, token, size, dsn(databases[0]), dsn(raw), database)
        async with here.worker():
            await _known(database, len(people))
        yield here


async def _hired(asked: Asked, size: int) -> list[PersonId]:
    """A company of this size, its leavers besides, on the people feed; the head comes first."""
    records = changes(company(size, asked.seed), Roster(), mint=uuid7).records
    await PeopleFeed(asked.servers.kafka).publish(records)
    return [record.person for record in records if isinstance(record, PersonRecord)]


async def _known(database: asyncpg.Connection, people: int) -> None:
    async with asyncio.timeout(60):
        while (await database.fetchval("select count(*) from people") or 0) < people:  # noqa: ASYNC110 - a worker does it
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _opened(here: _Installation, api: Running) -> float:
    """Events a second, from sending the request to its answer."""
    began = time.perf_counter()
    answer = await _ask_to_open(here, api, key=str(uuid7()))
    taken = time.perf_counter() - began
    _require_everybody(here, answer)
    return (here.population + 1) / taken


async def _ask_to_open(here: _Installation, api: Running, *, key: str) -> Answered:
    body = json.dumps({"name": f"Annual review {key}", **_CYCLE}).encode()
    async with connected(api.port) as client:
        return await client.ask("POST", "/reviews/v1/cycles", here.token, body=body, headers={"Idempotency-Key": key})


def _require_everybody(here: _Installation, answer: Answered) -> None:
    if answer.status != HTTPStatus.CREATED or json.loads(answer.body)["population"] != here.population:
        raise RuntimeError(f"{answer.status}: {answer.body!r}")


async def _opened_and_shown(here: _Installation, api: Running) -> float:
    """The same, while somebody looks how far it is, until the query shows every review."""
    began = time.perf_counter()
    watching = asyncio.create_task(_watched(here, api))
    found = await _opened(here, api)
    seen = await watching
    here.shown.append(time.perf_counter() - began)
    here.steps.append(len({count for count in seen if 0 < count < here.population}))
    await settled(here.database, TOPIC)
    return found


async def _watched(here: _Installation, api: Running) -> list[int]:
    """The reviews of the newest cycle, as the list of cycles says, from when it is there until they are complete."""
    seen: list[int] = []
    async with connected(api.port) as client, asyncio.timeout(120):
        known = {one["id"] for one in await _listed(client, here)}
        while not seen or seen[-1] < here.population:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            seen += [one["reviews"] for one in await _listed(client, here) if one["id"] not in known]
    return seen


async def _listed(client: Any, here: _Installation) -> list[dict[str, Any]]:
    answer = await client.ask("GET", "/reviews/v1/cycles?limit=1", here.token)
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"{answer.status}: {answer.body!r}")
    return json.loads(answer.body)["items"]


async def _raw(here: _Installation, to: str) -> float:
    task = {
        "from": here.data,
        "to": to,
        "events": here.population,
        "times": _TIMES,
        "at_once": _AT_ONCE,
        "connections": _CONNECTIONS,
    }
    told = await ran("benchmarks.merged_append", task)
    if to == here.data:
        await settled(here.database, TOPIC)
    return told["events"] / told["seconds"]


async def _killed_half_way(here: _Installation) -> str:
    """SIGKILL while reviews are being opened; the request repeated to another process; then everybody has one.

    Raises:
        RuntimeError: somebody has none, or two.
    """
    key = str(uuid7())
    async with here.api() as api:
        opening = asyncio.create_task(_ask_to_open(here, api, key=key))
        before = await _until_half(here)
        os.kill(api.process.pid, signal.SIGKILL)
        answers = await asyncio.gather(opening, return_exceptions=True)
    if isinstance(answers[0], Answered):
        raise RuntimeError("it was answered before it was killed")  # noqa: TRY004 - no matter of types
    async with here.api() as api, here.worker():
        began = time.perf_counter()
        answer = await _ask_to_open(here, api, key=key)
        taken = time.perf_counter() - began
        _require_everybody(here, answer)
        await _require_one_each(here, json.loads(answer.body)["id"], api)
    return (
        f"killed with {before:,} of {here.population:,} reviews stored and repeated with the same Idempotency-Key: "
        f"answered after {taken:.2f} s, one review each"
    )


async def _until_half(here: _Installation) -> int:
    """How many reviews there are more than before, once they are half of the population."""
    stored = "select count(*) from streams where stream like 'review-%'"
    before, found = await here.database.fetchval(stored) or 0, 0
    async with asyncio.timeout(60):
        while found < here.population // 2:
            found = (await here.database.fetchval(stored) or 0) - before
    return found


async def _require_one_each(here: _Installation, cycle: str, api: Running) -> None:
    ((events, people),) = await here.database.fetch(_OPENED, cycle)
    if (events, people) != (here.population, here.population):
        raise RuntimeError(f"{events} reviews of {people} people were opened over {here.population}")
    await settled(here.database, TOPIC)
    async with connected(api.port) as client:
        shown = json.loads((await client.ask("GET", f"/reviews/v1/cycles/{cycle}", here.token)).body)
    if shown["reviews"] != here.population:
        raise RuntimeError(f"the query shows {shown['reviews']} reviews of {here.population}")


QUESTION: Final = Question("review_cycle", "how fast a review cycle is opened over a whole company", answered)
