"""Rewards over HTTP: approve, adjust, reject; who may, what is one transaction, and who sees what when."""

import httpx
import pytest

from shared.runtime.caller import Role
from tests.integration.services.rewards.company import (
    ANN,
    BOB,
    HANNA,
    MERIT,
    MIRA,
    Company,
    accepted,
    refused,
)

RAISE = {"percent": "4.5", "reason": "vacancy-carried"}
REASON = {"reason": "proposed-twice"}


async def test_an_approval_spends_the_budget_and_tells_payroll_in_one_transaction(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    answer = await accepted(company.hanna.post(f"/rewards/{reward}/approve"))
    assert (answer["state"], answer["version"], answer["allowed_actions"]) == ("approved", 2, [])
    await company.settled()
    assert await company.budget() == ("0.00", MERIT, "8200.00")
    assert sorted((await company.events())[-3:]) == ["BudgetCommitted", "PaymentInstructionIssued", "RewardApproved"]
    shown = await company.shown(reward)
    assert (shown["status"], shown["approved_by"]) == ("approved", str(HANNA))
    assert (await company.reconciled())["difference"] == 0


async def test_a_manager_above_who_did_not_nominate_approves(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    await accepted(company.clara.post(f"/rewards/{reward}/approve"))


async def test_without_budget_nothing_of_an_approval_is_kept(company: Company) -> None:
    _, short = await company.proposed(ANN, BOB, budget="2000.00")
    before = await company.events()
    problem = await refused(company.hanna.post(f"/rewards/{short}/approve"), 409, "rule:budget-must-not-be-overspent")
    assert problem["values"] == {"available": "200.00", "requested": MERIT, "currency": "USD"}
    assert await company.events() == before
    top_up = {"amount": {"amount": "1600.00", "currency": "USD"}, "reason": "Board decision"}
    await accepted(company.hanna.post(f"/pools/{company.pool}/top-up", json=top_up))
    await accepted(company.hanna.post(f"/rewards/{short}/approve"))
    await company.settled()
    assert await company.budget() == (MERIT, MERIT, "0.00")


async def test_nobody_approves_what_they_gain_or_nominated(company: Company) -> None:
    reward, own = await company.proposed(ANN, HANNA)
    before = await company.events()
    await refused(company.mira.post(f"/rewards/{reward}/approve"), 409, "rule:approver-must-not-be-the-proposer")
    await refused(company.hanna.post(f"/rewards/{own}/approve"), 409, "rule:approver-must-not-be-the-beneficiary")
    await refused(
        company.hanna.post(f"/rewards/{own}/adjust", json=RAISE), 409, "rule:adjuster-must-not-be-the-beneficiary"
    )
    assert await company.events() == before
    await accepted(company.hugo.post(f"/rewards/{own}/approve"))


@pytest.mark.parametrize("action", ["approve", "reject", "adjust"])
async def test_who_may_not_see_a_reward_does_not_find_it(company: Company, action: str) -> None:
    [reward] = await company.proposed(ANN)
    body = {"approve": None, "reject": REASON, "adjust": RAISE}[action]
    for client in (company.ann, company.eve):
        await refused(client.post(f"/rewards/{reward}/{action}", json=body), 404, "problem:not-found")
    await refused(company.pat.post(f"/rewards/{reward}/{action}", json=body), 403, "problem:forbidden")
    nowhere = "/rewards/00000000-0000-0000-0000-000000000001"
    await refused(company.hanna.post(f"{nowhere}/{action}", json=body), 404, "problem:not-found")


async def test_an_approval_after_an_adjustment_pays_the_adjusted_amount(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    answer = await accepted(company.mira.post(f"/rewards/{reward}/adjust", json=RAISE))
    assert answer["allowed_actions"] == ["reject", "adjust"]
    await company.settled()
    assert await company.budget() == ("2700.00", "0.00", "7300.00")
    await accepted(company.hanna.post(f"/rewards/{reward}/approve"))
    await company.settled()
    assert await company.budget() == ("0.00", "2700.00", "7300.00")
    shown = await company.shown(reward)
    assert (shown["amount"]["amount"], shown["warnings"]) == ("2700.00", ["merit-percent-above-the-guideline"])
    [line] = (await company.reconciled())["currencies"]
    assert (line["approved"], line["issued"]) == (270_000, 270_000)


async def test_who_adjusted_does_not_approve(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    await accepted(company.hugo.post(f"/rewards/{reward}/adjust", json=RAISE))
    await refused(company.hugo.post(f"/rewards/{reward}/approve"), 409, "rule:approver-must-not-be-the-proposer")


async def test_an_adjustment_keeps_to_guideline_and_budget(company: Company) -> None:
    [reward] = await company.proposed(ANN, budget="2000.00")
    path = f"/rewards/{reward}/adjust"
    before = await company.events()
    await refused(
        company.hugo.post(path, json=RAISE | {"percent": "5.01"}), 409, "rule:merit-percent-must-be-within-the-limits"
    )
    await refused(company.hugo.post(path, json=RAISE), 409, "rule:budget-must-not-be-overspent")
    await refused(company.hugo.post(path, json=RAISE | {"percent": 4}), 422, "problem:invalid-request")
    assert await company.events() == before


async def test_a_rejection_gives_the_budget_back(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    await accepted(company.mira.post(f"/rewards/{reward}/reject", json=REASON))
    await company.settled()
    assert await company.budget() == ("0.00", "0.00", "10000.00")
    assert (await company.shown(reward))["status"] == "rejected"
    for action, body in (("approve", None), ("adjust", RAISE)):
        await refused(company.hanna.post(f"/rewards/{reward}/{action}", json=body), 409, "rule:reward-is-not-proposed")
    assert await company.events("payment-%") == []


async def test_what_is_approved_cannot_be_rejected(company: Company) -> None:
    reward, _ = await company.approved()
    await refused(company.hugo.post(f"/rewards/{reward}/reject", json=REASON), 409, "rule:reward-is-not-proposed")
    assert await company.budget() == ("0.00", MERIT, "8200.00")


async def test_another_version_is_not_approved(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    path = f"/rewards/{reward}/approve"
    seen = (await company.hanna.get(f"/rewards/{reward}")).headers["ETag"]
    await accepted(company.mira.post(f"/rewards/{reward}/adjust", json=RAISE))
    await refused(company.hanna.post(path, headers={"If-Match": seen}), 412, "problem:precondition-failed")
    await accepted(company.hanna.post(path, headers={"If-Match": '"2"'}))


async def test_the_same_approval_sent_again_gets_the_same_answer(company: Company) -> None:
    reward, other = await company.proposed(ANN, BOB)
    key = {"Idempotency-Key": "approval-1"}
    first = await company.hanna.post(f"/rewards/{reward}/approve", headers=key)
    stored = await company.events()
    again = await company.hanna.post(f"/rewards/{reward}/approve", headers=key)
    assert (again.status_code, again.json(), again.headers["ETag"]) == (200, first.json(), first.headers["ETag"])
    await refused(company.hanna.post(f"/rewards/{other}/approve", headers=key), 422, "problem:idempotency-key-reused")
    await accepted(company.hanna.post(f"/rewards/{reward}/approve"))
    await refused(company.hugo.post(f"/rewards/{reward}/approve"), 409, "rule:reward-is-not-proposed")
    assert await company.events() == stored


async def listed(client: httpx.AsyncClient, **asked: str) -> set[str]:
    return {reward["id"] for reward in (await accepted(client.get("/rewards", params=asked)))["items"]}


async def test_everybody_lists_what_they_may_see(company: Company) -> None:
    ann, bob, hanna = await company.proposed(ANN, BOB, HANNA)
    assert await listed(company.hugo) == await listed(company.pat) == {ann, bob, hanna}
    assert await listed(company.clara) == {ann, bob, hanna}
    assert await listed(company.mira) == {ann, bob}
    assert await listed(company.mira, person=str(BOB)) == {bob}
    assert await listed(company.eve) == await listed(company.ann) == set()
    await refused(company.ann.get("/rewards", params={"person": str(BOB)}), 404, "problem:not-found")
    await refused(company.mira.get("/rewards", params={"person": str(HANNA)}), 404, "problem:not-found")
    await refused(company.mira.get("/rewards/totals"), 404, "problem:not-found")


async def test_a_beneficiary_sees_a_reward_once_it_is_approved(company: Company) -> None:
    ann, hanna = await company.proposed(ANN, HANNA)
    await refused(company.ann.get(f"/rewards/{ann}"), 404, "problem:not-found")
    await refused(company.hanna.get(f"/rewards/{hanna}"), 404, "problem:not-found")
    assert await listed(company.hanna) == {ann}
    for reward in (ann, hanna):
        await accepted(company.hugo.post(f"/rewards/{reward}/approve"))
    await company.settled()
    assert (await accepted(company.ann.get(f"/rewards/{ann}")))["amount"]["amount"] == MERIT
    assert await listed(company.ann) == await listed(company.ann, person=str(ANN)) == {ann}
    assert await listed(company.hanna) == {ann, hanna}


async def test_the_totals_tell_number_and_money(company: Company) -> None:
    ann, _ = await company.proposed(ANN, BOB)
    await accepted(company.hanna.post(f"/rewards/{ann}/approve"))
    await company.settled()
    totals = await accepted(company.pat.get("/rewards/totals"))
    assert [(t["status"], t["currency"], t["count"], t["amount_minor"]) for t in totals] == [
        ("approved", "USD", 1, 180_000),
        ("proposed", "USD", 1, 180_000),
    ]


async def test_no_two_duties_meet(company: Company) -> None:
    await company.approved()
    assert await accepted(company.pat.get("/duties")) == []
    await refused(company.clara.get("/duties"), 404, "problem:not-found")


async def test_the_answer_says_what_the_caller_may_do_next(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    async with company.service.client(MIRA, Role.MANAGER, Role.HR) as both:
        answer = await accepted(both.post(f"/rewards/{reward}/adjust", json=RAISE))
    assert answer["allowed_actions"] == ["reject", "adjust"], "the nominator does not approve, HR or not"
