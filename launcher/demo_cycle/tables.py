"""What a demo ends with: goals by level, reviews by rating, rewards by status, reconciliation."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from launcher.demo_cycle import rewards
from launcher.demo_cycle.alignment import Coverage
from launcher.demo_cycle.loop import Played
from launcher.demo_cycle.scenarios import Seeds
from launcher.demo_cycle.stage import Stage, hr
from launcher.reconcile import sums

_REPEATED_SECONDS: Final = 60.0


async def show(console: Console, stage: Stage, played: Played) -> int:
    """Print the tables and answer the reconciliation's difference in minor units."""
    console.print(await _goals(stage))
    if played.seeds is not None:
        console.print(await _strategy(stage, played.seeds))
        console.print(_coverage(played.coverage))
    console.print(await _reviews(stage, played.cycle))
    console.print(_rewards(await rewards.rewards_of(stage, played.cycle)))
    reconciled = await _reconciled(stage)
    console.print(sums(reconciled))
    return int(reconciled["difference"])


async def _goals(stage: Stage) -> Table:
    goals = await stage.client.everything(hr(stage.company.hr), "/goals/v1/goals")
    start = stage.period[0]
    by_level: dict[str, list[Decimal]] = defaultdict(list)
    unmeasured: Counter[str] = Counter()
    for goal in goals:
        if goal["starts_on"] == start and goal["progress"] is None:
            unmeasured[goal["level"]] += 1
        elif goal["starts_on"] == start:
            by_level[goal["level"]].append(Decimal(goal["progress"]))
    table = _table("Goals of this cycle", "level", "goals", "lowest %", "mean %", "highest %")
    for level in ("organization", "team", "person"):
        found = by_level[level]
        shown = [f"{n:.2f}" for n in (min(found), sum(found) / len(found), max(found))] if found else ["-"] * 3
        table.add_row(level, str(len(found) + unmeasured[level]), *shown)
    return table


async def _strategy(stage: Stage, seeds: Seeds) -> Table:
    """The strategic goal above, what carries it below."""
    table = _table("The strategy, by department", "goal", "department", "value", "progress %", "state")
    for goal in (seeds.strategy, *seeds.departments):
        found = await stage.client.get(hr(stage.company.hr), f"/goals/v1/goals/{goal}")
        unit = (found["metric"] or {}).get("unit") or ""
        value = f"{found['value']} {unit}".strip() if found["measured_by"] == "metric" else ""
        table.add_row(found["title"], found["team"] or "", value, found["progress"] or "", found["state"])
    return table


def _coverage(seen: Sequence[Coverage]) -> Table:
    table = _table("Alignment coverage", "of", "aligned", "goals", "%", "departments")
    for one in seen:
        departments = f"{one.aligned_departments} of {one.departments}"
        table.add_row(one.when, str(one.aligned), str(one.goals), f"{one.percent}", departments)
    return table


async def _reconciled(stage: Stage) -> dict[str, Any]:
    """As soon as nothing differs, else as it is when the time is over: payroll repeats what a broker has lost of it."""
    deadline = time.monotonic() + _REPEATED_SECONDS
    while True:
        found = await rewards.reconciliation(stage)
        if not found["difference"] or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)


async def _reviews(stage: Stage, cycle: str) -> Table:
    progress = await stage.client.get(hr(stage.company.hr), f"/reviews/v1/cycles/{cycle}")
    table = _table("Reviews by rating", "level", "reviews")
    for level in progress["levels"]:
        table.add_row(level["level"] or "below the first level", str(level["count"]))
    table.add_section()
    for state, count in progress["by_state"].items():
        if count:
            table.add_row(state, str(count))
    return table


def _rewards(found: Sequence[dict[str, Any]]) -> Table:
    money: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    count: Counter[tuple[str, str]] = Counter()
    for reward in found:
        amount = reward.get("amount") or {"amount": "0", "currency": ""}
        key = (reward["status"], amount["currency"])
        money[key] += Decimal(amount["amount"])
        count[key] += 1
    table = _table("Rewards by status", "status", "rewards", "money", "currency")
    for (status, currency), total in sorted(money.items()):
        table.add_row(status, str(count[status, currency]), f"{total:,}", currency)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for n, column in enumerate(columns):
        table.add_column(column, justify="right" if n else "left")
    return table
