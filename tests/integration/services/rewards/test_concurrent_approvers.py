"""A pool under 32 approvers at once: never overspent by a minor unit, and overspent once its guard is taken away."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.budget_pool import POOL, Open
from shared.eventsourcing.append import Append
from shared.eventsourcing.decider import Decider
from shared.eventsourcing.decision import Decision, Loaded
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.store import EventStore, Head
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import record
from tests.integration.services.rewards.company import MIRA, Company, accepted, rules

APPROVERS = 32
AFFORDABLE = 10
AMOUNT = 180_000
TOO_LITTLE_FOR_ONE_MORE = AMOUNT - 1
AT_ONCE = 8
"""How many read before any of them writes, where turns are taken away; fewer than there are connections."""

_append = EventStore.append
_HEADS = text("select stream, version from streams where stream = any(:streams) order by stream for update")


async def contested(company: Company, affordable: int) -> list[str]:
    """32 proposals for none of which money is reserved, and then money for some."""
    people = [PersonId(derived("person", "contested", n)) for n in range(APPROVERS)]
    await company.service.knows([record(who, MIRA) for who in people])
    rewards = await company.proposed(*people, budget="0.01")
    await topped_up(company, affordable * AMOUNT + TOO_LITTLE_FOR_ONE_MORE - 1)
    return rewards


async def topped_up(company: Company, minor: int) -> None:
    money = {"amount": f"{minor // 100}.{minor % 100:02}", "currency": "USD"}
    await accepted(company.hanna.post(f"/pools/{company.pool}/top-up", json={"amount": money, "reason": "Board"}))
    await company.settled()


async def approved_at_once(company: Company, rewards: Sequence[str]) -> tuple[dict[str, int], float]:
    """How often the approvers got which answer, and the seconds until the last had theirs; each one a person in HR."""

    async def approve(n: int, reward: str) -> Any:
        async with company.service.client(PersonId(derived("approver", n)), Role.HR) as approver:
            return await approver.post(f"/rewards/{reward}/approve")

    start = time.perf_counter()
    answers = await asyncio.gather(*(approve(n, reward) for n, reward in enumerate(rewards)))
    took = time.perf_counter() - start
    await company.settled()
    return rules(answers), took


async def available(company: Company) -> int:
    """Minor units left in the pool, as its stream says; below zero where it is overspent."""
    handler = company.service.runtime.handler
    handler.forget(f"pool-{company.pool}")
    async with company.service.runtime.engine.connect() as connection:
        pool = (await handler.load(connection, POOL, UUID(company.pool))).state
    assert isinstance(pool, Open)
    return pool.available


async def test_a_contested_pool_is_spent_to_the_last_reward_it_affords(company: Company) -> None:
    rewards = await contested(company, AFFORDABLE)
    answers, _ = await approved_at_once(company, rewards)
    assert answers == {"ok": AFFORDABLE, "rule:budget-must-not-be-overspent": APPROVERS - AFFORDABLE}
    assert await available(company) == TOO_LITTLE_FOR_ONE_MORE
    assert (await company.events("pool-%")).count("BudgetCommitted") == AFFORDABLE
    assert len(await company.events("payment-%")) == AFFORDABLE
    reconciled = await company.reconciled()
    assert (reconciled["difference"], reconciled["currencies"][0]["approved"]) == (0, AFFORDABLE * AMOUNT)
    await topped_up(company, 1)
    answers, _ = await approved_at_once(company, rewards)
    assert answers["ok"] == AFFORDABLE + 1, "one minor unit more is one reward more; the others get their answer again"
    assert (await company.events("pool-%")).count("BudgetCommitted") == AFFORDABLE + 1
    assert await available(company) == 0


async def test_approvals_rejections_and_top_ups_at_once_leave_a_pool_that_adds_up(company: Company) -> None:
    rewards = await contested(company, AFFORDABLE)
    more = 4

    async def decide(n: int, reward: str) -> int:
        if n % 4 == 0:
            return (await company.hanna.post(f"/rewards/{reward}/reject", json={"reason": "left"})).status_code
        return (await company.hanna.post(f"/rewards/{reward}/approve")).status_code

    async def top_up() -> int:
        body = {"amount": {"amount": f"{AMOUNT // 100}.00", "currency": "USD"}, "reason": "Board"}
        return (await company.hanna.post(f"/pools/{company.pool}/top-up", json=body)).status_code

    decided = (decide(n, reward) for n, reward in enumerate(rewards))
    codes = await asyncio.gather(*decided, *(top_up() for _ in range(more)))
    approved = [code for n, code in enumerate(codes[:APPROVERS]) if n % 4].count(200)
    assert set(codes) <= {200, 409}
    assert set(codes[APPROVERS:]) == {200}
    assert AFFORDABLE <= approved <= AFFORDABLE + more
    assert await available(company) == TOO_LITTLE_FOR_ONE_MORE + (AFFORDABLE + more - approved) * AMOUNT
    await company.settled()
    assert (await company.reconciled())["difference"] == 0


async def test_out_of_turn_the_pool_is_not_overspent_either(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns save conflicts; what keeps the pool is the check of the stream's head at the append."""
    rewards = await contested(company, AFFORDABLE)
    monkeypatch.setattr(Decision, "in_turn", together(AT_ONCE))
    answers, _ = await approved_at_once(company, rewards)
    assert answers["ok"] <= AFFORDABLE
    assert await available(company) == TOO_LITTLE_FOR_ONE_MORE + (AFFORDABLE - answers["ok"]) * AMOUNT


