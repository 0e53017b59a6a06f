"""Scenarios: a strategic goal for every department, as a support quarter, a campaign, a project, or a share of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from launcher.demo_cycle import campaign, project, support
from launcher.demo_cycle.measured import last_quarter, team_goal
from launcher.demo_cycle.stage import Stage, hr, manager
from shared.runtime.clock import now

STRATEGY: Final = "Customers come back to us"
_LISTENS: Final = "Each of us listens to a customer"
_ELSEWHERE: Final = "60"


@dataclass(frozen=True)
class Seeds:
    """What the scenarios led to: the strategic goal, the departments' goals below it, and who shows them."""

    strategy: str
    departments: Sequence[str]


async def play(stage: Stage) -> Seeds | None:
    """Each department has its goal below the strategic one; three of them live through a quarter of their own."""
    if not stage.company.leaders:
        return None
    today = now().date()
    quarter = last_quarter(today)
    strategy = (await stage.each("a strategic goal", [None], lambda _: _strategy(stage, today)))[0]
    told = {"parent": strategy, "starts_on": str(quarter[0]), "ends_on": str(quarter[1])}
    service, brand, shop = (_team(stage, name, n) for n, name in enumerate(("sales", "marketing", "it")))
    others = [team for team in stage.company.leaders if team not in {service, brand, shop}]
    departments = await stage.each("cascaded to every department", others, lambda team: _other(stage, team, told))
    departments.append(await support.play(stage, service, told))
    departments.append(await campaign.play(stage, brand, told))
    departments.append(await project.play(stage, shop, told))
    return Seeds(strategy, departments)


def _team(stage: Stage, name: str, place: int) -> str:
    """The department that is called so, else some other."""
    teams = list(stage.company.leaders)
    return next((team for team in teams if team.lower() == name), teams[place % len(teams)])


async def _strategy(stage: Stage, today: date) -> str:
    """It began before the quarter that has ended, and goes on beyond this year."""
    body = {
        "level": "organization",
        "owner": str(stage.company.head.person),
        "title": STRATEGY,
        "starts_on": f"{today.year - 1}-01-01",
        "ends_on": f"{today.year + 1}-12-31",
    }
    return (await stage.client.post(hr(stage.company.hr), "/goals/v1/goals", body))["id"]


async def _other(stage: Stage, team: str, told: dict[str, Any]) -> str:
    metric = {"kind": "percent", "start": "0", "target": "100", "unit": "%"}
    goal = await team_goal(stage, team, _LISTENS, metric=metric, **told)
    who = manager(stage.company.leaders[team])
    await stage.client.post(who, f"/goals/v1/goals/{goal}/progress", {"value": _ELSEWHERE})
    return goal
