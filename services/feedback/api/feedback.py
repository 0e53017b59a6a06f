"""Feedback over HTTP: give it, acknowledge it, read what one received or gave."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feedback.api.permissions import ACKNOWLEDGE, GIVE, LIST, PERMISSIONS, READ, reader, relations_to, through
from services.feedback.domain.feedback import (
    FEEDBACK,
    AcknowledgeFeedback,
    Feedback,
    GiveFeedback,
    GiveFeedbackBody,
    NotGiven,
)
from services.feedback.projections import readable_feedback
from services.feedback.projections.readable_feedback import ReadableFeedback, SortKey
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import uuid7
from shared.people import population
from shared.runtime.authorization import Relation, needs
from shared.runtime.caller import Caller
from shared.runtime.http import AtEdge, CommandAnswer
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.feedback import FeedbackKind, FeedbackVisibility
from shared.schemas.identifiers import FeedbackId, GoalId, PersonId

_PATH: Final = "/feedback/v1/feedback"


class FeedbackView(BaseModel):
    """One piece of feedback as the caller may read it; `text` is `erased` once its receiver was erased."""

    id: FeedbackId
    author: PersonId
    receiver: PersonId
    kind: FeedbackKind
    visibility: FeedbackVisibility
    goal: GoalId | None
    text: str = Field(examples=["You explained the outage to the customer calmly."])
    given_at: datetime
    acknowledged_at: datetime | None
    allowed_actions: list[str]


Direction = Annotated[
    Literal["received", "given"], Query(description="What the person received (default), or what the caller gave.")
]
OfPerson = Annotated[PersonId | None, Query(description="Whose received feedback; default: the caller's own.")]


def feedback_routes(runtime: Runtime) -> APIRouter:
    """The routes under /feedback/v1/feedback."""
    routes = APIRouter(prefix="/feedback", tags=["feedback"])

    @routes.post("", status_code=201, summary="Give feedback to a person")
    @needs("feedback", GIVE)
    async def give_feedback(body: GiveFeedbackBody, edge: AtEdge) -> CommandAnswer:
        PERMISSIONS.require(edge.action, edge.caller)
        async with runtime.reading.connect() as connection:
            known = await population.exists(connection, body.receiver)
        command = GiveFeedback.from_body(body, at=edge.now, by=edge.caller.person, receiver_is_known=known)
        outcome = await runtime.handler.handle(
            edge.context, FEEDBACK, uuid7(), command, answer=edge.describe(_no_actions)
        )
        return edge.accepted(outcome, location=f"{_PATH}/{outcome.identity}")

    @routes.post("/{feedback}/acknowledge", summary="Acknowledge feedback that one received")
    @needs("feedback", ACKNOWLEDGE)
    async def acknowledge_feedback(feedback: FeedbackId, edge: AtEdge) -> CommandAnswer:
        async def plan(decision: Decision) -> None:
            loaded = await decision.load(FEEDBACK, feedback)
            relations = await _relations(decision.connection, loaded.state, edge.caller)
            if not PERMISSIONS.allows(READ, edge.caller, relations):
                raise not_found("feedback", feedback)
            PERMISSIONS.require(edge.action, edge.caller, relations)
            await decision.decide(FEEDBACK, feedback, AcknowledgeFeedback(at=edge.now, by=edge.caller.person))

        outcomes = await runtime.handler.handle_together(edge.context, plan, answer=edge.describe(_no_actions))
        return edge.accepted(outcomes[0])

    @routes.get("", summary="What one received or gave, newest first")
    @needs("feedback", LIST)
    async def list_feedback(
        edge: AtEdge, page: AskedPage, direction: Direction = "received", person: OfPerson = None
    ) -> Page[FeedbackView]:
        PERMISSIONS.require(edge.action, edge.caller)
        await runtime.wait(readable_feedback.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            if direction == "given":
                rows = await _given(connection, edge.caller, page, person)
            else:
                rows = await _received(connection, edge.caller, page, person or edge.caller.person)
        texts = await runtime.vault.open([row.text for row in rows])
        opened = dict(zip((row.feedback for row in rows), texts, strict=True))
        return page.of(rows, key=_sort_key, item=lambda row: _view(row, opened[row.feedback], edge.caller))

    @routes.get("/{feedback}", summary="One piece of feedback")
    @needs("feedback", LIST)
    async def show_feedback(feedback: FeedbackId, edge: AtEdge) -> FeedbackView:
        PERMISSIONS.require(edge.action, edge.caller)
        await runtime.wait(readable_feedback.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            receiver = await readable_feedback.receiver_of(connection, feedback)
            if receiver is None:
                raise not_found("feedback", feedback)
            as_reader = reader(edge.caller, await relations_to(connection, receiver, edge.caller))
            row = await readable_feedback.find(connection, feedback, reader=as_reader)
        if row is None:
            raise not_found("feedback", feedback)
        return _view(row, (await runtime.vault.open([row.text]))[0], edge.caller)

    return routes


def _no_actions(_feedback: Feedback) -> list[str]:
    """Nothing is left to do for who gave the feedback, nor for who acknowledged it."""
    return []


async def _relations(connection: AsyncConnection, state: Feedback, caller: Caller) -> set[Relation]:
    if isinstance(state, NotGiven):
        return set()
    relations = through(state.visibility, await relations_to(connection, state.receiver, caller))
    return relations | {Relation.PARTICIPANT} if state.author == caller.person else relations


async def _given(
    connection: AsyncConnection, caller: Caller, page: AskedPage, person: PersonId | None
) -> list[ReadableFeedback]:
    if person not in (None, caller.person):
        raise not_found("person", person)
    return await readable_feedback.given_by(connection, caller.person, after=page.after(SortKey), limit=page.limit + 1)


async def _received(
    connection: AsyncConnection, caller: Caller, page: AskedPage, person: PersonId
) -> list[ReadableFeedback]:
    as_reader = reader(caller, await relations_to(connection, person, caller))
    if not as_reader.visibilities:
        raise not_found("person", person)
    return await readable_feedback.received_by(
        connection, person, reader=as_reader, after=page.after(SortKey), limit=page.limit + 1
    )


def _sort_key(row: ReadableFeedback) -> SortKey:
    return (row.given_at, row.feedback)


def _view(row: ReadableFeedback, text: str, caller: Caller) -> FeedbackView:
    acknowledgeable = row.acknowledged_at is None and row.receiver == caller.person
    return FeedbackView(
        id=row.feedback,
        author=row.author,
        receiver=row.receiver,
        kind=row.kind,
        visibility=row.visibility,
        goal=row.goal,
        text=text,
        given_at=row.given_at,
        acknowledged_at=row.acknowledged_at,
        allowed_actions=[ACKNOWLEDGE] if acknowledgeable else [],
    )
