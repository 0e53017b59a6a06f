"""Who stands before a KPI: what its owner is to the caller, and what the caller may do with it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api.goal_access import relations_to
from services.goals.api.permissions import HAND_OVER, KPIS, MEASURE, RETIRE, REVISE
from services.goals.domain.kpi import KPI, Current, Kpi, NotDefined
from shared.eventsourcing.handler import Answer
from shared.runtime.authorization import Relation
from shared.runtime.caller import Caller
from shared.runtime.http import Edge
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import KpiId, PersonId

_ACTIONS: Final = (MEASURE, REVISE, HAND_OVER, RETIRE)


@dataclass(frozen=True, slots=True)
class KpiAccess:
    """The caller's relations to the KPI's owner."""

    caller: Caller
    relations: AbstractSet[Relation]

    def require(self, action: str, what: str) -> None:
        """Let the caller through, or answer 404 (may not see it) or 403."""
        KPIS.require(action, self.caller, self.relations, of=what)

    def allows(self, action: str) -> bool:
        return KPIS.allows(action, self.caller, self.relations)

    def actions(self, kpi: Kpi) -> list[str]:
        """What the caller may do with the KPI now."""
        return self.allowed(current=isinstance(kpi, Current))

    def allowed(self, *, current: bool) -> list[str]:
        """Nothing is left to do with a retired one."""
        return KPIS.allowed_actions(_ACTIONS if current else (), self.caller, self.relations)


async def kpi_access(connection: AsyncConnection, caller: Caller, owner: PersonId) -> KpiAccess:
    return KpiAccess(caller, await relations_to(connection, caller, owner))


async def permitted_kpi(runtime: Runtime, edge: Edge, kpi: KpiId) -> Answer:
    """How to answer the command, if the caller may do what its route declares; who owns the KPI now decides.

    Raises:
        Problem: 404, there is no such KPI or the caller may not see it; 403, the caller may not do this with it.
    """
    async with runtime.reading.connect() as connection:
        state = (await runtime.handler.load(connection, KPI, kpi)).state
        if isinstance(state, NotDefined):
            raise not_found("KPI", kpi)
        access = await kpi_access(connection, edge.caller, state.owner)
    access.require(edge.action, f"KPI {kpi}")
    return edge.describe(access.actions)
