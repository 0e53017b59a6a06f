"""Check-ins over HTTP: a manager records one, both read what is theirs to read."""

from datetime import date
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

from services.feedback.api.permissions import HOLD_CHECK_IN, PERMISSIONS, READ_CHECK_INS, relations_to
from services.feedback.domain.check_in import CHECK_IN, CheckIn, HoldCheckIn, HoldCheckInBody
from services.feedback.projections import check_ins
from services.feedback.projections.check_ins import ReadableCheckIn, SortKey
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authorization import needs
from shared.runtime.http import AtEdge, CommandAnswer
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import CheckInId, GoalId, PersonId

_PATH: Final = "/feedback/v1/check-ins"


class CheckInView(BaseModel):
    """One check-in as the caller may read it: no `notes` where there are none, or none for the caller."""

    id: CheckInId
    person: PersonId
    manager: PersonId
    held_on: date
    notes: str | None
    shared: bool
    goals: list[GoalId]


def check_in_routes(runtime: Runtime) -> APIRouter:
    """The routes under /feedback/v1/check-ins."""
    routes = APIRouter(prefix="/check-ins", tags=["check-ins"])

    @routes.post("", status_code=201, summary="Record a check-in that one held with a report")
    @needs("check-in", HOLD_CHECK_IN)
    async def hold_check_in(body: HoldCheckInBody, edge: AtEdge) -> CommandAnswer:
        if body.person != edge.caller.person:  # with oneself: the domain says so by name
            async with runtime.reading.connect() as connection:
                relations = await relations_to(connection, body.person, edge.caller)
            PERMISSIONS.require(edge.action, edge.caller, relations)
        command = HoldCheckIn.from_body(body, at=edge.now, by=edge.caller.person)
        outcome = await runtime.handler.handle(
            edge.context, CHECK_IN, uuid7(), command, answer=edge.describe(_no_actions)
        )
        return edge.accepted(outcome, location=f"{_PATH}/{outcome.identity}")

    @routes.get("", summary="The check-ins that one held or was in, the latest day first")
    @needs("check-in", READ_CHECK_INS)
    async def list_check_ins(edge: AtEdge, page: AskedPage) -> Page[CheckInView]:
        PERMISSIONS.require(edge.action, edge.caller)
        await runtime.wait(check_ins.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            rows = await check_ins.of_reader(
                connection, edge.caller.person, after=page.after(SortKey), limit=page.limit + 1
            )
        views = {view.id: view for view in await _opened(runtime, rows)}
        return page.of(rows, key=lambda row: (row.held_on, row.check_in), item=lambda row: views[row.check_in])

    @routes.get("/{check_in}", summary="One check-in")
    @needs("check-in", READ_CHECK_INS)
    async def show_check_in(check_in: CheckInId, edge: AtEdge) -> CheckInView:
        PERMISSIONS.require(edge.action, edge.caller)
        await runtime.wait(check_ins.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            row = await check_ins.find(connection, check_in, reader=edge.caller.person)
        if row is None:
            raise not_found("check-in", check_in)
        return (await _opened(runtime, [row]))[0]

    return routes


def _no_actions(_check_in: CheckIn) -> list[str]:
    """A check-in that was held is history."""
    return []


async def _opened(runtime: Runtime, rows: list[ReadableCheckIn]) -> list[CheckInView]:
    with_notes = [row for row in rows if row.notes is not None]
    texts = await runtime.vault.open([row.notes for row in with_notes if row.notes is not None])
    notes = dict(zip((row.check_in for row in with_notes), texts, strict=True))
    return [
        CheckInView(
            id=row.check_in,
            person=row.person,
            manager=row.manager,
            held_on=row.held_on,
            notes=notes.get(row.check_in),
            shared=row.shared,
            goals=list(row.goals),
        )
        for row in rows
    ]
