"""A person's texts over HTTP: erase them for ever."""

from collections.abc import Callable

from fastapi import APIRouter

from shared.privacy.erasure import EraseText, Texts, texts_of
from shared.runtime.authorization import ERASE, PERSONAL_TEXTS, needs
from shared.runtime.http import AtEdge, CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId


def erasure_routes(runtime: Runtime, erased: Callable[..., Event]) -> APIRouter:
    """The routes under /SERVICE/v1/persons; `erased` is the service's event."""
    routes, texts = APIRouter(prefix="/persons", tags=["privacy"]), texts_of(erased)

    @routes.post("/{person}/erase", summary="Make every text about a person unreadable, for ever")
    @needs("personal texts", ERASE)
    async def erase(person: PersonId, edge: AtEdge) -> CommandAnswer:
        """The key goes first, so that the event never says more than is true; asking again completes what was cut off.

        The person need not be known: whoever left the company's records may be erased still.
        """
        PERSONAL_TEXTS.require(ERASE, edge.caller)
        await runtime.vault.erase(person)
        command = EraseText(person=person, at=edge.now, by=edge.caller.person)
        outcome = await runtime.handler.handle(edge.context, texts, person, command, answer=edge.describe(_no_actions))
        return edge.accepted(outcome)

    return routes


def _no_actions(_texts: Texts) -> list[str]:
    """What is erased is erased."""
    return []
