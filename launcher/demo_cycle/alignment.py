"""Alignment: which share of the goals hangs below one of the organization, as the goals service tells it."""

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from launcher.demo_cycle.scenarios import Seeds
from launcher.demo_cycle.stage import Stage, employee, hr

_TWO_PLACES: Final = Decimal("0.01")
_ALL: Final = Decimal(100)
"""Percent, as a report says it of a department none of whose goals is an orphan."""


@dataclass(frozen=True)
class Coverage:
    """How many of the goals asked about are aligned at one moment of the demo, and how many departments wholly."""

    when: str
    aligned: int
    goals: int
    aligned_departments: int = 0
    departments: int = 0

    @property
    def percent(self) -> Decimal:
        return (Decimal(100 * self.aligned) / self.goals).quantize(_TWO_PLACES, ROUND_HALF_UP)


async def lose_and_find_one(stage: Stage, own: Collection[str], seeds: Seeds) -> list[Coverage]:
    """Everybody's goals and the departments' are aligned; one more that hangs below none shows, until it is aligned."""
    asked = {*own, *seeds.departments}
    seen = [await _coverage(stage, "everybody's goals and the departments'", asked)]
    orphan = (await stage.each("a goal that hangs below none", [None], lambda _: _orphan(stage)))[0]
    seen.append(await _coverage(stage, "with one that hangs below none", {*asked, orphan}))
    await stage.each("aligned under the strategic goal", [orphan], lambda goal: _align(stage, goal, seeds.strategy))
    seen.append(await _coverage(stage, "once it is aligned", {*asked, orphan}))
    return seen


async def _coverage(stage: Stage, when: str, asked: AbstractSet[str]) -> Coverage:
    aligned = await stage.client.everything(hr(stage.company.hr), "/goals/v1/goals", aligned=True)
    by_department = await _by_department(stage)
    return Coverage(
        when,
        len(asked & {goal["id"] for goal in aligned}),
        len(asked),
        aligned_departments=sum(all(goals) for goals in by_department.values()),
        departments=len(by_department),
    )


async def _by_department(stage: Stage) -> dict[str, list[bool]]:
    """Of each department, which is a team here, whether all its goals are aligned: its people's, and its own."""
    found = defaultdict[str, list[bool]](list)
    for level in ("person", "team"):
        report = await stage.client.get(
            hr(stage.company.hr), "/goals/v1/reports/teams", level=level, begins=stage.period[0], ends=stage.period[1]
        )
        for team in report["teams"]:
            if team["team"] is not None:
                found[team["team"]].append(Decimal(team["coverage"]) == _ALL)
    return found


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
