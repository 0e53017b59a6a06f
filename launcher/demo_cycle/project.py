"""A project: a goal that stands by its milestones, its budget, which counts twice, and its customers."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from launcher.demo_cycle.measured import Measurement, kpi_for, last_quarter, measure, stands_at, team_goal
from launcher.demo_cycle.stage import Stage, manager
from shared.runtime.clock import now

TITLE: Final = "The new shop is open"
PROGRESS: Final = "88.75"
"""6 of 8 milestones (75 %), the budget kept (100 %, twice), 4.2 of 3 to 4.5 (80 %)."""
_PARTS: Final[tuple[tuple[str, str, str, Mapping[str, Any], Mapping[str, Any]], ...]] = (
    (
        "Milestones",
        "project.milestones",
        "1",
        {"kind": "milestones", "target": "8"},
        {"name": "Milestones reached", "aggregation": "sum", "target": "8"},
    ),
    (
        "Budget",
        "project.budget",
        "2",
        {"kind": "percent", "start": "120", "target": "100", "unit": "%"},
        {
            "name": "Spent of what was planned",
            "kind": "ratio",
            "unit": "%",
            "per": "100",
            "direction": "falling",
            "aggregation": "ratio-of-sums",
            "target": "100",
            "thresholds": {"on_track": "100", "at_risk": "110"},
        },
    ),
    (
        "Satisfaction",
        "project.satisfaction",
        "1",
        {"kind": "number", "start": "3", "target": "4.5"},
        {"name": "How customers grade the shop", "aggregation": "mean", "target": "4.5"},
    ),
)
_BILLS: Final = (("95000", "100000"), ("115000", "110000"), ("90000", "90000"))
"""What was spent and what was planned, month by month: as much, in all."""
_GRADES: Final = ("4", "4.5", "4.1")


async def play(stage: Stage, team: str, told: Mapping[str, Any]) -> str:
    """Three parts, each moved by what is measured of it."""
    leader = stage.company.leaders[team]
    goal = await team_goal(stage, team, TITLE, **told)
    kpis: list[str] = []
    for title, code, weight, metric, kpi in _PARTS:
        part = await team_goal(stage, team, title, **{**told, "parent": goal}, weight=weight, metric=metric)
        kpis.append(await kpi_for(stage, leader, part, code, **kpi))
    await measure(stage, leader, _measured(*kpis), what="project: what was measured")
    what = "project: milestones, budget, satisfaction"
    await stands_at(stage, manager(leader), goal, progress=PROGRESS, what=what)
    return goal


def _measured(milestones: str, budget: str, satisfaction: str) -> Iterator[Measurement]:
    start = last_quarter(now().date())[0]
    for n in range(6):
        yield Measurement(milestones, start + timedelta(days=12 * n), {"value": "1"})
    for month, (spent, planned) in enumerate(_BILLS):
        yield Measurement(budget, start + timedelta(days=28 * month + 20), {"numerator": spent, "denominator": planned})
    for n, grade in enumerate(_GRADES):
        yield Measurement(satisfaction, start + timedelta(days=60 + n), {"value": grade})
