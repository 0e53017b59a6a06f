"""Who may do what with budgets, rewards and payments: role x relation to the beneficiary x action."""

from collections.abc import Set as AbstractSet
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.reward import Proposed, Reward
from services.rewards.projections.reward_status import VISIBLE_TO_BENEFICIARY, RewardStatus
from shared.people import reporting_line
from shared.runtime.authorization import READ, AccessTable, Grant, Permissions, Relation
from shared.runtime.caller import Caller, Role
from shared.schemas.identifiers import PersonId

OPEN: Final = "open"
TOP_UP: Final = "top-up"
APPROVE: Final = "approve"
REJECT: Final = "reject"
ADJUST: Final = "adjust"
REISSUE: Final = "reissue"
LIST_ALL: Final = "list-all"

_HR: Final[Grant] = (Role.HR, Relation.ANY)
_PAYROLL: Final[Grant] = (Role.PAYROLL, Relation.ANY)
_MANAGER_ABOVE: Final[Grant] = (Role.MANAGER, Relation.REPORTING_LINE)
_BENEFICIARY: Final[Grant] = (Role.EMPLOYEE, Relation.SELF)

BUDGETS: Final = Permissions({READ: {_HR, _PAYROLL}, OPEN: {_HR}, TOP_UP: {_HR}})
REWARDS: Final = Permissions(
    {
        READ: {_HR, _PAYROLL, _MANAGER_ABOVE, _BENEFICIARY},
        LIST_ALL: {_HR, _PAYROLL},
        APPROVE: {_HR, _MANAGER_ABOVE},
        REJECT: {_HR, _MANAGER_ABOVE},
        ADJUST: {_HR, _MANAGER_ABOVE},
    }
)
PAYMENTS: Final = Permissions({READ: {_HR, _PAYROLL}, REISSUE: {_HR, _PAYROLL}})
ACCESS: Final = AccessTable({"budget": {"": BUDGETS}, "reward": {"": REWARDS}, "payment": {"": PAYMENTS}})
_POSSIBLE: Final = (APPROVE, REJECT, ADJUST)


async def relations_to(connection: AsyncConnection, caller: Caller, person: PersonId) -> set[Relation]:
    """What the caller is to the beneficiary of a reward."""
    found = await reporting_line.relations(connection, caller=caller.person, person=person)
    return {Relation(relation) for relation in found}


def is_hidden(status: RewardStatus, relations: AbstractSet[Relation]) -> bool:
    """A beneficiary sees a reward once it is approved, not while others are deciding, whatever role they have."""
    return Relation.SELF in relations and status not in VISIBLE_TO_BENEFICIARY


def allowed_actions(reward: Reward, caller: Caller, relations: AbstractSet[Relation]) -> list[str]:
    """What the caller may do with the reward now; nobody decides about what they gain or proposed themselves."""
    if not isinstance(reward, Proposed) or caller.person == reward.proposal.person:
        return []
    possible = [action for action in _POSSIBLE if action != APPROVE or caller.person not in reward.duties]
    return REWARDS.allowed_actions(possible, caller, relations)
