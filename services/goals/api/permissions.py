"""Who may do what with goals and plans: role x relation to the owner x action."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.people.reporting_line import relations
from shared.runtime.authorization import READ, Grant, Permissions, Relation
from shared.runtime.caller import Caller, Role
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import PersonId

_EVERYBODY: Final[frozenset[Grant]] = frozenset({(Role.EMPLOYEE, Relation.ANY)})
_HR: Final[frozenset[Grant]] = frozenset({(Role.HR, Relation.ANY)})
_OWNER: Final[frozenset[Grant]] = frozenset({(Role.EMPLOYEE, Relation.SELF)})
_MANAGERS: Final[frozenset[Grant]] = frozenset({(Role.MANAGER, Relation.REPORTING_LINE)})
_ADMIN: Final[frozenset[Grant]] = frozenset({(Role.ADMIN, Relation.ANY)})
_LEADER: Final[frozenset[Grant]] = frozenset({(Role.MANAGER, Relation.SELF)})

SET: Final = "set"
ALIGN: Final = "align"
RECORD_PROGRESS: Final = "record-progress"
ACHIEVE: Final = "achieve"
CANCEL: Final = "cancel"
PROPOSE: Final = "propose"
AGREE: Final = "agree"
ADOPT: Final = "adopt"

_GOALS: Final[Mapping[GoalLevel, Permissions]] = {
    GoalLevel.ORGANIZATION: Permissions(
        {
            READ: _EVERYBODY,
            SET: _HR,
            ALIGN: _HR,
            RECORD_PROGRESS: _OWNER | _HR,
            ACHIEVE: _OWNER | _HR,
            CANCEL: _HR,
        }
    ),
    GoalLevel.TEAM: Permissions(
        {
            READ: _EVERYBODY,
            SET: _LEADER | _MANAGERS | _HR,
            ALIGN: _LEADER | _MANAGERS | _HR,
            RECORD_PROGRESS: _OWNER | _MANAGERS | _HR,
            ACHIEVE: _OWNER | _MANAGERS | _HR,
            CANCEL: _LEADER | _MANAGERS | _HR,
        }
    ),
    GoalLevel.PERSON: Permissions(
        {
            READ: _OWNER | _MANAGERS | _HR,
            SET: _OWNER | _MANAGERS | _HR,
            ALIGN: _OWNER | _MANAGERS | _HR,
            RECORD_PROGRESS: _OWNER | _MANAGERS | _HR,
            ACHIEVE: _OWNER | _MANAGERS | _HR,
            CANCEL: _OWNER | _MANAGERS | _HR,
        }
    ),
}
PLANS: Final = Permissions(
    {
        READ: _OWNER | _MANAGERS | _HR,
        PROPOSE: _OWNER | _MANAGERS | _HR,
        AGREE: _OWNER | _MANAGERS | _HR,
    }
)
POLICIES: Final = Permissions({READ: _EVERYBODY | _ADMIN, ADOPT: _HR | _ADMIN})


def goals_at(level: str) -> Permissions:
    """The table of a level; a level that this version does not know is guarded like a person's goals."""
    return _GOALS.get(GoalLevel(level), _GOALS[GoalLevel.PERSON])


async def relations_to(connection: AsyncConnection, caller: Caller, owner: PersonId) -> set[Relation]:
    """What the caller is to the owner of a goal or plan."""
    return {Relation(relation) for relation in await relations(connection, caller=caller.person, person=owner)}
