"""Who may do what: one readable table per service, role x relation x action, which also tells `allowed_actions`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from shared.runtime.caller import Caller, Role
from shared.runtime.problems import forbidden, not_found


class Relation(StrEnum):
    """What a person is to the thing in question, as the service's own data say."""

    SELF = "self"
    MANAGER = "manager"
    """The nearest manager above who has not left."""
    SKIP_LEVEL = "skip-level"
    """A manager further up the line."""
    REPORTING_LINE = "reporting-line"
    """Either of the two."""
    CONTRIBUTOR = "contributor"
    TEAM = "team"
    PARTICIPANT = "participant"
    ANY = "any"


READ: Final = "read"
"""The action of seeing a thing at all: who may not, is answered as if it did not exist."""

Grant = tuple[Role, Relation]


@dataclass(frozen=True)
class Permissions:
    """The table of one thing: each action with the (role, relation) pairs that allow it; all else is forbidden.

    A role counts together with its relation alone: a manager may act for the people who report to them because of the
    pair (manager, reporting-line), and for nobody else. Who may not read a thing may do nothing else with it either.
    """

    grants: Mapping[str, AbstractSet[Grant]]

    def allows(self, action: str, caller: Caller, relations: Collection[Relation] = ()) -> bool:
        """Whether the caller, who has these relations to the thing, may do this with it.

        Raises:
            KeyError: the table has no such action.
        """
        return bool(self.allowed_actions((action,), caller, relations))

    def allowed_actions(
        self, actions: Iterable[str], caller: Caller, relations: Collection[Relation] = ()
    ) -> list[str]:
        """Those of the actions that the caller may do, in the order given.

        Raises:
            KeyError: the table has no such action.
        """
        held = {(role, relation) for role in caller.roles for relation in (Relation.ANY, *relations)}
        granted = [action for action in actions if not held.isdisjoint(self.grants[action])]
        return [] if READ in self.grants and held.isdisjoint(self.grants[READ]) else granted

    def require(
        self, action: str, caller: Caller, relations: Collection[Relation] = (), *, of: str = "resource"
    ) -> None:
        """Let the caller through, or refuse.

        Raises:
            Problem: 404 where the table has the action `read` and the caller may not even see the thing, else 403.
        """
        if self.allows(action, caller, relations):
            return
        if READ in self.grants and not self.allows(READ, caller, relations):
            raise not_found(of)
        raise forbidden(action)

    def through(self, action: str, caller: Caller) -> set[Relation]:
        """The relations by which the caller's roles may do this: what a list's query looks for."""
        return {relation for role, relation in self.grants[action] if role in caller.roles}


ADMINISTER: Final = "administer"
ADMINISTRATION: Final = Permissions({ADMINISTER: {(Role.ADMIN, Relation.ANY)}})
"""Of every service's log and readers."""
ERASE: Final = "erase"
PERSONAL_TEXTS: Final = Permissions({ERASE: {(Role.HR, Relation.ANY), (Role.ADMIN, Relation.ANY)}})
"""Of the services that keep texts about persons."""


@dataclass(frozen=True)
class AccessTable:
    """All that a service knows: the kinds of things, the variants of each kind, and who may do what with one."""

    things: Mapping[str, Mapping[str, Permissions]]

    def __or__(self, other: "AccessTable") -> "AccessTable":
        return AccessTable({**self.things, **other.things})

    def has(self, needed: "Needed") -> bool:
        """Whether every variant of the thing says who may do this with it."""
        variants = self.things.get(needed.thing, {}).values()
        return bool(variants) and all(needed.action in variant.grants for variant in variants)


OF_EVERY_SERVICE: Final = AccessTable({"administration": {"": ADMINISTRATION}})


@dataclass(frozen=True, slots=True)
class Needed:
    """What a caller needs for a route: to be allowed this action with a thing of this kind."""

    thing: str
    action: str

    def __str__(self) -> str:
        return f"{self.action} {self.thing}"


class NotInTheTable(Exception):  # noqa: N818 - what is wrong, as an operator reads it
    """Routes of which the service's access table does not say who may take them: the service does not start."""


Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_NEEDS: Final = "__needs__"


def needs(thing: str, action: str) -> Callable[[Endpoint], Endpoint]:
    """Declare, beside a route, which line of the access table answers who may take it."""

    def declared(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _NEEDS, Needed(thing, action))
        return endpoint

    return declared


def needed(endpoint: Callable[..., Any]) -> Needed | None:
    """What the route's function declares."""
    return getattr(endpoint, _NEEDS, None)


def action_of(endpoint: Callable[..., Any]) -> str:
    """The action that the route's function declares.

    Raises:
        TypeError: it declares none; a service with such a route does not start.
    """
    if (declared := needed(endpoint)) is None:
        raise TypeError(f"{endpoint} declares no action")
    return declared.action


def refuse_undeclared(table: AccessTable, routes: Mapping[str, Callable[..., Any]]) -> None:
    """Check that the table answers for each of these routes.

    Raises:
        NotInTheTable: some route declares nothing, or what it declares is not in the table.
    """
    missing = [
        f"{route} ({found or 'declares no action'})"
        for route, endpoint in routes.items()
        if (found := needed(endpoint)) is None or not table.has(found)
    ]
    if missing:
        raise NotInTheTable(f"The access table does not say who may: {'; '.join(missing)}")
