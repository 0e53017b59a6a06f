"""The rewards service over HTTP: Clara leads Mira and HR (Hanna, Hugo), Mira leads Ann and Bob; Eve is elsewhere."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from services.rewards.app import SERVICE
from services.rewards.projections import compensation
from services.rewards.reactions.propose_reward_when_review_completed import REACTION
from services.rewards.reactions.record_payroll_answers import payroll_feed
from shared.eventsourcing import dead_letters
from shared.eventsourcing.feed import FeedRecord
from shared.eventsourcing.identifiers import derived, stream_name
from shared.eventsourcing.reactor import Reactor
from shared.eventsourcing.reader import Reader
from shared.runtime.caller import Role
from shared.schemas import payroll, reviews
from shared.schemas.event import Event, encode
from shared.schemas.feed import feed_headers
from shared.schemas.identifiers import PaymentId, PersonId, ReviewCycleId
from shared.schemas.partitions import PARTITIONS
from shared.schemas.people import CompensationRecord, SalaryPeriod
from shared.schemas.reviews import ReviewCompleted
from tests.integration.eventsourcing.records import Log
from tests.integration.people.company import record
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, RunningService, running
from tests.unit.services.rewards.examples import MATRIX, NOW, usd


def person(name: str) -> PersonId:
    return PersonId(derived("person", name))


CLARA, MIRA, ANN, BOB, EVE, HANNA, HUGO, PAT = map(
    person, ("clara", "mira", "ann", "bob", "eve", "hanna", "hugo", "pat")
)
PEOPLE = [
    record(CLARA),
    record(MIRA, CLARA),
    record(ANN, MIRA),
    record(BOB, MIRA),
    record(EVE),
    record(HANNA, CLARA),
    record(HUGO, CLARA),
]
CYCLE = ReviewCycleId(derived("cycle", 2025))
MERIT = "1800.00"
"""What a rating of 4.00 is worth here: 3 % of 60,000."""
BUDGET = {"name": "Merit 2025", "amount": {"amount": "10000.00", "currency": "USD"}}


def program(pool: str, cycle: ReviewCycleId = CYCLE) -> dict[str, Any]:
    return {
        "cycle": str(cycle),
        "name": "Merit 2025",
        "pool": pool,
        "matrix": MATRIX.model_dump(mode="json"),
        "effective_on": "2026-02-01",
        "coverage_start": "2025-01-01",
        "coverage_end": "2025-12-31",
        "pay_date": "2026-02-27",
        "cost_allocation": "CC-1000",
        "policy_version": "2025.1",
    }


def completed(who: PersonId, overall: str | None, cycle: ReviewCycleId, manager: PersonId) -> ReviewCompleted:
    """A review on the scale of 1 to 5; `overall` None: not rated."""
    return ReviewCompleted(
        cycle=cycle,
        person=who,
        manager=manager,
        overall=None if overall is None else Decimal(overall),
        rated=overall is not None,
        level=None,
        scale_minimum=Decimal(1),
        scale_maximum=Decimal(5),
        evidence_hash="0" * 64,
        policy_version="2025.1",
    )


@dataclass(slots=True)
class Company:
    """The service, its people as clients of it, and what the other publishers tell it."""

    service: RunningService
    clara: httpx.AsyncClient
    mira: httpx.AsyncClient
    ann: httpx.AsyncClient
    eve: httpx.AsyncClient
    hanna: httpx.AsyncClient
    hugo: httpx.AsyncClient
    pat: httpx.AsyncClient
    pool: str = ""
    reviews: Log = field(default_factory=lambda: Log(reviews.TOPIC, partitions=PARTITIONS))
    _reaction: Reader = field(init=False)

    def __post_init__(self) -> None:
        runtime = self.service.runtime
        self._reaction = Reader(runtime.engine, SERVICE.types, Reactor(REACTION, runtime.handler))

    async def settled(self) -> None:
        """Every event so far has reached every read model."""
        await self.service.delivery.deliver()

    async def opened(self, budget: str = "10000.00") -> str:
        """The pool of a merit program for the cycle, with this budget in USD."""
        body = BUDGET | {"amount": {"amount": budget, "currency": "USD"}}
        self.pool = (await accepted(self.hanna.post("/pools", json=body)))["id"]
        await accepted(self.hanna.post("/programs", json=program(self.pool)))
        await self.settled()
        return self.pool

    async def paid_well(self, *people: PersonId, base: str = "60000.00", revision: int = 1) -> None:
        """The compensation feed told of these; their range is 50,000 to 80,000 a year."""
        told = [
            CompensationRecord(
                person=who,
                revision=revision,
                base_salary=usd(base),
                per=SalaryPeriod.YEAR,
                range_minimum=usd("50000.00"),
                range_maximum=usd("80000.00"),
            )
            for who in people
        ]
        async with self.service.runtime.engine.begin() as connection:
            await compensation.apply(connection, [(each.person, each) for each in told])

    async def reviewed(
        self,
        *people: PersonId,
        overall: str | None = "4.00",
        cycle: ReviewCycleId = CYCLE,
        manager: PersonId = MIRA,
    ) -> list[str]:
        """The ids of the rewards that their completed reviews are considered for."""
        for who in people:
            stream = stream_name("review", review_of(who, cycle))
            published = self.reviews.append(stream, completed(who, overall, cycle, manager))
            await self._reaction.process(reviews.TOPIC, published.partition, [published])
        await self.settled()
        return [reward_of(who, cycle) for who in people]

    async def waiting(self) -> list[str]:
        """The facts for which reviews wait."""
        async with self.service.runtime.engine.connect() as connection:
            query = "select waiting_for from dead_letters where waiting_for is not null order by 1"
            return [row[0] for row in await connection.exec_driver_sql(query)]

    async def tried_again(self) -> None:
        """What waits was tried again, as a worker does from time to time."""
        for stream, topic, partition in await dead_letters.waiting(self.service.runtime.engine, REACTION.name):
            await self._reaction.retry(stream, topic, partition)
        await self.settled()

    async def proposed(self, *people: PersonId, budget: str = "10000.00") -> list[str]:
        """The rewards that were proposed for these people's reviews."""
        await self.opened(budget)
        await self.paid_well(*people)
        return await self.reviewed(*people)

    async def approved(self, who: PersonId = ANN) -> tuple[str, PaymentId]:
        """A reward that Hanna approved, and its payment."""
        [reward] = await self.proposed(who)
        await accepted(self.hanna.post(f"/rewards/{reward}/approve"))
        await self.settled()
        return reward, PaymentId(UUID((await self.shown(reward))["payment"]))

    async def payroll_said(self, *answers: Event) -> None:
        """These records were read from payroll's topic."""
        runtime = self.service.runtime
        records = [answer_record(answer, n) for n, answer in enumerate(answers)]
        await payroll_feed(runtime.handler).apply(runtime.engine, records)
        await self.settled()

    async def shown(self, reward: str) -> dict[str, Any]:
        return await accepted(self.hugo.get(f"/rewards/{reward}"))

    async def budget(self) -> tuple[str, str, str]:
        """What of the pool is reserved, committed and available."""
        left = await accepted(self.hanna.get(f"/pools/{self.pool}"))
        return left["reserved"]["amount"], left["committed"]["amount"], left["available"]["amount"]

    async def events(self, of: str = "%") -> list[str]:
        """The types, without version, of what was stored in streams like this, in order."""
        async with self.service.runtime.engine.connect() as connection:
            query = "select split_part(type, '.', 3) from events where stream like $1 order by position"
            return [row[0] for row in await connection.exec_driver_sql(query, (of,))]

    async def reconciled(self) -> dict[str, Any]:
        return await accepted(self.pat.get("/reconciliation"))


