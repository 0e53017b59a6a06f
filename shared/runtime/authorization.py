"""Who may do what: one readable table per service, role x relation x action, which also tells `allowed_actions`."""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.runtime.caller import Caller, Role
from shared.runtime.problems import forbidden, not_found


class Relation(StrEnum):
    """What a person is to the thing in question, as the service's own data say."""

    SELF = "self"
    REPORTING_LINE = "reporting-line"
    PARTICIPANT = "participant"
    ANY = "any"


READ: Final = "read"
"""The action of seeing a thing at all: who may not, is answered as if it did not exist."""

Grant = tuple[Role, Relation]


@dataclass(frozen=True)
class Permissions:
    """A service's table: each action with the (role, relation) pairs that allow it; what is not named is forbidden.

    A role counts together with its relation alone: a manager may act for the people who report to them because of the
    pair (manager, reporting-line), and for nobody else.
    """

    grants: Mapping[str, AbstractSet[Grant]]

    def allows(self, action: str, caller: Caller, relations: Collection[Relation] = ()) -> bool:
        """Whether the caller, who has these relations to the thing, may do this with it.

        Raises:
            KeyError: the table has no such action.
        """
        held = {Relation.ANY, *relations}
        return any(role in caller.roles and relation in held for role, relation in self.grants[action])

    def allowed_actions(
        self, actions: Iterable[str], caller: Caller, relations: Collection[Relation] = ()
    ) -> list[str]:
        """Those of the actions that the caller may do, in the order given."""
        return [action for action in actions if self.allows(action, caller, relations)]

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
