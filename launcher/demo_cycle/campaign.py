"""A campaign: engagement up by 20 %, a marketing team's goal that stands where its members' goals bring it."""

from collections.abc import Mapping
from typing import Any, Final

from launcher.demo_cycle.measured import stands_at, team_goal
from launcher.demo_cycle.stage import Stage, employee, manager
from shared.schemas.people import PersonRecord

TITLE: Final = "Engagement up by 20 %"
_METRIC: Final = {"kind": "percent", "start": "0", "target": "20", "unit": "%"}
_BROUGHT: Final = ("14", "20", "17", "10")
"""By how many percent each of the members brings it up, in turn."""
_MEMBERS: Final = 50
"""Of a larger team these take part."""


async def play(stage: Stage, team: str, told: Mapping[str, Any]) -> str:
    """Each member has a goal of their own below the team's, and all of them weigh the same."""
    members = [person for person in stage.company.people if person.team == team][:_MEMBERS]
    names = [str(person.person) for person in members]
    goal = await team_goal(stage, team, TITLE, metric=_METRIC, measured_by="children", contributors=names, **told)
    below = {**told, "parent": goal}
    numbered = list(enumerate(members))
    await stage.each("marketing: members' contributions", numbered, lambda one: _contribute(stage, *one, below))
    brought = sum(int(_BROUGHT[n % len(_BROUGHT)]) * 5 for n, _ in numbered) / len(members)
    leader = manager(stage.company.leaders[team])
    await stands_at(stage, leader, goal, progress=f"{brought:.2f}", what="marketing: the team stands where they do")
    return goal


async def _contribute(stage: Stage, n: int, person: PersonRecord, below: Mapping[str, Any]) -> None:
    title = "What I publish is shared and answered more by 20 %"
    own = {"level": "person", "owner": str(person.person), "title": title, "metric": _METRIC, **below}
    goal = (await stage.client.post(employee(person), "/goals/v1/goals", own))["id"]
    progress = {"value": _BROUGHT[n % len(_BROUGHT)]}
    await stage.client.post(employee(person), f"/goals/v1/goals/{goal}/progress", progress)
