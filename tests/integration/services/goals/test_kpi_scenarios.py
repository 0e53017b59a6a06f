"""Two companies' KPIs on real servers, each a process: a support team's quarter, and a project."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from launcher.brokers.broker import Broker
from services.goals.app import SERVICE
from shared.eventsourcing.identifiers import derived
from shared.runtime.caller import Role
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers
from shared.schemas.kpi_measurements import TOPIC, MeasurementReported
from tests.integration.eventsourcing.running import kafka_of, until
from tests.integration.people.company import record
from tests.integration.services.goals.conftest import CLARA, HUGO
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.processes import ready_to_start

pytestmark = pytest.mark.kafka
QUARTER = {"starts_on": "2026-01-01", "ends_on": "2026-03-31"}


@dataclass(frozen=True, slots=True)
class Running:
    """The service's processes, a manager as their client, and the broker that other systems publish to."""

    hugo: httpx.AsyncClient
    broker: Broker

    async def asked(self, path: str, body: dict[str, Any]) -> str:
        """The id in the answer to an accepted command."""
        answer = await self.hugo.post(path, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["id"]

    async def goal(self, title: str, metric: dict[str, Any] | None, **said: Any) -> str:
        team = {"level": "team", "team": "Support", "owner": str(HUGO), "title": title, "metric": metric}
        return await self.asked("/goals", {**team, **QUARTER, **said})

    async def kpi(self, code: str, **said: Any) -> str:
        usual = {"name": code, "kind": "number", "direction": "rising", "owner": str(HUGO), "source": "elsewhere"}
        return await self.asked("/kpis", {"code": code, **usual, **said})

    async def stands(self, goal: str, *, value: str | None, progress: str) -> None:
        """The goal comes to stand there, and stays."""

        async def there() -> bool:
            shown = (await self.hugo.get(f"/goals/{goal}")).json()
            return (shown.get("value"), shown.get("progress")) == (value, progress)

        await until(there, seconds=60, what=f"{goal} at {value}, {progress} %")

    async def publish(self, figures: Sequence[MeasurementReported]) -> None:
        producer = kafka_of(self.broker).producer()
        await producer.start()
        for figure in figures:
            headers = feed_headers(
                figure,
                identity=derived(figure.measurement_id),
                source="/tickets",
                subject=figure.kpi,
                time=figure.measured_at,
            )
            await producer.send(TOPIC, encode(figure).encode(), key=figure.kpi.encode(), headers=headers)
        await producer.stop()


@pytest.fixture
async def running(postgres: Postgres, kafka: Broker, issuer: Issuer, tmp_path: Path) -> AsyncIterator[Running]:
    people = [record(CLARA), record(HUGO, CLARA)]
    async with ready_to_start(SERVICE, people, postgres=postgres, kafka=kafka, issuer=issuer, log=tmp_path) as service:
        both = await service.start("all")
        async with _client(f"{both.url}/goals/v1", issuer) as hugo:
            yield Running(hugo, kafka)


@asynccontextmanager
async def _client(base: str, issuer: Issuer) -> AsyncGenerator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {issuer.token(HUGO, [Role.MANAGER])}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as client:
        yield client


def tickets(name: str, day: datetime, within: int, every: int, **said: Any) -> MeasurementReported:
    counts = {"numerator": Decimal(within), "denominator": Decimal(every)}
    what: dict[str, Any] = {"kpi": "support.tickets-within-24h", "measured_at": day, "source": "ticket system"}
    return MeasurementReported(measurement_id=name, **what, **counts, **said)


async def test_customer_support_answers_95_percent_of_tickets_within_24_hours_for_the_quarter(running: Running) -> None:
    kpi = await running.kpi(
        "support.tickets-within-24h",
        kind="ratio",
        unit="%",
        per="100",
        aggregation="ratio-of-sums",
        target="95",
        thresholds={"on_track": "95", "at_risk": "90"},
    )
    goal = await running.goal(
        "95 % of tickets within 24 hours", {"kind": "percent", "start": "80", "target": "95", "unit": "%"}
    )
    await running.asked(f"/goals/{goal}/bind", {"kpi": kpi, "aggregation": "ratio-of-sums"})

    drawn, days = Random(3), [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(90)]
    counts = [(drawn.randrange(70, 101), drawn.choice([100, 100, 400])) for _ in days]
    await running.publish([tickets(f"day-{n}", day, *counts[n]) for n, day in enumerate(days)])
    within, every = (sum(column) for column in zip(*counts, strict=True))
    await _stands_at(running, goal, kpi, within, every, measurements=90)

    # the ticket system counted three days wrong, and says so; a quiet Sunday out of the quarter counts nowhere
    corrected = [tickets(f"again-{n}", days[n], counts[n][1], counts[n][1], corrects=f"day-{n}") for n in (5, 50, 89)]
    await running.publish([*corrected, tickets("april", days[-1] + timedelta(days=3), 0, 1)])
    within += sum(counts[n][1] - counts[n][0] for n in (5, 50, 89))
    await _stands_at(running, goal, kpi, within, every, measurements=90)

    by_hand = await running.hugo.post(f"/goals/{goal}/progress", json={"value": "95"})
    assert (by_hand.status_code, by_hand.json()["rule"]) == (409, "goal-is-bound-to-a-kpi")
    await running.asked(f"/kpis/{kpi}/target", {"target": "98", "thresholds": None, "reason": "new-contract"})
    assert (await running.hugo.get(f"/goals/{goal}")).json()["metric"]["target"] == "95"


async def _stands_at(running: Running, goal: str, kpi: str, within: int, every: int, *, measurements: int) -> None:
    exact = Decimal(within) * 100 / Decimal(every)
    value = exact.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP).normalize()
    progress = ((value - 80) / 15 * 100).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    await running.stands(goal, value=f"{value:f}", progress=f"{min(max(progress, Decimal(0)), Decimal(100)):.2f}")
    course = (await running.hugo.get(f"/kpis/{kpi}/series", params={"by": "quarter", "to": "2026-03-31"})).json()
    assert [(point["starts_on"], point["value"]) for point in course["points"]] == [("2026-01-01", f"{value:f}")]
    assert course["measurements"] == measurements


