"""The goals of somebody who has left go to the manager if the policy says so, once, however often the feed is read."""

from datetime import date

from services.goals.reactions.hand_over_goals_when_their_owner_leaves import people_feed
from shared.eventsourcing.feed import FeedRecord
from shared.eventsourcing.identifiers import derived
from shared.schemas import people
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers
from shared.schemas.people import PersonRecord
from tests.integration.people.company import LEFT, record
from tests.integration.services.goals.conftest import ALICE, CLARA, HUGO, Company
from tests.unit.services.goals.examples import NOW

ALICE_LEFT = record(ALICE, HUGO, revision=2, status=LEFT, left_on=date(2026, 1, 31))
HUGO_LEFT = record(HUGO, CLARA, revision=2, status=LEFT, left_on=date(2026, 1, 31))


async def told(company: Company, *records: PersonRecord) -> None:
    """The feed tells of these people; every event so far has reached the read models before."""
    await company.settled()
    runtime = company.service.runtime
    feed = people_feed(runtime)
    await feed.apply(runtime.engine, [feed_record(one, offset) for offset, one in enumerate(records)])
    await company.settled()


def feed_record(person: PersonRecord, offset: int) -> FeedRecord:
    headers = feed_headers(
        person, identity=derived(person.person, offset), source="/hr", subject=str(person.person), time=NOW
    )
    return FeedRecord(people.TOPIC, 0, offset, str(person.person).encode(), encode(person).encode(), headers)


async def to_the_manager(company: Company) -> None:
    body = {"options": {"goals-of-leavers": "to-the-manager"}, "reason": "handbook"}
    assert (await company.hanna.post("/policies", json=body)).status_code == 201


async def owner_of(company: Company, goal: str) -> tuple[str, str, int]:
    seen = await company.shown(company.hanna, goal)
    return seen["owner"], seen["title"], seen["version"]


async def test_without_a_word_of_the_policy_they_stay(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await told(company, ALICE_LEFT)
    assert await owner_of(company, goal) == (str(ALICE), "Answer within a day", 1)


async def test_they_go_to_the_manager_once_and_their_texts_open_with_the_managers_key(company: Company) -> None:
    await to_the_manager(company)
    goal = await company.goal(company.alice, ALICE)
    closed = await company.goal(company.alice, ALICE)
    await company.alice.post(f"/goals/{closed}/cancel", json={"reason": "merged"})
    await told(company, ALICE_LEFT)
    await told(company, ALICE_LEFT)
    assert (await company.hanna.post(f"/persons/{ALICE}/erase")).status_code == 200
    assert await owner_of(company, goal) == (str(HUGO), "Answer within a day", 2)
    assert (await owner_of(company, closed))[0] == str(ALICE)


async def test_a_manager_who_has_left_too_is_passed_over(company: Company) -> None:
    await to_the_manager(company)
    goal = await company.goal(company.alice, ALICE)
    await told(company, HUGO_LEFT, ALICE_LEFT)
    assert (await owner_of(company, goal))[0] == str(CLARA)


async def test_an_agreed_plan_of_a_leaver_holds_its_goals_no_longer(company: Company) -> None:
    await to_the_manager(company)
    goal = await company.goal(company.alice, ALICE)
    year = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
    proposed = await company.alice.post("/plans", json={"owner": str(ALICE), "goals": [{"goal": goal}], **year})
    assert proposed.status_code == 201, proposed.text
    assert (await company.hugo.post(f"/plans/{proposed.json()['id']}/agree")).status_code == 200
    await told(company, ALICE_LEFT)
    assert (await owner_of(company, goal))[0] == str(HUGO)
    profile = (await company.hugo.get(f"/goals/{goal}/profile")).json()
    assert profile["agreements"] == []


async def test_who_has_no_manager_keeps_them(company: Company) -> None:
    await to_the_manager(company)
    goal = await company.goal(company.clara, CLARA)
    await told(company, record(CLARA, revision=2, status=LEFT, left_on=date(2026, 1, 31)))
    assert (await owner_of(company, goal))[0] == str(CLARA)
