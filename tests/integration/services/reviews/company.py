"""The reviews service over HTTP: Dana leads Carl and HR (Hanna, Hugo), Carl leads Ann and Bob; Eve is elsewhere."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import httpx

from services.reviews.app import SERVICE
from services.reviews.projections import evidence
from services.reviews.reactions import take_frozen_goals_when_they_come
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.reactor import Reactor
from shared.eventsourcing.recorded import Recorded
from shared.runtime.caller import Role
from shared.schemas.goal_evidence import GoalEvidence, GoalEvidenceFrozen, frozen_hash
from shared.schemas.identifiers import PersonId, ReviewId
from tests.integration.people.company import record
from tests.integration.services.reviews.published import history
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, RunningService, running


def person(name: str) -> PersonId:
    return PersonId(derived("person", name))


DANA, CARL, ANN, BOB, HANNA, HUGO, EVE = (
    person(name) for name in ("dana", "carl", "ann", "bob", "hanna", "hugo", "eve")
)
PEOPLE = [
    record(DANA, team="Board"),
    record(CARL, DANA),
    record(ANN, CARL),
    record(BOB, CARL),
    record(HANNA, DANA, team="HR"),
    record(HUGO, DANA, team="HR"),
]

POLICY: dict[str, Any] = {
    "version": "enterprise-1",
    "sections": [{"name": "goals", "weight": "60"}, {"name": "competencies", "weight": "40"}],
    "levels": [{"name": "meets", "minimum": "3"}, {"name": "exceeds", "minimum": "4"}],
}
CYCLE: dict[str, Any] = {
    "name": "Annual review 2026",
    "starts_on": "2026-01-01",
    "ends_on": "2026-12-31",
    "policy": POLICY,
}
FORM: dict[str, Any] = {
    "ratings": [
        {"section": "goals", "item": "delivery", "rating": "4"},
        {"section": "competencies", "item": "collaboration", "rating": "5"},
    ],
    "comment": "Delivered on every commitment of the year.",
}
OWN_FORM: dict[str, Any] = {
    "ratings": [{"section": "goals", "item": "delivery", "rating": "5"}],
    "comment": "The migration took longer than I planned.",
}


@dataclass(frozen=True, slots=True)
class Company:
    """The service, and its people as clients of it."""

    service: RunningService
    dana: httpx.AsyncClient
    carl: httpx.AsyncClient
    ann: httpx.AsyncClient
    bob: httpx.AsyncClient
    hanna: httpx.AsyncClient
    hugo: httpx.AsyncClient
    eve: httpx.AsyncClient
    reviews: dict[PersonId, str] = field(default_factory=dict[PersonId, str])

    async def settled(self) -> None:
        """Every event so far has reached every read model."""
        await self.service.delivery.deliver()

    async def published(self, *streams: Sequence[Recorded]) -> None:
        """Feedback published these."""
        async with self.service.runtime.engine.begin() as connection:
            for stream in streams:
                await evidence.PROJECTION.apply(connection, stream)

    async def answered(self, of: PersonId = ANN, *goals: GoalEvidence) -> None:
        """The goals service froze these for a person's review."""
        review = UUID(self.reviews[of])
        await self.told(history("goalevidence", review, frozen(ReviewId(review), of, *goals)))

    async def told(self, events: Sequence[Recorded]) -> None:
        """What goals published reached what reacts to it."""
        handler = self.service.runtime.handler
        async with handler.store.engine.begin() as connection:
            committed = await Reactor(take_frozen_goals_when_they_come.REACTION, handler).apply(connection, events)
        if committed is not None:
            committed()

    async def begun(self, of: PersonId = ANN, *goals: GoalEvidence) -> None:
        """Whoever assesses this person began, and the goals service answered."""
        assessors = {CARL: self.dana, HANNA: self.dana, HUGO: self.dana, DANA: self.hugo}
        await accepted(assessors.get(of, self.carl).post(f"{self.review(of)}/manager-assessment/open"))
        await self.answered(of, *goals)

    async def opened(self, **changes: Any) -> str:
        """The id of a cycle that HR opened; the reviews' ids are in `reviews`."""
        cycle = (await accepted(self.hanna.post("/cycles", json=CYCLE | changes)))["id"]
        await self.settled()
        listed = (await self.hanna.get("/reviews", params={"cycle": cycle, "limit": 200})).json()["items"]
        self.reviews.update({PersonId(UUID(item["person"])): item["id"] for item in listed})
        return cycle

    def review(self, of: PersonId = ANN) -> str:
        """The path of a person's review in the cycle that was opened last."""
        return f"/reviews/{self.reviews[of]}"

    async def assessed(self, *goals: GoalEvidence) -> None:
        """Ann's review was assessed by Ann and, with these goals as evidence, by Carl."""
        await accepted(self.ann.post(f"{self.review()}/self-assessment", json=OWN_FORM))
        await self.answered(ANN, *goals)
        await accepted(self.carl.post(f"{self.review()}/manager-assessment", json=FORM))
        await self.settled()

    async def released(self, *goals: GoalEvidence) -> None:
        """Ann's review was assessed, approved and released."""
        await self.assessed(*goals)
        await accepted(self.hanna.post(f"{self.review()}/approve"))
        await accepted(self.carl.post(f"{self.review()}/release"))
        await self.settled()


def frozen(review: ReviewId, person: PersonId, *goals: GoalEvidence) -> GoalEvidenceFrozen:
    """What the goals service answers a review in the cycle."""
    event = GoalEvidenceFrozen(
        review=review,
        person=person,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        plans=(),
        goals=goals,
        counted=(),
        evidence_hash="",
    )
    return event.model_copy(update={"evidence_hash": frozen_hash(event)})


async def accepted(asked: Any) -> dict[str, Any]:
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
            dana=await client(DANA, Role.MANAGER),
            carl=await client(CARL, Role.MANAGER),
            ann=await client(ANN),
            bob=await client(BOB),
            hanna=await client(HANNA, Role.HR),
            hugo=await client(HUGO, Role.HR),
            eve=await client(EVE, Role.MANAGER),
        )
