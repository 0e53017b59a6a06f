"""Goals: three for the company, two a team, two a person; plans agreed; progress recorded twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from launcher.demo_cycle.stage import Stage, employee, hr, manager
from shared.schemas.people import PersonRecord

_COMPANY: Final = ("Customers stay with us", "We deliver what we promise", "People grow with the company")
_TEAM: Final = ("Serve our customers faster", "Make fewer mistakes")
_OWN: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("Answer 95 of 100 requests within a day", {"kind": "percent", "start": "0", "target": "95", "unit": "%"}),
    ("Bring open errors down from 40 to 10", {"kind": "number", "start": "40", "target": "10", "unit": "errors"}),
)
_HALF_WAY: Final = 0.5


@dataclass(frozen=True)
class OwnGoal:
    """A person's goal and how far this person takes it, from 0 to a little over 1."""

    id: str
    owner: PersonRecord
    metric: Mapping[str, str]
    reach: float

    def value(self, share: float) -> str:
        """What is measured when that share of the reach is done."""
        start, target = float(self.metric["start"]), float(self.metric["target"])
        return str(round(start + (target - start) * self.reach * share))


def reach_of(person: PersonRecord, goal: int) -> float:
    """How far a person comes: made up from the employee number, the same in every run."""
    number = sum(ord(letter) * (place + 3) for place, letter in enumerate(person.employee_number))
    return (45 + (number * 37 + goal * 23) % 61) / 100


async def set_and_align(stage: Stage) -> list[OwnGoal]:
    """The cascade: company, teams, people."""
    company = await stage.each("company goals", _COMPANY, lambda title: _set(stage, title, None))
    teams = [(team, n) for team in stage.company.leaders for n in range(len(_TEAM))]
    team_ids = await stage.each(
        "team goals, aligned under the company's",
        teams,
        lambda item: _set_for_team(stage, item[0], item[1], company[item[1] % len(company)]),
    )
    under = dict(zip(teams, team_ids, strict=True))
    mine = [(person, n) for person in stage.company.people for n in range(len(_OWN))]
    return await stage.each(
        "everybody's own goals, aligned under the team's",
        mine,
        lambda item: _set_own(stage, item[0], item[1], under.get((item[0].team or "", item[1]), company[item[1]])),
    )


async def _set(stage: Stage, title: str, parent: str | None) -> str:
    body = _dated(stage, level="organization", owner=str(stage.company.head.person), title=title, parent=parent)
    return (await stage.client.post(hr(stage.company.hr), "/goals/v1/goals", body))["id"]


async def _set_for_team(stage: Stage, team: str, n: int, parent: str) -> str:
    leader = stage.company.leaders[team]
    body = _dated(stage, level="team", owner=str(leader.person), team=team, title=_TEAM[n], parent=parent)
    return (await stage.client.post(manager(leader), "/goals/v1/goals", body))["id"]


async def _set_own(stage: Stage, person: PersonRecord, n: int, parent: str) -> OwnGoal:
    title, metric = _OWN[n]
    body = _dated(stage, level="person", owner=str(person.person), title=title, metric=dict(metric), parent=parent)
    answer = await stage.client.post(employee(person), "/goals/v1/goals", body)
    return OwnGoal(answer["id"], person, metric, reach_of(person, n))


def _dated(stage: Stage, **body: Any) -> dict[str, Any]:
    return {**body, "starts_on": stage.period[0], "ends_on": stage.period[1]}


async def agree_plans(stage: Stage, goals: list[OwnGoal]) -> None:
    """Everybody proposes what counts, their manager agrees; HR does where there is none."""
    mine: dict[str, list[OwnGoal]] = {}
    for goal in goals:
        mine.setdefault(goal.owner.employee_number, []).append(goal)
    plans = await stage.each("goal plans proposed", mine.values(), lambda own: _propose(stage, own))
    await stage.each("goal plans agreed", plans, lambda plan: _agree(stage, *plan))


async def _propose(stage: Stage, own: list[OwnGoal]) -> tuple[str, PersonRecord]:
    owner = own[0].owner
    weighed = [{"goal": goal.id, "weight": weight} for goal, weight in zip(own, ("60.00", "40.00"), strict=True)]
    body = _dated(stage, owner=str(owner.person), goals=weighed)
    return (await stage.client.post(employee(owner), "/goals/v1/plans", body))["id"], owner


async def _agree(stage: Stage, plan: str, owner: PersonRecord) -> None:
    above = stage.company.manager_of(owner)
    who = manager(above) if above else hr(stage.company.hr_for(owner.person))
    await stage.client.post(who, f"/goals/v1/plans/{plan}/agree", {})


async def record_progress(stage: Stage, goals: list[OwnGoal]) -> None:
    """Half-way, and where it ends."""
    for what, share in (("progress at half-time", _HALF_WAY), ("progress at the end", 1.0)):
        await stage.each(what, goals, lambda goal, share=share: _record(stage, goal, share))


async def _record(stage: Stage, goal: OwnGoal, share: float) -> None:
    path = f"/goals/v1/goals/{goal.id}/progress"
    await stage.client.post(employee(goal.owner), path, {"value": goal.value(share)})
