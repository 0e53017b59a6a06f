"""The goals of somebody who has left go to the manager or are cancelled, as the policy says, and once."""

from datetime import date, timedelta

from services.goals.reactions.hand_over_goals_when_their_owner_leaves import people_feed
from shared.eventsourcing.feed import FeedRecord
from shared.eventsourcing.firing import TimerRunner
from shared.eventsourcing.identifiers import derived
from shared.schemas import people
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers
from shared.schemas.people import PersonRecord
from tests.integration.people.company import LEFT, record
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, CLARA, HUGO, Company, goal_of
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
    await adopted(company, **{"goals-of-leavers": "to-the-manager"})


async def adopted(company: Company, **options: str) -> None:
    body = {"options": options, "reason": "handbook"}
    assert (await company.hanna.post("/policies", json=body)).status_code == 201


async def looked(company: Company, *, days: int = 0) -> None:
    """What is due by then has happened; every event so far has reached the read models before."""
    await company.settled()
    runtime = company.service.runtime
    assert runtime.timers is not None
    at = runtime.clock() + timedelta(days=days)
    await TimerRunner(runtime.handler, runtime.timers, lambda: at).fire_due()
    await company.settled()


async def parts(company: Company) -> tuple[str, str, str]:
    """A goal of Hugo's, one of Alice's below it, and one of Bob's below that."""
    root = await company.goal(company.clara, HUGO)
    middle = await company.goal(company.hugo, ALICE, parent=root)
    return root, middle, await company.goal(company.hugo, BOB, parent=middle)


async def state_of(company: Company, goal: str) -> tuple[str, str | None]:
    seen = await company.shown(company.hanna, goal)
    return seen["state"], seen["parent"]


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


async def test_they_are_cancelled_and_the_goals_below_go_to_the_goal_above(company: Company) -> None:
    await adopted(company, **{"goals-of-leavers": "cancelled"})
    root, middle, leaf = await parts(company)
    await told(company, ALICE_LEFT)
    await told(company, ALICE_LEFT)
    assert (await state_of(company, middle), await state_of(company, leaf)) == (("cancelled", root), ("active", root))
    seen = (await company.hanna.get(f"/goals/{middle}/profile")).json()
    assert (seen["reason"], (await company.shown(company.hanna, middle))["version"]) == ("owner-left", 2)


async def test_the_goals_below_are_cancelled_too_or_hang_nowhere_if_the_policy_says_so(company: Company) -> None:
    await adopted(company, **{"goals-of-leavers": "cancelled", "children-of-leavers-goals": "cancelled-too"})
    root, middle, leaf = await parts(company)
    await told(company, ALICE_LEFT)
    assert (await state_of(company, leaf)) == ("cancelled", middle)
    below = await company.goal(company.hugo, BOB, parent=root)
    await adopted(company, **{"children-of-leavers-goals": "under-none"})
    await told(company, HUGO_LEFT)
    assert (await state_of(company, root), await state_of(company, below)) == (("cancelled", None), ("active", None))


async def test_the_leavers_plan_says_which_goals_it_has_lost(company: Company) -> None:
    await adopted(company, **{"goals-of-leavers": "cancelled"})
    goal = await company.goal(company.alice, ALICE)
    body = {"owner": str(ALICE), "goals": [{"goal": goal}], "starts_on": "2026-01-01", "ends_on": "2026-12-31"}
    plan = (await company.alice.post("/plans", json=body)).json()["id"]
    assert (await company.hugo.post(f"/plans/{plan}/agree")).status_code == 200
    await told(company, ALICE_LEFT)
    seen = (await company.hanna.get(f"/plans/{plan}")).json()
    assert (seen["lost"], [weight["goal"] for weight in seen["weights"]]) == ([goal], [goal])
    steps = (await company.hanna.get(f"/plans/{plan}/steps")).json()["items"]
    assert [step["step"] for step in steps][-1] == "PlannedGoalLost"
    assert (await state_of(company, goal))[0] == "cancelled"


async def test_a_policy_adopted_afterwards_finds_the_goals_of_who_left_before(company: Company) -> None:
    kept = await company.goal(company.clara, CLARA)
    goal = await company.goal(company.alice, ALICE)
    await told(company, ALICE_LEFT, record(CLARA, revision=2, status=LEFT, left_on=date(2026, 1, 31)))
    await to_the_manager(company)
    await looked(company)
    await looked(company)
    assert await owner_of(company, goal) == (str(HUGO), "Answer within a day", 2)
    assert (await owner_of(company, kept))[0] == str(CLARA), "who has no manager keeps them, and holds nobody else's up"


async def reopened(company: Company, goal: str) -> None:
    answer = await company.hanna.post(f"/goals/{goal}/reopen", json={"reason": "needed-after-all"})
    assert answer.status_code == 200, answer.text


async def test_a_goal_reopened_after_its_owner_left_is_settled_at_once(company: Company) -> None:
    await to_the_manager(company)
    goal = await company.goal(company.alice, ALICE)
    await company.alice.post(f"/goals/{goal}/cancel", json={"reason": "merged"})
    await looked(company)
    await told(company, ALICE_LEFT)
    await reopened(company, goal)
    await looked(company)
    assert (await owner_of(company, goal))[0] == str(HUGO)
    await looked(company)
    assert (await owner_of(company, goal))[2] == 4, "the manager is there, and it stays with them"


async def test_a_goal_reopened_for_who_is_still_there_stays_with_them(company: Company) -> None:
    await to_the_manager(company)
    goal = await company.goal(company.alice, ALICE)
    await company.alice.post(f"/goals/{goal}/cancel", json={"reason": "merged"})
    await reopened(company, goal)
    await looked(company)
    assert await owner_of(company, goal) == (str(ALICE), "Answer within a day", 3)


async def test_a_goal_handed_to_somebody_who_leaves_at_that_moment_is_settled_at_once(company: Company) -> None:
    await to_the_manager(company)
    goal = await company.goal(company.bob, BOB)
    await looked(company)
    handing = {"owner": str(ALICE), "reason": "changed-teams"}
    assert (await company.hugo.post(f"/goals/{goal}/hand-over", json=handing)).status_code == 200
    await company.service.knows([ALICE_LEFT])
    await looked(company)
    assert (await owner_of(company, goal))[0] == str(HUGO)


async def test_no_goal_is_set_for_who_has_left(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await company.service.knows([ALICE_LEFT])
    document = refused(await company.hanna.post("/goals", json=goal_of(ALICE)), 409, "rule:goal-owner-must-be-employed")
    assert document["values"] == {"owner": str(ALICE)}
    next_year = {"starts_on": "2027-01-01", "ends_on": "2027-12-31"}
    goes_on = await company.hanna.post(f"/goals/{goal}/carry-over", json=next_year)
    refused(goes_on, 409, "rule:goal-owner-must-be-employed")


async def test_a_goal_is_set_for_who_will_leave(company: Company) -> None:
    leaving = company.service.runtime.clock().date() + timedelta(days=30)
    await company.service.knows([record(ALICE, HUGO, revision=2, left_on=leaving)])
    assert await company.goal(company.hanna, ALICE)


async def test_a_goal_set_for_somebody_who_leaves_at_that_moment_is_found_within_a_day(company: Company) -> None:
    """The feed told of it before the goal was in the tree."""
    await to_the_manager(company)
    await looked(company)
    goal = await company.goal(company.hanna, ALICE)
    await company.service.knows([ALICE_LEFT])
    await looked(company)
    assert (await owner_of(company, goal))[0] == str(ALICE)
    await looked(company, days=2)
    assert (await owner_of(company, goal))[0] == str(HUGO)
