"""A support quarter: 95 % of tickets within 24 hours, measured week by week and spoken of month by month."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from launcher.demo_cycle.measured import Measurement, kpi_for, last_quarter, measure, stands_at, team_goal
from launcher.demo_cycle.stage import Stage, manager
from shared.runtime.clock import now

TITLE: Final = "95 % of tickets within 24 hours"
_WEEKS: Final = 13
_TICKETS: Final = 200
_AT_FIRST: Final = 184
"""Within a day, of the first week; one more with every week is 95 % of all."""
_CHECK_INS: Final = (30, 60, 88)
"""Days after the quarter began."""


async def play(stage: Stage, team: str, told: Mapping[str, Any]) -> str:
    """The goal is reached over the quarter as a whole, though not in its first weeks; then a person closes it."""
    leader, start = stage.company.leaders[team], last_quarter(now().date())[0]
    metric = {"kind": "percent", "start": "80", "target": "95", "unit": "%"}
    goal = await team_goal(stage, team, TITLE, metric=metric, **told)
    kpi = await kpi_for(
        stage,
        leader,
        goal,
        "support.tickets-within-24h",
        name="Tickets answered within 24 hours",
        kind="ratio",
        unit="%",
        per="100",
        aggregation="ratio-of-sums",
        target="95",
        thresholds={"on_track": "95", "at_risk": "90"},
    )
    await measure(stage, leader, (_week(kpi, start, n) for n in range(_WEEKS)), what="support: tickets, week by week")
    await stage.each("support: check-ins of the quarter", _CHECK_INS, lambda day: _check_in(stage, team, goal, day))
    await stands_at(stage, manager(leader), goal, value="95", what="support: 95 % of the quarter's tickets")
    closing = {"closed_on": told["ends_on"], "comment": "After a slow start we kept what we promised."}
    await stage.client.post(manager(leader), f"/goals/v1/goals/{goal}/achieve", closing)
    return goal


def _week(kpi: str, start: date, n: int) -> Measurement:
    counts = {"numerator": str(_AT_FIRST + n), "denominator": str(_TICKETS)}
    return Measurement(kpi, start + timedelta(weeks=n, days=5), counts)


async def _check_in(stage: Stage, team: str, goal: str, day: int) -> None:
    """With whoever leads the leader; a head of the company has nobody to talk to."""
    leader, start = stage.company.leaders[team], last_quarter(now().date())[0]
    if (above := stage.company.manager_of(leader)) is None:
        return
    body = {
        "person": str(leader.person),
        "held_on": str(start + timedelta(days=day)),
        "notes": "How many tickets waited for longer than a day, and why.",
        "shared": True,
        "goals": [goal],
    }
    await stage.client.post(manager(above), "/feedback/v1/check-ins", body)
