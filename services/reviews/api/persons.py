"""A person's texts over HTTP: erase them for ever."""

from fastapi import APIRouter

from services.reviews.api.permissions import PERSONS
from services.reviews.domain.erasure import TEXTS, EraseText, Texts
from shared.runtime.http import AtEdge, CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import PersonId


def person_routes(runtime: Runtime) -> APIRouter:
    """The routes under /reviews/v1/persons."""
    routes = APIRouter(prefix="/persons", tags=["privacy"])

    @routes.post("/{person}/erase", summary="Make every text about a person unreadable, for ever")
    async def erase(person: PersonId, edge: AtEdge) -> CommandAnswer:
        """The key goes first, so that the event never says more than is true; asking again completes what was cut off.

        The person need not be known: whoever left the company's records may be erased still.
        """
        PERSONS.require("erase", edge.caller)
        await runtime.vault.erase(person)
        command = EraseText(person=person, at=edge.now, by=edge.caller.person)
        outcome = await runtime.handler.handle(edge.context, TEXTS, person, command, answer=edge.describe(_no_actions))
        return edge.accepted(outcome)

    return routes


def _no_actions(_texts: Texts) -> list[str]:
    """What is erased is erased."""
    return []