def review_of(who: PersonId, cycle: ReviewCycleId = CYCLE) -> UUID:
    return derived("review", cycle, who)


def reward_of(who: PersonId, cycle: ReviewCycleId = CYCLE) -> str:
    return str(derived("reward", review_of(who, cycle)))


def answer_record(answer: Event, offset: int = 0) -> FeedRecord:
    """The record with which payroll publishes its answer."""
    headers = feed_headers(answer, identity=derived("answer", offset), source="/payroll", subject="payment", time=NOW)
    return FeedRecord(payroll.TOPIC, 0, offset, None, encode(answer).encode(), headers)


def yes(payment: PaymentId, version: int = 1) -> Event:
    return payroll.InstructionAccepted(payment_id=payment, version=version)


def no(payment: PaymentId, version: int = 1) -> Event:
    return payroll.InstructionRejected(payment_id=payment, version=version, code="unknown-pay-group")


def paid(payment: PaymentId, version: int = 1) -> Event:
    return payroll.InstructionPaid(
        payment_id=payment, version=version, pay_date=date(2026, 2, 27), run_reference="2026-02"
    )


async def accepted(asked: Any) -> Any:
    """The body of an answer that says yes."""
    answer = await asked
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def refused(asked: Any, status: int, kind: str) -> dict[str, Any]:
    """The problem document of an answer that says no, for this reason."""
    answer = await asked
    document = answer.json()
    assert (answer.status_code, document["type"]) == (status, f"urn:trellis:{kind}"), answer.text
    return document


@asynccontextmanager
async def working(issuer: Issuer, databases: MigratedDatabases) -> AsyncGenerator[Company]:
    """The company at work, on copies of these databases."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(SERVICE, issuer, databases))
        await service.knows(PEOPLE)

        async def client(who: PersonId, *roles: Role) -> httpx.AsyncClient:
            return await stack.enter_async_context(service.client(who, *roles))

        yield Company(
            service,
            clara=await client(CLARA, Role.MANAGER),
            mira=await client(MIRA, Role.MANAGER),
            ann=await client(ANN),
            eve=await client(EVE, Role.MANAGER),
            hanna=await client(HANNA, Role.HR),
            hugo=await client(HUGO, Role.HR),
            pat=await client(PAT, Role.PAYROLL),
        )


def rules(answers: Sequence[httpx.Response]) -> dict[str, int]:
    """How often each answer was given: `ok`, or the problem's kind."""
    kinds = ["ok" if a.is_success else a.json()["type"].removeprefix("urn:trellis:") for a in answers]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}
