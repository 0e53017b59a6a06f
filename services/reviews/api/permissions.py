"""Who may do what with cycles and reviews: role x relation x action, and what is possible in which state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.review_sheet import EvidenceState
from shared.people.reporting_line import reports_to
from shared.runtime.authorization import PERSONAL_TEXTS, READ, AccessTable, Permissions, Relation
from shared.runtime.caller import Caller, Role
from shared.schemas.identifiers import PersonId

_PERSON: Final = (Role.EMPLOYEE, Relation.SELF)
_MANAGER_OF_RECORD: Final = (Role.MANAGER, Relation.PARTICIPANT)
_MANAGER_ABOVE: Final = (Role.MANAGER, Relation.REPORTING_LINE)
_HR: Final = (Role.HR, Relation.ANY)

CYCLES: Final = Permissions({"open": {_HR}, "close": {_HR}, READ: {_HR}})
REVIEWS: Final = Permissions(
    {
        READ: {_PERSON, _MANAGER_OF_RECORD, _MANAGER_ABOVE, _HR},
        "self-assess": {_PERSON},
        "open-assessment": {_MANAGER_OF_RECORD, _HR},  # HR: where there is no manager of record, a rule of the review
        "assess": {_MANAGER_OF_RECORD, _HR},  # likewise
        "approve": {_MANAGER_ABOVE, _HR},  # never the assessor, a rule of the review
        "release": {_MANAGER_OF_RECORD, _HR},
        "acknowledge": {_PERSON},
        "complete": {_HR},
        "list-all": {_HR},
    }
)
ACCESS: Final = AccessTable({"cycle": {"": CYCLES}, "review": {"": REVIEWS}, "personal texts": {"": PERSONAL_TEXTS}})
_POSSIBLE: Final[Mapping[str, tuple[str, ...]]] = {
    "opened": ("self-assess", "open-assessment", "assess"),
    "self-assessed": ("open-assessment", "assess"),
    "manager-assessed": ("approve",),
    "approved": ("release",),
    "released": ("acknowledge",),
    "acknowledged": ("complete",),
}
_READABLE_BY_THE_PERSON: Final = frozenset({"released", "acknowledged", "completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a review stands and who is who in it: what its permissions depend on."""

    state: str
    person: PersonId
    manager: PersonId | None
    assessor: PersonId | None
    evidence: EvidenceState
    cycle_is_open: bool = True


async def relations_to(connection: AsyncConnection, caller: Caller, review: Standing) -> set[Relation]:
    """What the caller is to the review: the person, the manager of record, or above the person at any depth."""
    relations: set[Relation] = set()
    if caller.person == review.person:
        relations.add(Relation.SELF)
    if caller.person == review.manager:
        relations.add(Relation.PARTICIPANT)
    if Role.MANAGER in caller.roles and await reports_to(connection, review.person, caller.person):
        relations.add(Relation.REPORTING_LINE)
    return relations


def allowed_actions(review: Standing, caller: Caller, relations: set[Relation]) -> list[str]:
    """What the caller may do with the review as it stands."""
    if not review.cycle_is_open:
        return []
    possible = [action for action in _POSSIBLE.get(review.state, ()) if not _barred(action, review, caller.person)]
    return REVIEWS.allowed_actions(possible, caller, relations)


def _barred(action: str, review: Standing, caller: PersonId) -> bool:
    """Whether a rule of the review forbids it to this person, whatever their role."""
    match action:
        case "open-assessment":
            return review.evidence is not EvidenceState.NOT_REQUESTED or _is_another_assessors(review, caller)
        case "assess":
            return review.evidence is not EvidenceState.FROZEN or _is_another_assessors(review, caller)
        case "approve":
            return caller in (review.person, review.assessor)
        case "release" | "complete":
            return caller == review.person
        case _:
            return False


def _is_another_assessors(review: Standing, caller: PersonId) -> bool:
    return caller == review.person or review.manager not in (None, caller)


def sees_assessment(review_state: str, *, person: PersonId, caller: Caller) -> bool:
    """Before the release the reviewed person does not see the manager's assessment, whatever role they have."""
    return caller.person != person or review_state in _READABLE_BY_THE_PERSON
