"""A review asks what a person's goals say: answered once, from the streams, and moved by nothing that comes later."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from services.goals.projections import agreed_plans
from services.goals.projections.agreed_plans import PLANS
from services.goals.reactions import freeze_evidence_when_a_review_asks
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.reactor import Reactor
from shared.schemas.goal_evidence import GoalEvidenceFrozen, counted_hash, frozen_hash
from shared.schemas.goals import TYPES
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.reviews import EvidenceRequested
from tests.integration.services.goals.conftest import ALICE, BOB, CLARA, Company
from tests.integration.services.goals.published import recorded

YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
ROLLED_UP = {"level": "organization", "metric": None, "title": "Grow"}


async def agreed(company: Company, *weights: tuple[str, str], **period: str) -> str:
    """A plan of Alice's, agreed with Hugo."""
    goals = [{"goal": goal, "weight": weight} for goal, weight in weights]
    proposed = await company.alice.post("/plans", json={"owner": str(ALICE), "goals": goals, **YEAR, **period})
    assert proposed.status_code == 201, proposed.text
    answer = await company.hugo.post(f"/plans/{proposed.json()['id']}/agree")
    assert answer.status_code == 200, answer.text
    return proposed.json()["id"]


async def asked(company: Company, person: PersonId, review: UUID, *, version: int = 2, **changes: Any) -> None:
    """The review's question arrives as the `version`th event of its stream."""
    days: dict[str, Any] = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), **changes}
    event = EvidenceRequested(cycle=ReviewCycleId(UUID(int=1)), person=person, **days)
    handler = company.service.runtime.handler
    reactor = Reactor(freeze_evidence_when_a_review_asks.REACTION, handler)
    async with handler.store.engine.begin() as connection:
        committed = await reactor.apply(
            connection, [recorded(event, stream=review, version=version, category="review")]
        )
    if committed is not None:
        committed()


async def answers(company: Company, review: UUID) -> list[GoalEvidenceFrozen]:
    query = text("select type, data from events where stream = :stream order by version")
    async with company.service.runtime.engine.connect() as connection:
        rows = await connection.execute(query, {"stream": f"goalevidence-{review}"})
        events = [TYPES.decode(row.type, row.data) for row in rows]
    return [event for event in events if isinstance(event, GoalEvidenceFrozen)]


async def answer(company: Company, person: PersonId, **changes: Any) -> GoalEvidenceFrozen:
    review = ReviewId(uuid7())
    await asked(company, person, review, **changes)
    [event] = await answers(company, review)
    assert (event.review, event.person, event.evidence_hash) == (review, person, frozen_hash(event))
    return event


async def progress(client: Any, goal: str, value: str) -> None:
    assert (await client.post(f"/goals/{goal}/progress", json={"value": value})).status_code == 200


async def test_values_weights_and_versions_are_frozen_as_the_streams_say(company: Company) -> None:
    first, second = [await company.goal(company.alice, ALICE) for _ in range(2)]
    plan = await agreed(company, (first, "60.00"), (second, "40.00"))
    await progress(company.alice, first, "3.5")
    closed = {"value": "0", "closed_on": "2026-03-01"}
    assert (await company.alice.post(f"/goals/{second}/achieve", json=closed)).status_code == 200
    event = await answer(company, ALICE)
    assert [(str(one.plan), one.version) for one in event.plans] == [(plan, 2)]
    seen = {str(line.goal): line for line in event.goals}
    one, other = seen[first], seen[second]
    assert (one.weight, one.state, one.value, one.progress, one.version) == (
        Decimal("60.00"),
        "active",
        Decimal("3.5"),
        Decimal(65),
        3,
    )
    assert (other.weight, other.state, other.value, other.progress, other.version) == (
        Decimal("40.00"),
        "achieved",
        Decimal(0),
        Decimal(100),
        3,
    )
    async with company.service.runtime.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from goal_tree")) == 0, "no read model knew of it"


