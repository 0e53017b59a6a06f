"""The page that says who may do what with goals, written from the table that the service answers by."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from services.goals.api.permissions import ACCESS
from shared.runtime.authorization import OF_EVERY_SERVICE, READ, Grant, Permissions, Relation
from shared.runtime.caller import Caller, Role
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId

PAGE: Final = Path(__file__).parents[2] / "docs" / "goals-access.md"
YES, NO = "yes", "-"
WHO: Final[Mapping[str, Grant]] = {
    "owner": (Role.EMPLOYEE, Relation.SELF),
    "owner who leads": (Role.MANAGER, Relation.SELF),
    "manager": (Role.MANAGER, Relation.MANAGER),
    "manager further up": (Role.MANAGER, Relation.SKIP_LEVEL),
    "contributor": (Role.EMPLOYEE, Relation.CONTRIBUTOR),
    "team": (Role.EMPLOYEE, Relation.TEAM),
    "everybody": (Role.EMPLOYEE, Relation.ANY),
    "HR": (Role.HR, Relation.ANY),
    "payroll": (Role.PAYROLL, Relation.ANY),
    "analytics": (Role.ANALYTICS, Relation.ANY),
    "administrator": (Role.ADMIN, Relation.ANY),
}
_MEANS: Final[Mapping[Relation, str]] = {
    Relation.SELF: "it is theirs",
    Relation.MANAGER: "manages its owner: the nearest one above who has not left",
    Relation.SKIP_LEVEL: "manages its owner from further up",
    Relation.CONTRIBUTOR: "works on it with its owner",
    Relation.TEAM: "is of its team, for a person's goal of its owner's, or reports to its owner",
    Relation.ANY: "whatever they are to it",
}
_OPENING: Final = """# Who may do what with goals

The goals service asks this table before it answers anything. The table is data in
[permissions.py](../services/goals/api/permissions.py), and this page is written from it: change the table, then
`python -m tests.contract.pages`. A test asks the running service every question on this page and compares the answers.

Who does not see a thing is answered as if it did not exist (404), and may do nothing with it, whatever else is said
here. Who sees it and may not do something is told so (403).

A list of goals or assignments holds those that its reader may see, and no others: it is filtered, and nobody is
refused. A list of any other kind of thing is answered whole to whoever may read that kind, and with 404 to whoever may
not.

A yes lets you ask, and no more: the [rules](../services/goals/README.md#commands) may still refuse what you
ask for (409), by the state that the thing is in. No rule ever turns a no of this page into a yes.

A column is a role, as the person's token says it, together with what the person is to the thing. Who has the role
manager or hr is an employee, too. More than one column may fit a person: one that says yes is enough.
"""


def page() -> str:
    """The page's text."""
    things = (ACCESS | OF_EVERY_SERVICE).things
    goals, others = things["goal"], {name: variants for name, variants in things.items() if name != "goal"}
    parts = [_OPENING, _legend(), "## Who sees a goal\n", _table("goal", _seen(goals))]
    for level in GoalLevel:
        usual = goals[f"{level}, as usual"].grants
        parts += [
            f"## What may be done with a goal of level {level}\n",
            _table("action", ((action, who) for action, who in usual.items() if action != READ)),
        ]
    for name, variants in others.items():
        for variant, table in variants.items():
            parts += [f"## {f'{name}, {variant}' if variant else name}\n", _table("action", table.grants.items())]
    return "\n".join(parts)


def _legend() -> str:
    lines = [f"| {who} | {role} | {relation} | {_MEANS[relation]} |" for who, (role, relation) in WHO.items()]
    return "\n".join(["| Who | Role | Relation | Which is |", "|---|---|---|---|", *lines, ""])


def _seen(goals: Mapping[str, Permissions]) -> Iterable[tuple[str, Iterable[Grant]]]:
    return ((variant, table.grants[READ]) for variant, table in goals.items())


def _table(of: str, rows: Iterable[tuple[str, Iterable[Grant]]]) -> str:
    lines = [f"| {name} | " + " | ".join(_cells(set(who))) + " |" for name, who in rows]
    head = [f"| {of} | " + " | ".join(WHO) + " |", "|---" * (len(WHO) + 1) + "|"]
    return "\n".join([*head, *lines, ""])


def _cells(granted: set[Grant]) -> Iterable[str]:
    if unnamed := granted - set(WHO.values()):
        raise KeyError(f"WHO has no name for {sorted(unnamed)}")
    alone = Permissions({"this": granted})
    nobody = PersonId(UUID(int=0))

    def says(role: Role, relation: Relation) -> str:
        return YES if alone.allows("this", Caller.of(nobody, [role]), {relation}) else NO

    return [says(role, relation) for role, relation in WHO.values()]
