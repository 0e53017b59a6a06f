"""A company in which somebody stands in every relation to one owner, and things of that owner to be asked for."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import httpx

from services.goals.api.kpi_examples import DEFINE_KPI
from services.goals.api.template_examples import TEMPLATE
from services.goals.app import SERVICE
from shared.eventsourcing.identifiers import derived
from shared.runtime.authorization import Relation
from shared.runtime.caller import Role
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import record
from tests.integration.services.goals.conftest import goal_of
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, RunningService, running

OWNER, MANAGER, ABOVE, CONTRIBUTOR, TEAMMATE, STRANGER = (
    PersonId(derived("person", "walk", name))
    for name in ("owner", "manager", "above", "contributor", "mate", "stranger")
)
STANDS: Final[Mapping[PersonId, Relation | None]] = {
    OWNER: Relation.SELF,
    MANAGER: Relation.MANAGER,
    ABOVE: Relation.SKIP_LEVEL,
    CONTRIBUTOR: Relation.CONTRIBUTOR,
    TEAMMATE: Relation.TEAM,
    STRANGER: None,
}
_TEAM: Final = "Support"
_NOBODY: Final = str(derived("person", "walk", "forgotten"))
"""The id of what never was."""
_PEOPLE: Final = [
    record(ABOVE, team="Board"),
    record(MANAGER, ABOVE, team="Heads"),
    record(OWNER, MANAGER, team=_TEAM),
    record(CONTRIBUTOR, team="Elsewhere"),
    record(TEAMMATE, team=_TEAM),
    record(STRANGER, team=None),
]


@dataclass(frozen=True, slots=True)
class Asking:
    """A person with one role, as a client."""

    person: PersonId
    role: Role
    client: httpx.AsyncClient

    @property
    def relation(self) -> Relation | None:
        return STANDS[self.person]

    def __str__(self) -> str:
        return f"{self.role}, {self.relation or 'none'}"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of the owner's: its row in the table, the state it is in, and its place in a route's path."""

    kind: str
    variant: str
    state: str
    path: Mapping[str, str]
    words: str = ""
    """What nobody may read who may not see it."""


@dataclass(frozen=True, slots=True)
class Company:
    service: RunningService
    askers: list[Asking]
    things: list[Thing]


@asynccontextmanager
async def company(issuer: Issuer, databases: MigratedDatabases) -> AsyncGenerator[Company]:
    """The service, everybody as everything, and one thing of every kind, variant and state."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(SERVICE, issuer, databases))
        await service.knows(_PEOPLE)
        askers = [
            Asking(person, role, await stack.enter_async_context(service.client(person, role)))
            for person, role in product(STANDS, Role)
        ]
        of = {(one.person, one.role): one.client for one in askers}
        hr, owner, manager = of[STRANGER, Role.HR], of[OWNER, Role.EMPLOYEE], of[MANAGER, Role.MANAGER]
        things = [*await _goals(hr), *await _plans(owner, manager), *await _others(hr, of[OWNER, Role.HR])]
        await service.delivery.deliver()
        yield Company(service, askers, things)


async def _goals(hr: httpx.AsyncClient) -> list[Thing]:
    """A goal of each level, open and closed; of one level in each state; with each visibility."""
    closed = {GoalLevel.ORGANIZATION: ["achieved"], GoalLevel.TEAM: ["cancelled"], GoalLevel.PERSON: list(_INTO)[1:]}
    usual = [(level, state, None) for level in GoalLevel for state in ("active", *closed[level])]
    chosen = [(level, "active", seen) for level, seen in zip(GoalLevel, GoalVisibility, strict=True)]
    hidden = [(GoalLevel.PERSON, "active", seen) for seen in list(GoalVisibility)[:2]]
    objectives = [(level, "objective", None) for level in GoalLevel] + [(GoalLevel.PERSON, "graded", None)]
    return [await _goal(hr, *kind) for kind in (*usual, *chosen, *hidden, *objectives)]


_INTO: Final[Mapping[str, tuple[str, dict[str, Any]] | None]] = {
    "active": None,
    "achieved": ("achieve", {"value": "0", "closed_on": "2026-11-30"}),
    "missed": ("miss", {"value": "5", "closed_on": "2026-11-30"}),
    "cancelled": ("cancel", {"reason": "merged"}),
}
_OBJECTIVES: Final[Mapping[str, tuple[str, dict[str, Any]] | None]] = {
    "objective": None,
    "graded": ("grade", {"grade": "0.7", "comment": "it was enough", "closed_on": "2026-11-30"}),
}


async def _goal(hr: httpx.AsyncClient, level: GoalLevel, state: str, visibility: GoalVisibility | None) -> Thing:
    seen = visibility or "as usual"
    words = f"words of a goal: {level}, {state}, {seen}"
    told = {"level": level, "title": words, "visibility": visibility, "contributors": [str(CONTRIBUTOR)]}
    body = goal_of(OWNER) | told | ({"team": _TEAM} if level is GoalLevel.TEAM else {})
    if state in _OBJECTIVES:
        body |= {"metric": None, "objective": "committed"}
    goal = await _done(hr, "/goals", body)
    if (step := {**_INTO, **_OBJECTIVES}[state]) is not None:
        await _done(hr, f"/goals/{goal}/{step[0]}", step[1])
    return Thing("goal", f"{level}, {seen}", state, {"goal": goal}, words)


async def _plans(owner: httpx.AsyncClient, manager: httpx.AsyncClient) -> list[Thing]:
    things: list[Thing] = []
    for state, period in {"proposed": ("2026-01-01", "2026-12-31"), "agreed": ("2027-01-01", "2027-12-31")}.items():
        goal = await _done(owner, "/goals", goal_of(OWNER) | {"starts_on": period[0], "ends_on": period[1]})
        body = {"owner": str(OWNER), "goals": [{"goal": goal}], "starts_on": period[0], "ends_on": period[1]}
        plan = await _done(owner, "/plans", body)
        if state == "agreed":
            await _done(manager, f"/plans/{plan}/agree", None)
        things.append(Thing("plan", "", state, {"plan": plan, "amendment": _NOBODY}))
    return things


async def _others(hr: httpx.AsyncClient, owner_of_hr: httpx.AsyncClient) -> list[Thing]:
    await _done(hr, "/policies", {"options": {}, "reason": "to-be-asked-for"})
    kpi = await _done(hr, "/kpis", DEFINE_KPI["a ratio in percent"]["value"] | {"owner": str(OWNER)})
    template = await _done(hr, "/templates", TEMPLATE["for everybody"]["value"])
    one_person = {"templates": [template], "population": {"people": [str(STRANGER)]}}
    dates = {"starts_on": "2028-01-01", "ends_on": "2028-12-31"}
    assignment = await _done(owner_of_hr, "/assignments", one_person | dates)
    policy = (await hr.get("/policies/in-force")).json()["version"]
    return [
        Thing("kpi", "", "current", {"kpi": kpi}),
        Thing("template", "", "current", {"template": template}),
        Thing("assignment", "", "assigned", {"assignment": assignment}),
        Thing("policy", "", "in force", {"version": policy}),
        Thing("personal texts", "", "", {"person": _NOBODY}),
        Thing("administration", "", "", {"name": "goal_tree", "identity": "1"}),
    ]


async def _done(client: httpx.AsyncClient, path: str, body: dict[str, Any] | None) -> str:
    answer = await client.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    return answer.json()["id"]
