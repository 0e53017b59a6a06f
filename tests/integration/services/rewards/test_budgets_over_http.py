"""Pools and programs over HTTP: who opens them, and money that is exact or refused."""

from typing import Any

import pytest

from shared.schemas.money import Money
from tests.integration.services.rewards.company import BUDGET, Company, accepted, program, refused


async def test_a_pool_is_opened_and_topped_up(company: Company) -> None:
    await company.opened("10000.00")
    body = {"amount": {"amount": "500.50", "currency": "USD"}, "reason": "Board decision"}
    await accepted(company.hanna.post(f"/pools/{company.pool}/top-up", json=body))
    await company.settled()
    assert await company.budget() == ("0.00", "0.00", "10500.50")
    await accepted(company.pat.get(f"/pools/{company.pool}"))


async def test_hr_alone_sets_money_aside(company: Company) -> None:
    await company.opened()
    for client in (company.clara, company.ann):
        await refused(client.post("/pools", json=BUDGET), 404, "problem:not-found")
        await refused(client.get(f"/pools/{company.pool}"), 404, "problem:not-found")
    await refused(company.pat.post("/pools", json=BUDGET), 403, "problem:forbidden")


async def test_a_pool_that_does_not_exist_is_not_found(company: Company) -> None:
    nowhere = "/pools/00000000-0000-0000-0000-000000000001"
    top_up = {"amount": BUDGET["amount"], "reason": "Board decision"}
    await refused(company.hanna.post(f"{nowhere}/top-up", json=top_up), 404, "problem:not-found")
    await refused(company.hanna.get(nowhere), 404, "problem:not-found")


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        ({"amount": "10000.001", "currency": "USD"}, "amount"),
        ({"amount": "100.5", "currency": "JPY"}, "amount"),
        ({"amount": 10000, "currency": "USD"}, "amount.amount"),
        ({"amount": 10000.5, "currency": "USD"}, "amount.amount"),
        ({"amount": "1e4", "currency": "USD"}, "amount.amount"),
        ({"amount": "10000.00", "currency": "XXQ"}, "amount"),
    ],
)
async def test_money_that_is_not_exact_is_refused(company: Company, amount: dict[str, Any], field: str) -> None:
    problem = await refused(
        company.hanna.post("/pools", json=BUDGET | {"amount": amount}), 422, "problem:invalid-request"
    )
    assert [error["field"] for error in problem["errors"]] == [field]
    assert await company.events() == []


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
async def test_a_pool_has_money(company: Company, amount: str) -> None:
    body = BUDGET | {"amount": {"amount": amount, "currency": "USD"}}
    await refused(company.hanna.post("/pools", json=body), 409, "rule:amount-must-be-positive")


async def test_another_currency_does_not_go_into_a_pool(company: Company) -> None:
    await company.opened()
    body = {"amount": Money.from_minor(1, "EUR").model_dump(mode="json"), "reason": "Board decision"}
    problem = await refused(
        company.hanna.post(f"/pools/{company.pool}/top-up", json=body), 409, "rule:currency-must-match-the-pool"
    )
    assert problem["values"] == {"currency": "EUR", "expected": "USD"}


async def test_a_cycle_has_one_program(company: Company) -> None:
    pool = await company.opened()
    await accepted(company.hanna.post("/programs", json=program(pool)))
    other = program(pool) | {"policy_version": "2025.2"}
    await refused(company.hanna.post("/programs", json=other), 409, "rule:cycle-already-has-a-program")
    assert await company.events("program-%") == ["RewardProgramOpened"]


async def test_a_program_needs_a_pool_and_hr(company: Company) -> None:
    nowhere = program("00000000-0000-0000-0000-000000000001")
    await refused(company.hanna.post("/programs", json=nowhere), 409, "rule:pool-must-exist")
    await refused(company.clara.post("/programs", json=nowhere), 404, "problem:not-found")


async def test_a_matrix_with_a_gap_or_a_misspelt_row_is_refused(company: Company) -> None:
    pool = await company.opened()
    body = program(pool)
    gap = body | {"matrix": body["matrix"] | {"rows": body["matrix"]["rows"][1:]}}
    await refused(company.hanna.post("/programs", json=gap), 409, "rule:merit-bands-must-start-at-the-bottom")
    misspelt = body | {"matrix": body["matrix"] | {"unratd": body["matrix"]["unrated"]}}
    problem = await refused(company.hanna.post("/programs", json=misspelt), 422, "problem:invalid-request")
    assert [error["field"] for error in problem["errors"]] == ["matrix.unratd"]