async def test_a_question_is_answered_once_however_often_it_comes(company: Company) -> None:
    goal, review = await company.goal(company.alice, ALICE), uuid7()
    await agreed(company, (goal, "100.00"))
    await asked(company, ALICE, review)
    await progress(company.alice, goal, "5")
    await asked(company, ALICE, review)
    await asked(company, ALICE, review, version=3)
    [event] = await answers(company, review)
    assert [line.progress for line in event.goals] == [Decimal(0)], "as it was when the review asked first"
    assert [line.progress for line in (await answer(company, ALICE)).goals] == [Decimal(50)]


@pytest.mark.parametrize("person", [BOB, PersonId(UUID(int=0xFFFF))], ids=["without a plan", "unknown"])
async def test_without_a_plan_an_empty_evidence_is_frozen(company: Company, person: PersonId) -> None:
    await company.goal(company.bob, BOB)
    event = await answer(company, person)
    assert (event.plans, event.goals, event.counted) == ((), (), ())
    assert len(event.evidence_hash) == 64


async def test_plans_count_that_are_agreed_and_touch_the_days(company: Company) -> None:
    first, second, third = [await company.goal(company.alice, ALICE) for _ in range(3)]
    early = await agreed(company, (first, "100"), ends_on="2026-06-30")
    late = await agreed(company, (second, "100"), starts_on="2026-07-01")
    proposed = {"owner": str(ALICE), "goals": [{"goal": third}], **YEAR}
    assert (await company.alice.post("/plans", json=proposed)).status_code == 201
    assert [str(plan.plan) for plan in (await answer(company, ALICE)).plans] == [early, late]
    until = await answer(company, ALICE, ends_on=date(2026, 6, 30))
    assert [str(plan.plan) for plan in until.plans] == [early]
    assert [str(line.goal) for line in until.goals] == [first]


async def test_a_roll_up_tells_every_goal_that_it_counted_and_is_what_the_tree_shows(company: Company) -> None:
    root = await company.goal(company.hanna, CLARA, **ROLLED_UP)
    middle = await company.goal(company.hanna, CLARA, **ROLLED_UP, parent=root)
    leaf = await company.goal(company.alice, ALICE, parent=middle)
    other = await company.goal(company.bob, BOB, parent=root)
    unmeasured = await company.goal(company.hanna, CLARA, **ROLLED_UP, parent=root)
    dropped = await company.goal(company.bob, BOB, parent=root)
    assert (await company.bob.post(f"/goals/{dropped}/cancel", json={"reason": "merged"})).status_code == 200
    await progress(company.alice, leaf, "9")
    await progress(company.bob, other, "4")
    body = {"owner": str(CLARA), "goals": [{"goal": root, "weight": "100"}], **YEAR}
    proposed = (await company.clara.post("/plans", json=body)).json()["id"]
    assert (await company.hanna.post(f"/plans/{proposed}/agree")).status_code == 200
    event = await answer(company, CLARA)
    [line] = event.goals
    counted: Mapping[str, Any] = {str(one.goal): one for one in event.counted}
    assert set(counted) == {middle, leaf, other}
    assert unmeasured not in counted
    assert (line.counted, line.counted_hash) == (3, counted_hash(event.counted))
    assert (line.value, line.progress) == (None, Decimal(35))
    assert (counted[leaf].progress, counted[leaf].version, str(counted[leaf].parent)) == (Decimal(10), 2, middle)
    shown = await company.shown(company.clara, root)
    assert Decimal(shown["progress"]) == line.progress


async def test_the_index_of_agreed_plans_is_rebuilt_from_the_events(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await agreed(company, (goal, "100"))
    async with company.service.runtime.engine.begin() as connection:
        written = (await connection.execute(select(PLANS))).all()
        await agreed_plans.rebuild(connection)
        assert len(written) == 1
        assert (await connection.execute(select(PLANS))).all() == written
