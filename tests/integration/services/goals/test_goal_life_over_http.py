"""A goal's life over HTTP: moved, reworded, shared, closed, reopened, handed over, carried into the next period."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import Active, Closed
from shared.privacy.vault import Vault
from tests.integration.people.company import record
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, EVE, HUGO, Company, goal_of

NEXT_YEAR = {"starts_on": "2027-01-01", "ends_on": "2027-12-31"}
TEAM: dict[str, Any] = {"level": "team", "team": "Support"}


async def state(company: Company, goal: str) -> Active:
    """The goal as its own stream has it, or had it before it was closed."""
    runtime = company.service.runtime
    async with runtime.engine.connect() as connection:
        found = (await runtime.handler.load(connection, GOAL, UUID(goal))).state
    was = found.was if isinstance(found, Closed) else found
    assert isinstance(was, Active)
    return was


async def accepted(who: httpx.AsyncClient, goal: str, act: str, **body: Any) -> dict[str, Any]:
    answer = await who.post(f"/goals/{goal}/{act}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def profile(company: Company, reader: httpx.AsyncClient, goal: str) -> dict[str, Any]:
    await company.settled()
    answer = await reader.get(f"/goals/{goal}/profile")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_goal_contributes_to_others_and_no_cycle_arises_over_both_kinds_of_link(company: Company) -> None:
    top = await company.goal(company.hugo, HUGO, **TEAM)
    middle = await company.goal(company.hugo, HUGO, **TEAM, parent=top)
    below = await company.goal(company.hugo, HUGO, **TEAM, contributes_to=[middle])
    document = refused(
        await company.hugo.post(f"/goals/{top}/contributions", json={"contributes_to": [below]}),
        409,
        "rule:goal-graph-must-be-acyclic",
    )
    assert document["values"]["ancestors"] == [middle, top]
    refused(
        await company.hugo.post(f"/goals/{top}/align", json={"parent": below}), 409, "rule:goal-graph-must-be-acyclic"
    )
    await accepted(company.hugo, below, "contributions", contributes_to=[])
    await accepted(company.hugo, top, "align", parent=below)
    await accepted(company.hugo, middle, "progress", value="0")
    assert (await company.shown(company.hugo, top))["progress"] == "0.00"


async def test_dates_of_parent_and_children_stay_inside_each_other(company: Company) -> None:
    top = await company.goal(company.hugo, HUGO, **TEAM)
    below = await company.goal(company.hugo, HUGO, **TEAM, parent=top, ends_on="2026-06-30")
    later = {"starts_on": "2026-01-01", "ends_on": "2027-03-31"}
    refused(
        await company.hugo.post(f"/goals/{below}/dates", json=later), 409, "rule:child-dates-must-lie-inside-parent"
    )
    short = {"starts_on": "2026-01-01", "ends_on": "2026-03-31"}
    document = refused(
        await company.hugo.post(f"/goals/{top}/dates", json=short), 409, "rule:parent-dates-must-hold-its-children"
    )
    assert document["values"]["children_end_on"] == "2026-06-30"
    await accepted(company.hugo, top, "dates", **later)
    await accepted(company.hugo, below, "dates", **later)
    await accepted(company.hugo, below, "cancel", reason="merged")
    await accepted(company.hugo, top, "dates", **short)
    refused(
        await company.hugo.post(f"/goals/{below}/reopen", json={"reason": "needed"}),
        403,
        "problem:forbidden",
    )
    refused(
        await company.clara.post(f"/goals/{below}/reopen", json={"reason": "needed"}),
        409,
        "rule:child-dates-must-lie-inside-parent",
    )


async def test_cancelling_a_parent_says_where_its_children_go(company: Company) -> None:
    top = await company.goal(company.hugo, HUGO, **TEAM)
    other = await company.goal(company.hugo, HUGO, **TEAM)

    async def parent_with_child() -> tuple[str, str]:
        parent = await company.goal(company.hugo, HUGO, **TEAM, parent=top)
        return parent, await company.goal(company.hugo, HUGO, **TEAM, parent=parent)

    parent, child = await parent_with_child()
    refused(
        await company.hugo.post(f"/goals/{parent}/cancel", json={"reason": "merged"}),
        409,
        "rule:cancelling-must-say-where-the-children-go",
    )
    await accepted(company.hugo, parent, "cancel", reason="merged", children="to-its-parent")
    assert str((await state(company, child)).parent) == top

    parent, child = await parent_with_child()
    await accepted(company.hugo, parent, "cancel", reason="merged", children="to-another-goal", to=other)
    assert str((await state(company, child)).parent) == other

    parent, child = await parent_with_child()
    await accepted(company.hugo, parent, "cancel", reason="merged", children="under-none")
    assert (await state(company, child)).parent is None

    parent, child = await parent_with_child()
    leaf = await company.goal(company.hugo, ALICE, parent=child)
    await accepted(company.hugo, parent, "cancel", reason="merged", children="cancelled-too")
    assert [(await company.shown(company.hugo, goal))["state"] for goal in (parent, child, leaf)] == ["cancelled"] * 3


async def test_who_may_not_cancel_a_goal_below_cancels_none(company: Company) -> None:
    parent = await company.goal(company.eve, EVE, **TEAM)
    child = await company.goal(company.hugo, ALICE, parent=parent)
    answer = await company.eve.post(f"/goals/{parent}/cancel", json={"reason": "merged", "children": "cancelled-too"})
    assert answer.status_code in {403, 404}
    assert [(await company.shown(company.hanna, goal))["state"] for goal in (parent, child)] == ["active"] * 2


async def test_a_goal_is_missed_with_a_comment_and_reopened(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await accepted(company.alice, goal, "progress", value="7", note="Nights are hard", confidence=4)
    closed = await accepted(company.alice, goal, "miss", closed_on="2026-11-30", comment="Too few of us")
    assert closed["state"] == "missed"
    seen = await company.shown(company.hugo, goal)
    assert (seen["state"], seen["value"], seen["progress"], seen["closed_on"]) == (
        "missed",
        "7",
        "30.00",
        "2026-11-30",
    )
    said = await profile(company, company.hugo, goal)
    assert (said["note"], said["confidence"], said["comment"]) == ("Nights are hard", 4, "Too few of us")
    refused(await company.alice.post(f"/goals/{goal}/progress", json={"value": "1"}), 409, "rule:goal-is-not-active")
    assert (await accepted(company.hugo, goal, "reopen", reason="closed-too-early"))["state"] == "active"
    seen = await company.shown(company.hugo, goal)
    assert (seen["state"], seen["progress"], seen["closed_on"]) == ("active", "30.00", None)
    async with company.service.runtime.engine.connect() as connection:
        stored = "".join((await connection.exec_driver_sql("select data from events")).scalars())
    assert "Nights" not in stored
    assert "few" not in stored


async def test_a_title_is_changed_once_and_the_same_again_changes_nothing(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    assert (await accepted(company.alice, goal, "title", title="Answer within an hour"))["version"] == 2
    assert (await accepted(company.hugo, goal, "title", title="Answer within an hour"))["version"] == 2
    assert (await company.shown(company.hugo, goal))["title"] == "Answer within an hour"
    assert (await accepted(company.hugo, goal, "description", description="Calls, too"))["version"] == 3
    assert (await accepted(company.alice, goal, "description", description="Calls, too"))["version"] == 3


async def test_a_goal_that_is_handed_over_is_read_with_the_next_owners_key(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, description="Calls, too")
    refused(
        await company.alice.post(f"/goals/{goal}/hand-over", json={"owner": str(BOB), "reason": "changed-teams"}),
        403,
        "problem:forbidden",
    )
    await accepted(company.hugo, goal, "hand-over", owner=str(BOB), reason="changed-teams")
    seen = await company.shown(company.bob, goal)
    assert (seen["owner"], seen["title"]) == (str(BOB), "Answer within a day")
    refused(await company.alice.get(f"/goals/{goal}"), 404, "problem:not-found")
    refused(await company.alice.post(f"/goals/{goal}/progress", json={"value": "1"}), 404, "problem:not-found")
    assert (await company.hanna.post(f"/persons/{ALICE}/erase")).status_code == 200
    assert (await company.shown(company.bob, goal))["title"] == "Answer within a day"
    assert (await company.hanna.post(f"/persons/{BOB}/erase")).status_code == 200
    assert (await company.shown(company.hugo, goal))["title"] == "erased"


async def test_a_goal_is_handed_to_somebody_who_works_here(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    gone = record(BOB, HUGO, revision=2, status="left", left_on="2026-01-31")
    await company.service.knows([gone])
    answer = await company.hugo.post(f"/goals/{goal}/hand-over", json={"owner": str(BOB), "reason": "changed-teams"})
    refused(answer, 409, "rule:next-owner-must-be-employed")


async def test_a_goal_goes_on_in_the_next_period_and_the_two_name_each_other(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, tags=["calls"], contributors=[str(BOB)])
    await accepted(company.alice, goal, "progress", value="7")
    answer = await company.alice.post(f"/goals/{goal}/carry-over", json=NEXT_YEAR)
    assert answer.status_code == 200, answer.text
    goes_on = answer.headers["Location"].rsplit("/", 1)[1]
    seen = await company.shown(company.alice, goes_on)
    assert (seen["title"], seen["starts_on"], seen["metric"]["start"]) == ("Answer within a day", "2027-01-01", "7")
    said = await profile(company, company.alice, goes_on)
    assert (said["tags"], said["contributors"], said["carried_from"]) == (["calls"], [str(BOB)], goal)
    assert (await profile(company, company.alice, goal))["carried_to"] == goes_on
    refused(
        await company.alice.post(f"/goals/{goal}/carry-over", json=NEXT_YEAR), 409, "rule:goal-is-carried-over-once"
    )


async def test_contributors_are_known_people(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    stranger = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
    document = refused(
        await company.alice.post(f"/goals/{goal}/contributors", json={"contributors": [stranger]}),
        422,
        "problem:invalid-request",
    )
    assert document["errors"][0]["field"] == "contributors"
    await accepted(company.alice, goal, "contributors", contributors=[str(BOB)])
    assert (await profile(company, company.alice, goal))["contributors"] == [str(BOB)]


async def test_hidden_children_are_shown_as_a_number(company: Company) -> None:
    top = await company.goal(company.hugo, HUGO, **TEAM)
    await company.goal(company.hugo, ALICE, parent=top)
    await company.goal(company.hugo, HUGO, **TEAM, parent=top)
    assert (await profile(company, company.hugo, top))["children_hidden"] == 0
    assert (await profile(company, company.eve, top))["children_hidden"] == 1
    refused(
        await company.eve.get(f"/goals/{await company.goal(company.alice, ALICE)}/profile"), 404, "problem:not-found"
    )


async def test_another_target_reckons_the_progress_anew(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await accepted(company.alice, goal, "progress", value="7")
    metric = goal_of(ALICE)["metric"] | {"target": "4"}
    await accepted(company.hugo, goal, "target", metric=metric)
    assert (await company.shown(company.hugo, goal))["progress"] == "50.00"


async def test_a_title_written_while_the_goal_is_handed_over_is_not_lost(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    goal = await company.goal(company.alice, ALICE)
    open_text, asked, written = Vault.clear, list[str](), list[int]()

    async def clear(vault: Vault, text: Any) -> str | None:
        said = await open_text(vault, text)
        if not asked:
            asked.append(goal)
            written.append((await company.alice.post(f"/goals/{goal}/title", json={"title": "At once"})).status_code)
        return said

    monkeypatch.setattr(Vault, "clear", clear)
    given = await company.hugo.post(f"/goals/{goal}/hand-over", json={"owner": str(BOB), "reason": "moved"})
    assert (written, given.status_code) == ([200], 200)
    assert (await company.shown(company.bob, goal))["title"] == "At once"
