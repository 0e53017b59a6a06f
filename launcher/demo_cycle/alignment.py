"""Alignment: which share of the goals hangs, over whatever goals between, below one of the organization."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from launcher.demo_cycle.scenarios import Seeds
from launcher.demo_cycle.stage import Stage, employee, hr

_TWO_PLACES: Final = Decimal("0.01")
Goal = Mapping[str, Any]


@dataclass(frozen=True)
class Coverage:
    """How many of the goals asked about are aligned, at one moment of the demo."""

    when: str
    aligned: int
    goals: int

    @property
    def percent(self) -> Decimal:
        return (Decimal(100 * self.aligned) / self.goals).quantize(_TWO_PLACES, ROUND_HALF_UP)


def aligned(goals: Iterable[Goal], asked: Collection[str]) -> set[str]:
    """Those of the goals asked about whose chain of parents ends at a goal of the organization."""
    known = {goal["id"]: goal for goal in goals}
    return {one for one in asked if _top(known, known.get(one)) == "organization"}


def _top(known: Mapping[str, Goal], goal: Goal | None) -> str | None:
    """The level of the goal at the end of the chain; None where the chain leads to one that is not shown."""
    while goal is not None and goal["parent"] is not None:
        goal = known.get(goal["parent"])
    return None if goal is None else goal["level"]


async def lose_and_find_one(stage: Stage, own: Collection[str], seeds: Seeds) -> list[Coverage]:
    """Everybody's goals and the departments' are aligned; one more that hangs below none shows, until it is aligned."""
    asked = {*own, *seeds.departments}
    seen = [await _coverage(stage, "everybody's goals and the departments'", asked)]
    orphan = (await stage.each("a goal that hangs below none", [None], lambda _: _orphan(stage)))[0]
    seen.append(await _coverage(stage, "with one that hangs below none", {*asked, orphan}))
    await stage.each("aligned under the strategic goal", [orphan], lambda goal: _align(stage, goal, seeds.strategy))
    seen.append(await _coverage(stage, "once it is aligned", {*asked, orphan}))
    return seen


async def _coverage(stage: Stage, when: str, asked: Collection[str]) -> Coverage:
    goals = await stage.client.everything(hr(stage.company.hr), "/goals/v1/goals")
    return Coverage(when, len(aligned(goals, asked)), len(asked))


async def _orphan(stage: Stage) -> str:
    owner = stage.company.people[-1]
    body = {
        "level": "person",
        "owner": str(owner.person),
        "title": "Learn a language",
        "starts_on": stage.period[0],
        "ends_on": stage.period[1],
    }
    return (await stage.client.post(employee(owner), "/goals/v1/goals", body))["id"]


async def _align(stage: Stage, goal: str, parent: str) -> None:
    owner = employee(stage.company.people[-1])
    await stage.client.post(owner, f"/goals/v1/goals/{goal}/align", {"parent": parent})