BILLS = """kpi,id,measured_at,numerator,denominator,source
project.budget,january,2026-01-31,90000,100000,ledger
project.budget,february,2026-02-28,130000,100000,ledger
"""


async def test_a_project_stands_by_its_milestones_its_budget_and_its_customers(running: Running) -> None:
    milestones = await running.kpi("project.milestones", aggregation="sum", target="8")
    budget = await running.kpi(
        "project.budget",
        kind="ratio",
        unit="%",
        per="100",
        direction="falling",
        aggregation="ratio-of-sums",
        target="100",
        thresholds={"on_track": "100", "at_risk": "110"},
    )
    satisfaction = await running.kpi("project.satisfaction", aggregation="mean", target="4.5")
    project = await running.goal("The new shop is open", None)
    done = await running.goal("Milestones", {"kind": "milestones", "target": "8"}, parent=project, weight="1")
    kept = await running.goal(
        "Budget", {"kind": "percent", "start": "120", "target": "100", "unit": "%"}, parent=project, weight="2"
    )
    liked = await running.goal(
        "Satisfaction", {"kind": "number", "start": "3", "target": "4.5"}, parent=project, weight="1"
    )
    for goal, kpi, aggregation in (
        (done, milestones, "sum"),
        (kept, budget, "ratio-of-sums"),
        (liked, satisfaction, "mean"),
    ):
        await running.asked(f"/goals/{goal}/bind", {"kpi": kpi, "aggregation": aggregation})

    reached = [_figure("project.milestones", f"milestone-{n}", f"2026-02-0{n}", "1") for n in range(1, 7)]
    asked = [_figure("project.satisfaction", f"answer-{n}", "2026-02-10", grade) for n, grade in enumerate("434")]
    told = (await running.hugo.post("/kpis/measurements", json={"measurements": [*reached, *asked]})).json()
    assert (told["recorded"], told["refused"]) == (9, 0)
    bills = await running.hugo.post("/kpis/measurements/csv", content=BILLS, headers={"Content-Type": "text/csv"})
    assert bills.json()["recorded"] == 2
    await running.stands(done, value="6", progress="75.00")
    await running.stands(kept, value="110", progress="50.00")
    await running.stands(liked, value="3.666667", progress="44.44")
    await running.stands(project, value=None, progress="54.86")

    # a bill of February was booked twice, and half a milestone is none
    credit = {"measured_at": "2026-02-28T00:00:00Z", "numerator": "110000", "denominator": "100000", "source": "ledger"}
    await running.asked(f"/kpis/{budget}/measurements", {"id": "february-b", "corrects": "february", **credit})
    half = _figure("project.milestones", "half", "2026-02-20", "0.5")
    await running.asked(f"/kpis/{milestones}/measurements", {k: v for k, v in half.items() if k != "kpi"})
    await running.stands(kept, value="100", progress="100.00")
    await running.stands(done, value="6", progress="75.00")
    await running.stands(project, value=None, progress="79.86")
    status = (await running.hugo.get(f"/kpis/{budget}/series", params={"by": "month"})).json()
    assert [point["status"] for point in status["points"]] == ["on-track", "at-risk"]


def _figure(kpi: str, name: str, day: str, value: str) -> dict[str, str]:
    return {"kpi": kpi, "id": name, "measured_at": f"{day}T12:00:00Z", "value": value, "source": "elsewhere"}
