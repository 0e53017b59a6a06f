"""Who may do what in the feedback service: the one table, and what a visibility does to it."""

from collections.abc import Set as AbstractSet
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.feedback.domain.feedback import READABLE_BY_MANAGER, READABLE_BY_RECEIVER
from services.feedback.projections.readable_feedback import Reader
from shared.people import reporting_line
from shared.runtime.authorization import PERSONAL_TEXTS, AccessTable, Permissions, Relation
from shared.runtime.caller import Caller, Role
from shared.schemas.feedback import FeedbackVisibility
from shared.schemas.identifiers import PersonId

GIVE: Final = "give"
LIST: Final = "list"
READ: Final = "read-feedback"
ACKNOWLEDGE: Final = "acknowledge"
HOLD_CHECK_IN: Final = "hold-check-in"
READ_CHECK_INS: Final = "read-check-ins"

_EMPLOYEE, _MANAGER, _HR, _ADMIN = Role.EMPLOYEE, Role.MANAGER, Role.HR, Role.ADMIN
_SELF, _LINE, _AUTHOR, _ANY = Relation.SELF, Relation.REPORTING_LINE, Relation.PARTICIPANT, Relation.ANY

PERMISSIONS: Final = Permissions(
    {
        GIVE: {(_EMPLOYEE, _ANY)},
        LIST: {(_EMPLOYEE, _ANY)},
        READ: {(_EMPLOYEE, _SELF), (_MANAGER, _LINE), (_EMPLOYEE, _AUTHOR)},
        ACKNOWLEDGE: {(_EMPLOYEE, _SELF)},
        HOLD_CHECK_IN: {(_MANAGER, _LINE)},
        READ_CHECK_INS: {(_EMPLOYEE, _ANY)},
    }
)
"""Relations are to the feedback's receiver (SELF: the receiver), but for its author, who is a PARTICIPANT."""
ACCESS: Final = AccessTable(
    {"feedback": {"": PERMISSIONS}, "check-in": {"": PERMISSIONS}, "personal texts": {"": PERSONAL_TEXTS}}
)


async def relations_to(connection: AsyncConnection, person: PersonId, caller: Caller) -> set[Relation]:
    """What the caller is to the person."""
    found = await reporting_line.relations(connection, caller=caller.person, person=person)
    return {Relation(relation) for relation in found}


def through(visibility: FeedbackVisibility, relations: AbstractSet[Relation]) -> set[Relation]:
    """What remains of the relations to the receiver for feedback of this visibility: the others see nothing of it."""
    left: set[Relation] = set()
    if visibility in READABLE_BY_RECEIVER:
        left |= relations & {_SELF}
    if visibility in READABLE_BY_MANAGER:
        left |= relations & {_LINE}
    return left


def reader(caller: Caller, relations: AbstractSet[Relation]) -> Reader:
    """The caller as a reader of what somebody received, to whom the caller has these relations."""
    readable = (v for v in FeedbackVisibility if PERMISSIONS.allows(READ, caller, through(v, relations)))
    return Reader(caller.person, frozenset(readable))
