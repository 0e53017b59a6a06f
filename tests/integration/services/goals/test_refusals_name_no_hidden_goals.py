"""What a rule saw of goals that the caller may not see is counted in the refusal, and not named."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from services.goals.app import SERVICE
from shared.runtime.process import create_service_api
from shared.runtime.service import tell_all
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, EVE, Company, goal_of

MERGED = {"reason": "merged"}
YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
NEXT_YEAR = {"starts_on": "2027-01-01", "ends_on": "2027-12-31"}
OBJECTIVE = {"metric": None}


@dataclass(frozen=True, slots=True)
class Case:
    """A request by somebody who may not see the goal that stands in its way; `value` is what the rule calls that."""

    who: httpx.AsyncClient
    path: str
    body: dict[str, Any] | None
    rule: str
    value: str
    hidden: str


async def done(client: httpx.AsyncClient, path: str, body: Any = None) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    return answer.json()


async def between(company: Company) -> tuple[str, str, str]:
    """A goal of Alice's, one of Eve's below it, and one of Alice's below that: Alice does not see the one between."""
    above = await company.goal(company.alice, ALICE, **OBJECTIVE)
    hidden = await company.goal(company.hanna, EVE, parent=above, **OBJECTIVE)
    return above, hidden, await company.goal(company.hanna, ALICE, parent=hidden)


async def below_itself(company: Company) -> Case:
    above, hidden, below = await between(company)
    return Case(
        company.alice, f"/goals/{above}/align", {"parent": below}, "goal-graph-must-be-acyclic", "ancestors", hidden
    )


async def contributing_to_itself(company: Company) -> Case:
    above, hidden, below = await between(company)
    body = {"contributes_to": [below]}
    return Case(company.alice, f"/goals/{above}/contributions", body, "goal-graph-must-be-acyclic", "ancestors", hidden)


async def weighing_others(company: Company) -> Case:
    above, hidden, _ = await between(company)
    seen = await company.goal(company.alice, ALICE, parent=above)
    body = {"weights": [{"goal": seen, "weight": "1"}]}
    rule = "weights-must-name-each-goal-below-once"
    return Case(company.alice, f"/goals/{above}/weights", body, rule, "below", hidden)


async def reopened_below_a_closed_one(company: Company) -> Case:
    _, hidden, below = await between(company)
    await done(company.alice, f"/goals/{below}/cancel", MERGED)
    await done(company.hanna, f"/goals/{hidden}/cancel", MERGED)
    return Case(company.hugo, f"/goals/{below}/reopen", MERGED, "parent-goal-must-be-active", "parent", hidden)


async def cancelled_to_its_parent(company: Company) -> Case:
    _, hidden, below = await between(company)
    await company.goal(company.alice, ALICE, parent=below)
    body = MERGED | {"children": "to-its-parent"}
    return Case(company.alice, f"/goals/{below}/cancel", body, "parent-goal-must-exist", "parent", hidden)


async def carried(company: Company) -> tuple[str, str]:
    """A goal of Alice's, and the one that it goes on in, which is Eve's."""
    goal = await company.goal(company.alice, ALICE)
    answer = await company.alice.post(f"/goals/{goal}/carry-over", json=NEXT_YEAR)
    new = answer.headers["Location"].rsplit("/", 1)[1]
    await done(company.hanna, f"/goals/{new}/hand-over", {"owner": str(EVE), "reason": "changed-teams"})
    return goal, new


async def carried_over_twice(company: Company) -> Case:
    goal, new = await carried(company)
    return Case(company.hugo, f"/goals/{goal}/carry-over", NEXT_YEAR, "goal-is-carried-over-once", "carried_to", new)


async def reopened_though_carried_over(company: Company) -> Case:
    goal, new = await carried(company)
    await done(company.alice, f"/goals/{goal}/cancel", MERGED)
    return Case(company.hugo, f"/goals/{goal}/reopen", MERGED, "carried-goal-is-not-reopened", "carried_to", new)


