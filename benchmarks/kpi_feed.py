"""How fast are measured figures taken from Kafka, and how soon do bound goals stand where they should, to the digit?

`python -m benchmarks kpi_feed --full`: 100,000 records on `kpi.measurements`, through one api and one worker process.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import asyncpg
import httpx

from benchmarks.measuring import Series
from benchmarks.processes import issuing, role, settings_of
from benchmarks.question import Answer, Asked, Question
from launcher.processes import TOPICS
from launcher.topic_creation import create_topics
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.identifiers import derived, uuid7
from shared.eventsourcing.kafka import Kafka
from shared.people.projection import apply
from shared.runtime.caller import Role
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers
from shared.schemas.identifiers import PersonId
from shared.schemas.kpi_measurements import TOPIC, MeasurementReported
from shared.schemas.people import EmploymentStatus, PersonRecord

_RECORDS: Final = 100_000
_KPIS: Final = 50
_DAYS: Final = 181
_OWNER: Final = PersonId(derived("person", "benchmark"))
_FIGURE: Final = Decimal(1).scaleb(-6)
_LONGEST_SECONDS: Final = 1_200.0


@dataclass(frozen=True, slots=True)
class Watched:
    """A KPI with the goal that is bound to it."""

    code: str
    ratio: bool
    goal: str


async def answer(asked: Asked) -> Answer:
    """Every record is published before the worker starts, so that nothing but the service is measured."""
    servers = asked.servers
    await create_topics(servers.broker.bootstrap, TOPICS)
    async with servers.service_databases("goals") as databases, issuing(asked.folder) as issuer:
        settings = settings_of(servers, databases, issuer, kafka=True)
        url = servers.postgres.url(databases[0])
        await _owner(url)
        async with role("goals", "api", settings, asked.folder) as api:
            kpis = await _all_watched(f"http://127.0.0.1:{api.port}/goals/v1", issuer.token(_OWNER, Role.HR))
        figures = _figures(kpis, asked.size(_RECORDS), random.Random(asked.seed))
        await _publish(servers.kafka, figures)
        measuring = asyncio.create_task(_measured(kpis, figures, url))
        async with role("goals", "worker", settings, asked.folder):
            return await measuring


async def _all_watched(base: str, token: str) -> list[Watched]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as client:
        return [await _watched(client, number) for number in range(_KPIS)]


async def _measured(kpis: Sequence[Watched], figures: Sequence[MeasurementReported], url: str) -> Answer:
    """From when the worker is started, since it reads the feed while it becomes ready."""
    expected, connection = _expected(kpis, figures), await asyncpg.connect(url.replace("+asyncpg", ""))
    began, rates = time.monotonic(), list[Series]()

    async def reached(name: str, there: Callable[[], Awaitable[bool]]) -> None:
        while not await there():
            if time.monotonic() - began > _LONGEST_SECONDS:
                raise RuntimeError(f"not within {_LONGEST_SECONDS:.0f} s: {name}")
            await asyncio.sleep(0.1)
        rates.append(Series(name, "measurements/s", (len(figures) / (time.monotonic() - began),)))

    async def taken() -> bool:
        return await connection.fetchval("select count(*) from kpi_measurements_taken") == len(figures)

    async def moved() -> bool:
        rows = await connection.fetch("select goal, value from goal_tree where value is not null")
        return {str(row["goal"]): row["value"] for row in rows} == expected

    async def shown() -> bool:
        return await connection.fetchval("select count(*) from kpi_measurements") == len(figures)

    await reached("taken from Kafka and stored", taken)
    await reached("until every bound goal is right to the last digit", moved)
    await reached("until the series show them all", shown)
    moves = await connection.fetchval("select count(*) from events where type like '%GoalProgressRecorded%'")
    parked = await connection.fetchval("select count(*) from dead_letters")
    await connection.close()
    return Answer(
        series=rates,
        comparisons=[],
        sizes={"measurements": len(figures), "kpis": len(kpis), "goal events": moves, "dead letters": parked},
        notes=[f"{len(expected)} bound goals are equal to the last digit to what this program works out in integers."],
    )


async def _owner(url: str) -> None:
    record = PersonRecord(
        person=_OWNER,
        revision=1,
        employee_number="1",
        given_name=None,
        family_name="Owner",
        email=None,
        manager=None,
        team=None,
        legal_entity="one",
        pay_group="one",
        country="DE",
        job_title=None,
        hired_on=datetime(2020, 1, 1, tzinfo=UTC).date(),
        left_on=None,
        status=EmploymentStatus.ACTIVE,
    )
    engine = create_engine(url)
    async with engine.begin() as connection:
        await apply(connection, [(_OWNER, record)])
    await engine.dispose()


async def _watched(client: httpx.AsyncClient, number: int) -> Watched:
    """Every other KPI is a ratio; its goal stands by the ratio of sums, the others' by the sum, of half a year."""
    ratio, code = number % 2 == 0, f"kpi-{number}"
    kind: dict[str, Any] = {"kind": "ratio", "per": "100"} if ratio else {"kind": "number"}
    aggregation = "ratio-of-sums" if ratio else "sum"
    common = {"direction": "rising", "aggregation": aggregation, "owner": str(_OWNER), "source": "benchmark"}
    defined = await client.post("/kpis", json={"code": code, "name": code, **kind, **common})
    goal = {
        "level": "organization",
        "owner": str(_OWNER),
        "title": code,
        "metric": {"kind": "number", "start": "0", "target": "95"},
        "starts_on": "2026-01-01",
        "ends_on": "2026-06-30",
    }
    made = await client.post("/goals", json=goal)
    bound = await client.post(
        f"/goals/{made.json()['id']}/bind", json={"kpi": defined.json()["id"], "aggregation": aggregation}
    )
    bound.raise_for_status()
    return Watched(code, ratio, made.json()["id"])


