"""The edge of the goals service: every request with the policy in force, every decision with its version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from services.goals.domain.policy import Policy
from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, in_force
from shared.eventsourcing.handler import CommandHandler
from shared.runtime.http import Edge, edge_under


@dataclass(frozen=True, slots=True)
class GoalsEdge(Edge):
    """The edge of a request, and the policy under which it is decided: at most about a second old."""

    policy: Policy

    @property
    def given(self) -> Mapping[str, Any]:
        """What every command of a person carries: when, by whom, under which policy."""
        return {"at": self.now, "by": self.caller.person, "policy": self.policy}


async def _edge(request: Request, response: Response) -> GoalsEdge:
    handler: CommandHandler = request.app.state.handler
    policy = in_force(await handler.recent.state(ADOPTION, THE_COMPANYS))
    edge = await edge_under(policy.version, request, response)
    return GoalsEdge(edge.caller, edge.now, edge.context, edge.consistency, edge.response, edge.action, policy)


AtEdge = Annotated[GoalsEdge, Depends(_edge)]
"""A route's parameter: the edge of this request."""
