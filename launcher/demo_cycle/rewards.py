"""Rewards: a budget and a merit program; proposals come by themselves; approved by somebody else; payroll pays."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from launcher.demo_cycle.client import Actor
from launcher.demo_cycle.reviews import Review
from launcher.demo_cycle.stage import Stage, hr
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId

_BUDGET: Final = {"amount": "500000.00", "currency": "USD"}
_BANDS: Final = (("1", "2.5", 0), ("2.5", "4", 2), ("4", None, 4))
_POSITIONS: Final = (("0", "0.9", 2), ("0.9", "1.1", 1), ("1.1", None, 0))
_OPEN: Final = frozenset({"proposed"})


def _matrix() -> dict[str, Any]:
    """Better ratings and lower positions in range get more; a guideline is default -1 ... +2 points."""
    rows = [
        {
            "rating_from": rating_from,
            "rating_below": rating_below,
            "compa_from": compa_from,
            "compa_below": compa_below,
            "guideline": _guideline(merit + position if merit else 0),
        }
        for rating_from, rating_below, merit in _BANDS
        for compa_from, compa_below, position in _POSITIONS
    ]
    return {"scale_minimum": "1", "scale_maximum": "5", "rows": rows}


def _guideline(default: int) -> dict[str, str]:
    low = max(default - 1, 0)
    steps = (max(low - 1, 0), low, default, default + 1, default + 2) if default else (0, 0, 0, 0, 0)
    return dict(zip(("minimum", "low", "default", "high", "maximum"), map(str, steps), strict=True))


async def open_program(stage: Stage, cycle: str) -> None:
    """HR sets money aside and says how merit is shared out, before the first review is completed."""
    start, end = stage.period
    who = hr(stage.company.hr)

    async def opened() -> None:
        pool_body = {"name": f"Merit, cycle no. {stage.number}", "amount": _BUDGET}
        pool = await stage.client.post(who, "/rewards/v1/pools", pool_body)
        program = {
            "cycle": cycle,
            "name": f"Merit, cycle no. {stage.number}",
            "pool": pool["id"],
            "matrix": _matrix(),
            "effective_on": start,
            "coverage_start": start,
            "coverage_end": end,
            "pay_date": (date.fromisoformat(end) + timedelta(days=31)).isoformat(),
            "cost_allocation": "CC-1000",
            "policy_version": "demo-1",
        }
        await stage.client.post(who, "/rewards/v1/programs", program)

    await stage.each("budget and merit program opened", [None], lambda _: opened())


async def approve_and_pay(stage: Stage, reviews: list[Review], cycle: str) -> None:
    """Wait for the proposals that the completed reviews lead to, approve them, wait until payroll has paid."""
    await stage.until("rewards proposed, by themselves", lambda: _considered(stage, reviews, cycle))
    proposed = [r for r in await rewards_of(stage, cycle) if r["status"] in _OPEN]
    await stage.each("rewards approved", proposed, lambda reward: _approve(stage, reward))
    await stage.until("paid by payroll", lambda: _paid(stage, cycle))


async def rewards_of(stage: Stage, cycle: str) -> list[dict[str, Any]]:
    """Every reward of the cycle's program, also those that were not proposed.

    Two look: who acts for HR does not see what is being decided about themselves.
    """
    first = stage.company.hr
    second = stage.company.hr_for(first.person)
    seen = [await stage.client.everything(hr(who), "/rewards/v1/rewards", cycle=cycle) for who in (second, first)]
    return list({reward["id"]: reward for rewards in seen for reward in rewards}.values())


async def reconciliation(stage: Stage) -> dict[str, Any]:
    """What payroll's side sees: approved, issued, answered, paid."""
    return await stage.client.get(Actor(stage.company.hr.person, Role.PAYROLL), "/rewards/v1/reconciliation")


async def _considered(stage: Stage, reviews: list[Review], cycle: str) -> tuple[int, int]:
    return len(await rewards_of(stage, cycle)), len(reviews)


async def _approve(stage: Stage, reward: dict[str, Any]) -> None:
    """Neither who gets it nor who nominated for it."""
    who = stage.company.hr_for(*(PersonId(UUID(p)) for p in (reward["person"], reward.get("nominated_by")) if p))
    await stage.client.post(hr(who), f"/rewards/v1/rewards/{reward['id']}/approve", {})


async def _paid(stage: Stage, cycle: str) -> tuple[int, int]:
    rewards = await rewards_of(stage, cycle)
    owed = [r for r in rewards if r["status"] in {"approved", "granted"}]
    return sum(r["status"] == "granted" for r in owed), len(owed)