def _figures(kpis: Sequence[Watched], count: int, drawn: random.Random) -> list[MeasurementReported]:
    return [_figure(kpis[n % len(kpis)], n, drawn) for n in range(count)]


def _figure(kpi: Watched, number: int, drawn: random.Random) -> MeasurementReported:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=drawn.randrange(_DAYS), seconds=drawn.randrange(86_400))
    figures: dict[str, Any] = {"value": Decimal(drawn.randrange(-10_000, 1_000_000)).scaleb(-4)}
    if kpi.ratio:
        whole = drawn.randrange(1, 500)
        figures = {"numerator": Decimal(drawn.randrange(whole + 1)), "denominator": Decimal(whole)}
    return MeasurementReported(
        measurement_id=f"m-{number}", kpi=kpi.code, measured_at=at, source="benchmark", **figures
    )


def _expected(kpis: Sequence[Watched], figures: Sequence[MeasurementReported]) -> dict[str, Decimal]:
    """Worked out here in another way than the service does: in integers."""
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for figure in figures:
        sums[figure.kpi][0] += figure.numerator if figure.numerator is not None else figure.value or 0
        sums[figure.kpi][1] += figure.denominator or 0
    return {kpi.goal: _value(kpi, *sums[kpi.code]) for kpi in kpis if kpi.code in sums}


def _value(kpi: Watched, total: Decimal, whole: Decimal) -> Decimal:
    if not kpi.ratio:
        return total
    scaled, divisor = int(total) * 10**8, int(whole)
    return (Decimal((2 * scaled + divisor) // (2 * divisor)).scaleb(-6)).quantize(_FIGURE, rounding=ROUND_HALF_UP)


async def _publish(kafka: Kafka, figures: Sequence[MeasurementReported]) -> None:
    producer = kafka.producer()
    await producer.start()
    try:
        for figure in figures:
            headers = feed_headers(
                figure, identity=uuid7(), source="/benchmark", subject=figure.kpi, time=figure.measured_at
            )
            await producer.send(TOPIC, encode(figure).encode(), key=figure.kpi.encode(), headers=headers)
        await producer.flush()
    finally:
        await producer.stop()


QUESTION: Final = Question("kpi_feed", "How fast are measured figures taken from Kafka, and bound goals right?", answer)