async def test_without_the_check_of_the_streams_head_it_is(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    rewards = await contested(company, AFFORDABLE)
    monkeypatch.setattr(Decision, "in_turn", together(AT_ONCE))
    monkeypatch.setattr(EventStore, "append", append_to_whatever_is_there)
    answers, _ = await approved_at_once(company, rewards)
    print(f"{answers['ok']} approved where {AFFORDABLE} were affordable, {await available(company)} minor units left")
    assert answers["ok"] > AFFORDABLE
    assert await available(company) == TOO_LITTLE_FOR_ONE_MORE - (answers["ok"] - AFFORDABLE) * AMOUNT < 0


@pytest.mark.parametrize("in_turn", [True, False], ids=["in turn", "out of turn"])
async def test_what_turns_are_worth(company: Company, monkeypatch: pytest.MonkeyPatch, *, in_turn: bool) -> None:
    rewards = await contested(company, APPROVERS)
    if not in_turn:
        monkeypatch.setattr(Decision, "in_turn", Decision.load)
    answers, took = await approved_at_once(company, rewards)
    print(f"{'in' if in_turn else 'out of'} turn: {answers} in {took * 1000:.0f} ms")
    assert answers["ok"] == APPROVERS or not in_turn
    assert set(answers) <= {"ok", "problem:conflict"}


def together(count: int) -> Any:
    """In place of turns: the first readers go on when `count` of them have read, whoever comes later at once."""
    read = 0
    enough = asyncio.Event()

    async def load(decision: Decision, decider: Decider[Any], identity: UUID) -> Loaded[Any]:
        nonlocal read
        loaded = await decision.load(decider, identity)
        read += 1
        if read >= count:
            enough.set()
        await enough.wait()
        return loaded

    return load


async def append_to_whatever_is_there(
    store: EventStore, connection: AsyncConnection, appends: Sequence[Append]
) -> Mapping[str, Head]:
    """The append, without asking whether the stream is still where the decision read it."""
    rows = await connection.execute(_HEADS, {"streams": [each.stream for each in appends]})
    heads = {row.stream: row.version for row in rows}
    return await _append(store, connection, [replace(each, expected=heads.get(each.stream, 0)) for each in appends])
