"""Goals that KPIs move: define one, bind a goal to it, tell what was measured, and wait for the goal to stand there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from launcher.demo_cycle.client import Actor
from launcher.demo_cycle.stage import Stage, manager
from shared.eventsourcing.identifiers import uuid7
from shared.schemas.people import PersonRecord

_MONTHS_OF_A_QUARTER: Final = 3
_A_NUMBER: Final = {"kind": "number", "direction": "rising"}


def last_quarter(today: date) -> tuple[date, date]:
    """First and last day of the calendar quarter that has just ended: all of it can have been measured."""
    this = today.replace(month=today.month - (today.month - 1) % _MONTHS_OF_A_QUARTER, day=1)
    end = this - timedelta(days=1)
    return end.replace(month=end.month - _MONTHS_OF_A_QUARTER + 1, day=1), end


async def team_goal(stage: Stage, team: str, title: str, **said: Any) -> str:
    """The id of a goal that the team's leader sets."""
    leader = stage.company.leaders[team]
    body = {"level": "team", "team": team, "owner": str(leader.person), "title": title, **said}
    return (await stage.client.post(manager(leader), "/goals/v1/goals", body))["id"]


@dataclass(frozen=True)
class Measurement:
    """What is told of a KPI at noon of a day: a value, or the two counts of a ratio."""

    kpi: str
    day: date
    figures: Mapping[str, str]


async def kpi_for(stage: Stage, leader: PersonRecord, goal: str, code: str, **said: Any) -> str:
    """The id of a new KPI, which moves the goal from now on; codes are given once, and there are many demos."""
    usual = {"code": f"{code}.{uuid7().hex[-8:]}", "owner": str(leader.person), "source": "demo"}
    defined = await stage.client.post(manager(leader), "/goals/v1/kpis", {**_A_NUMBER, **usual, **said})
    bound = {"kpi": defined["id"], "aggregation": said["aggregation"]}
    await stage.client.post(manager(leader), f"/goals/v1/goals/{goal}/bind", bound)
    return defined["id"]


async def measure(stage: Stage, leader: PersonRecord, measurements: Iterable[Measurement], *, what: str) -> None:
    """Tell each of them by itself, as the demo's journal is about commands that one key stands for."""
    await stage.each(what, measurements, lambda one: _measure(stage, leader, one))


async def _measure(stage: Stage, leader: PersonRecord, one: Measurement) -> None:
    body = {"id": uuid7().hex, "measured_at": f"{one.day}T12:00:00Z", "source": "demo", **one.figures}
    await stage.client.post(manager(leader), f"/goals/v1/kpis/{one.kpi}/measurements", body)


async def stands_at(stage: Stage, who: Actor, goal: str, *, what: str, **figures: str) -> None:
    """Wait until the goal has come as far as all that was measured says, by these figures of it."""

    async def there() -> tuple[int, int]:
        goal_now = await stage.client.get(who, f"/goals/v1/goals/{goal}")
        return int(all(goal_now[name] == figure for name, figure in figures.items())), 1

    await stage.until(what, there)
