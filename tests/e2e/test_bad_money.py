"""Bad money and wrong approvers against what really runs: each is refused in words that name the rule and the value."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from rich.progress import Progress

from launcher.demo_cycle import reviews, rewards
from launcher.demo_cycle.client import Client
from launcher.demo_cycle.company import Company
from launcher.demo_cycle.journal import Journal
from launcher.demo_cycle.stage import Stage
from shared.runtime.caller import Role
from shared.schemas.people import PersonRecord
from tests.e2e.installation import Installation
from tests.e2e.refusals import broken_rule, refused

pytestmark = pytest.mark.e2e


@pytest.fixture
async def as_hr(installation: Installation) -> AsyncIterator[httpx.AsyncClient]:
    async with installation.client("rewards", installation.company.hr.person, Role.HR) as client:
        yield client


@pytest.fixture
def beneficiary(installation: Installation) -> PersonRecord:
    """Who leads nobody."""
    company = installation.company
    return next(p for p in company.people if p.person not in company.reports and p.manager)


@pytest.fixture
async def proposed(installation: Installation, beneficiary: PersonRecord) -> dict[str, Any]:
    """A reward of the beneficiary, proposed when a review of theirs was completed, as in a demo."""
    client = Client(installation.folder, installation.addresses.services, Journal(None))
    company = installation.company
    few = [*line_above(company, beneficiary), *line_above(company, company.hr)]
    stage = Stage(
        client,
        Company(list({p.person: p for p in few}.values())),
        ("2026-01-01", "2026-12-31"),
        0,
        Progress(disable=True),
    )
    try:
        cycle, opened = await reviews.open_cycle(stage)
        await reviews.rate_and_release(stage, opened)
        await rewards.open_program(stage, cycle)
        await reviews.complete(stage, opened)
        await stage.until("proposed", lambda: proposals(stage, cycle, opened))
        return next(r for r in await rewards.rewards_of(stage, cycle) if r["person"] == str(beneficiary.person))
    finally:
        await client.close()


def line_above(company: Company, person: PersonRecord) -> list[PersonRecord]:
    """The person and everybody above them."""
    above = company.manager_of(person)
    return [person, *(line_above(company, above) if above else [])]


async def proposals(stage: Stage, cycle: str, opened: list[reviews.Review]) -> tuple[int, int]:
    return len(await rewards.rewards_of(stage, cycle)), len(opened)


def pool(amount: Any) -> dict[str, Any]:
    return {"name": "Merit", "amount": {"amount": amount, "currency": "USD"}}


async def wrong_amount(as_hr: httpx.AsyncClient, amount: Any) -> dict[str, Any]:
    document = refused(await as_hr.post("/pools", json=pool(amount)), 422, "problem:invalid-request")
    [error] = document["errors"]
    return error


async def test_an_amount_with_too_many_decimals_names_the_currencys(as_hr: httpx.AsyncClient) -> None:
    error = await wrong_amount(as_hr, "100.001")
    assert error["field"] == "amount"
    assert error["message"] == "100.001 has more decimal places than USD has (2)"


async def test_a_number_where_a_money_string_belongs_is_shown_how(as_hr: httpx.AsyncClient) -> None:
    error = await wrong_amount(as_hr, 100.5)
    assert (error["field"], error["value"]) == ("amount.amount", 100.5)
    assert "string" in error["message"]


async def test_a_bare_amount_where_money_belongs_is_shown_how(as_hr: httpx.AsyncClient) -> None:
    answer = await as_hr.post("/pools", json={"name": "Merit", "amount": "100.00"})
    [error] = refused(answer, 422, "problem:invalid-request")["errors"]
    assert (error["field"], error["value"]) == ("amount", "100.00")
    assert '{"amount": "12.50", "currency": "USD"}' in error["message"]


async def test_nobody_approves_what_they_gain(
    installation: Installation, proposed: dict[str, Any], beneficiary: PersonRecord
) -> None:
    async with installation.client("rewards", beneficiary.person, Role.HR) as client:
        answer = await client.post(f"/rewards/{proposed['id']}/approve", json={})
    values = broken_rule(answer, "approver-must-not-be-the-beneficiary")
    assert str(beneficiary.person) in values.values()
