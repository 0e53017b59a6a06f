"""The person who asks, and what they are in the company."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.schemas.identifiers import PersonId


class Role(StrEnum):
    """What a person is in the company, as their token says."""

    EMPLOYEE = "employee"
    MANAGER = "manager"
    HR = "hr"
    PAYROLL = "payroll"
    ANALYTICS = "analytics"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The person who asks, and the roles that their token gives them."""

    person: PersonId
    roles: frozenset[Role]

    @classmethod
    def of(cls, person: PersonId, roles: Iterable[Role]) -> "Caller":
        """A caller; who manages people or works in HR is also employed."""
        given = frozenset(roles)
        employed = given & {Role.MANAGER, Role.HR}
        return cls(person, given | {Role.EMPLOYEE} if employed else given)
