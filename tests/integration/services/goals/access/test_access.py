"""What the page on access says is what the running service answers, for every route, role, relation and state."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from sqlalchemy import ColumnElement, true

from services.goals.api import permissions
from services.goals.api.permissions import CANCEL, EVERYBODY
from services.goals.projections import readable_goals
from shared.runtime.api import declared_routes
from shared.runtime.authorization import READ, Permissions
from shared.runtime.caller import Role
from shared.schemas.goals import GoalLevel
from tests.integration.services.goals.access.company import Asking, Company, Thing, company
from tests.integration.services.goals.access.questions import EACH_FOR_ITSELF, FILTERED, QUERIES, Question, questions
from tests.integration.services.goals.access.written import Written, read
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases

NO_SUCH_VERSION = {"If-Match": '"999999999"'}
HIDDEN, FORBIDDEN = 404, 403


@pytest.fixture(scope="module")
async def walked(databases: MigratedDatabases, issuer: Issuer) -> AsyncIterator[Company]:
    async with company(issuer, databases) as made:
        yield made


@pytest.fixture(scope="module")
def written() -> Written:
    return read()


async def ask(question: Question, asking: Asking) -> httpx.Response:
    if question.is_query:
        return await asking.client.get(question.path, params=dict(QUERIES.get(question.route, {})))
    return await asking.client.post(question.path, json=question.body, headers=NO_SUCH_VERSION)


def expected(written: Written, question: Question, asking: Asking) -> set[int] | None:
    """The answers that the page allows; None: any but a refusal."""
    thing, relation = question.thing, question.relation_of(asking)
    if question.route in FILTERED:
        return {200}
    if question.route in EACH_FOR_ITSELF:
        return {200, 422}
    may_see = written.row(thing.kind, thing.variant, READ)
    if may_see is not None and not written.allows(may_see, asking.role, relation):
        return {HIDDEN}
    row = written.row(thing.kind, thing.variant, question.needed.action)
    if not written.allows(row, asking.role, relation):
        return {FORBIDDEN}
    return {200} if question.is_query else None


async def differences(walked: Company, written: Written, asked: Sequence[Question]) -> list[str]:
    """Where the service answers otherwise than the page says."""
    found: list[str] = []
    for question in asked:
        answers = await asyncio.gather(*(difference(walked, written, question, asking) for asking in walked.askers))
        found += [wrong for wrongs in answers for wrong in wrongs]
    return found


async def difference(walked: Company, written: Written, question: Question, asking: Asking) -> list[str]:
    wanted = expected(written, question, asking)
    if question.thing.kind == "administration" and wanted != {FORBIDDEN}:
        return []  # who may, would fork the log and the like
    answer = await ask(question, asking)
    told = [f"{question} shows {asking} '{words}'" for words in leaked(walked, written, asking, answer)]
    if answer.status_code in wanted if wanted else is_let_through(answer.status_code):
        return told
    wrong = f"{answer.status_code}, not {wanted or 'let through'}: {answer.text[:300]}"
    return [*told, f"{question} by {asking}: {wrong}"]


def is_let_through(status: int) -> bool:
    """Whether the table let the caller through, whatever the rules said then."""
    return status not in (401, FORBIDDEN, HIDDEN) and status < 500


def leaked(walked: Company, written: Written, asking: Asking, answer: httpx.Response) -> list[str]:
    """The words of things that the caller may not see, in an answer to them."""
    there = [thing for thing in walked.things if thing.words and thing.words in answer.text]
    return [thing.words for thing in there if not sees(written, asking, thing)]


def sees(written: Written, asking: Asking, thing: Thing) -> bool:
    return written.allows(written.row(thing.kind, thing.variant, READ), asking.role, asking.relation)


async def test_every_route_answers_as_the_page_says(walked: Company, written: Written) -> None:
    asked = questions(walked)
    assert {question.route for question in asked} == set(declared_routes(walked.service.app))
    assert await differences(walked, written, asked) == []


async def listed(asking: Asking) -> set[str]:
    answer = await asking.client.get("/goals", params={"limit": 200})
    assert answer.json()["next"] is None
    return {item["title"] for item in answer.json()["items"]}


async def wrong_lists(walked: Company, written: Written) -> list[str]:
    """Who finds other goals in the list than those that the page lets them see."""
    goals = [thing for thing in walked.things if thing.kind == "goal"]
    named = {thing.words for thing in goals}
    visible = {str(asking): {t.words for t in goals if sees(written, asking, t)} for asking in walked.askers}
    return [str(asking) for asking in walked.askers if await listed(asking) & named != visible[str(asking)]]


async def test_a_list_holds_what_its_reader_may_see_and_nothing_else(walked: Company, written: Written) -> None:
    assert await wrong_lists(walked, written) == []


async def test_the_allowed_actions_are_those_that_the_page_allows_in_this_state(
    walked: Company, written: Written
) -> None:
    hr = next(asking for asking in walked.askers if asking.role is Role.HR)
    for thing in (thing for thing in walked.things if thing.kind == "goal"):
        path = f"/goals/{thing.path['goal']}"
        possible = (await hr.client.get(path)).json()["allowed_actions"]
        assert possible, thing
        for asking in (one for one in walked.askers if sees(written, one, thing)):
            rows = [(action, written.row(thing.kind, thing.variant, action)) for action in possible]
            wanted = [action for action, row in rows if written.allows(row, asking.role, asking.relation)]
            assert (await asking.client.get(path)).json()["allowed_actions"] == wanted, f"{thing} for {asking}"


async def test_one_rule_loosened_is_found_and_named(
    walked: Company, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = permissions.GOALS[GoalLevel.TEAM, None]
    monkeypatch.setitem(
        permissions.GOALS,  # pyright: ignore[reportArgumentType] - a mapping that is a dict
        (GoalLevel.TEAM, None),
        Permissions({**table.grants, CANCEL: EVERYBODY}),
    )
    cancelling = [question for question in questions(walked) if question.route.endswith("/cancel")]
    found = await differences(walked, written, cancelling)
    assert found
    told = [re.match(r"(\S+ \S+) \((\w+), .*?\) by (.*?): (\d+), not \{403\}", line) for line in found]
    assert {match and match[2] for match in told} == {"team"}
    assert "employee, none" in {match and match[3] for match in told}


async def test_a_loosened_rule_of_reading_loosens_the_list_and_is_found(
    walked: Company, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = permissions.GOALS[GoalLevel.PERSON, None]
    monkeypatch.setitem(
        permissions.GOALS,  # pyright: ignore[reportArgumentType] - a mapping that is a dict
        (GoalLevel.PERSON, None),
        Permissions({**table.grants, READ: EVERYBODY}),
    )
    assert "employee, none" in await wrong_lists(walked, written)
    showing = [question for question in questions(walked) if question.route == "GET /goals/v1/goals/{goal}"]
    assert any("by employee, none: 200, not {404}" in line for line in await differences(walked, written, showing))


async def test_a_list_that_is_not_filtered_is_found(
    walked: Company, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything(*_asked: object, **_further: object) -> ColumnElement[bool]:
        return true()

    monkeypatch.setattr(readable_goals, "seen_by", everything)
    assert "employee, none" in await wrong_lists(walked, written)
    listing = [question for question in questions(walked) if question.route == "GET /goals/v1/goals"]
    assert any("shows employee, none" in line for line in await differences(walked, written, listing))