async def agreeing_what_is_hidden(company: Company) -> Case:
    goal = await company.goal(company.alice, ALICE)
    plan = await done(company.alice, "/plans", {"owner": str(ALICE), "goals": [{"goal": goal}], **YEAR})
    await done(company.hanna, f"/goals/{goal}/hand-over", {"owner": str(EVE), "reason": "changed-teams"})
    return Case(company.hugo, f"/plans/{plan['id']}/agree", None, "plan-goal-must-exist", "goal", goal)


async def approving_what_is_hidden(company: Company) -> Case:
    """The amendment weighs one more goal of Alice's, which is Eve's by the time that Hugo approves it."""
    goal = await company.goal(company.alice, ALICE)
    plan = (await done(company.alice, "/plans", {"owner": str(ALICE), "goals": [{"goal": goal}], **YEAR}))["id"]
    await done(company.hugo, f"/plans/{plan}/agree")
    other = await company.goal(company.alice, ALICE)
    body = {"goals": [{"goal": goal}, {"goal": other}], "reason": "a second one"}
    proposed = await company.alice.post(f"/plans/{plan}/amendments", json=body)
    amendment = proposed.headers["Location"].rsplit("/", 1)[1]
    await done(company.hanna, f"/goals/{other}/hand-over", {"owner": str(EVE), "reason": "changed-teams"})
    path = f"/plans/{plan}/amendments/{amendment}/approve"
    return Case(company.hugo, path, None, "plan-goal-must-exist", "goal", other)


CASES: list[Callable[[Company], Awaitable[Case]]] = [
    below_itself,
    contributing_to_itself,
    weighing_others,
    reopened_below_a_closed_one,
    cancelled_to_its_parent,
    carried_over_twice,
    reopened_though_carried_over,
    agreeing_what_is_hidden,
    approving_what_is_hidden,
]
each_case = pytest.mark.parametrize("made", CASES, ids=lambda made: made.__name__)


@each_case
async def test_a_hidden_goal_is_counted_and_not_named(
    company: Company, made: Callable[[Company], Awaitable[Case]]
) -> None:
    case = await made(company)
    await company.settled()
    refused(await case.who.get(f"/goals/{case.hidden}"), 404, "problem:not-found")
    answer = await case.who.post(case.path, json=case.body)
    document = refused(answer, 409, f"rule:{case.rule}")
    assert document["values"][f"{case.value}_hidden"] == 1
    assert case.hidden not in answer.text


@pytest.fixture
async def indiscreet(company: Company) -> AsyncIterator[httpx.AsyncClient]:
    """Alice, as a client of the same service without what counts hidden goals."""
    runtime = company.service.runtime
    runtime.service = replace(SERVICE, discreet=tell_all)
    other = replace(company.service, app=create_service_api(runtime))
    async with other.client(ALICE) as client:
        yield client


async def test_without_the_count_a_hidden_goal_is_named(company: Company, indiscreet: httpx.AsyncClient) -> None:
    case = await below_itself(company)
    await company.settled()
    answer = await indiscreet.post(case.path, json=case.body)
    assert case.hidden in answer.text


@pytest.mark.parametrize("settled", [True, False], ids=["in the tree", "before it is in the tree"])
async def test_what_the_caller_sees_or_has_named_is_named(company: Company, *, settled: bool) -> None:
    above, hidden, below = await between(company)
    if settled:
        await company.settled()
    by_hr = await company.hanna.post(f"/goals/{above}/align", json={"parent": below})
    values = refused(by_hr, 409, "rule:goal-graph-must-be-acyclic")["values"]
    assert values == {"goal": above, "parent": below, "ancestors": [hidden, above]}
    by_alice = await company.alice.post(f"/goals/{above}/align", json={"parent": below})
    values = refused(by_alice, 409, "rule:goal-graph-must-be-acyclic")["values"]
    assert values == {"goal": above, "parent": below, "ancestors": [above], "ancestors_hidden": 1}
    unseen = await company.alice.post(f"/goals/{above}/align", json={"parent": hidden})
    assert refused(unseen, 409, "rule:parent-goal-must-exist")["values"] == {"parent": hidden}
    set_below = await company.alice.post("/goals", json=goal_of(ALICE) | {"parent": hidden})
    assert refused(set_below, 409, "rule:parent-goal-must-exist")["values"] == {"parent": hidden}
