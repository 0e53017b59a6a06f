"""Reading reviews over HTTP: lists, one review, the explanation of its score, and what waits for whom."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.api.hidden_goals import hidden_goals
from services.reviews.api.permissions import REVIEWS, Standing, allowed_actions, relations_to, sees_assessment
from services.reviews.api.views import Explanation, ReviewLine, ReviewView, Seen, explanation, line, texts_of, view
from services.reviews.projections import cycles, review_inbox, review_sheet, reviews_by_cycle
from services.reviews.projections.review_sheet import ReviewSheet
from services.reviews.projections.reviews_by_cycle import ReviewRow
from shared.people.reporting_line import reports_to
from shared.runtime.authorization import READ, Relation, needs
from shared.runtime.caller import Caller, Role
from shared.runtime.http import AtEdge, Edge
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId

OfCycle = Annotated[ReviewCycleId | None, Query(description="The reviews of this cycle alone.")]
OfPerson = Annotated[PersonId | None, Query(description="The reviews of this person alone.")]


class WaitingStep(BaseModel):
    """A step that the caller can take now."""

    step: str = Field(examples=["manager-assessment"])
    review: ReviewId
    cycle: ReviewCycleId
    person: PersonId = Field(description="Whose review it is.")
    since: datetime
    due_on: date | None = Field(description="The last day on which it is in time, by the policy's zone; null: any day.")
    reminded_at: datetime | None = Field(description="When the service reminded of it; null: it did not.")


def review_routes(runtime: Runtime) -> APIRouter:
    """The queries on reviews; who may not see a review is told that there is none."""
    routes = APIRouter(tags=["reviews"])

    async def seen(review: ReviewId, edge: Edge) -> Seen:
        await runtime.wait(review_sheet.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            if (sheet := await review_sheet.find(connection, review)) is None:
                raise not_found("review", review)
            standing = await _standing(connection, sheet)
            relations = await relations_to(connection, edge.caller, standing)
            REVIEWS.require(edge.action, edge.caller, relations, of=f"review {review}")
            hidden = await hidden_goals(connection, edge.caller, sheet, standing, relations)
        shown = sees_assessment(sheet.state, person=sheet.person, caller=edge.caller)
        actions = allowed_actions(standing, edge.caller, relations)
        return Seen(sheet=sheet, actions=actions, assessment_shown=shown, hidden=hidden)

    @routes.get("/reviews", summary="Reviews: one's own and those one assesses; HR sees all")
    @needs("review", READ)
    async def list_reviews(
        page: AskedPage, edge: AtEdge, cycle: OfCycle = None, person: OfPerson = None
    ) -> Page[ReviewLine]:
        await runtime.wait(reviews_by_cycle.PROJECTION.name, edge.consistency)
        after = page.after(tuple[UUID])
        async with runtime.reading.connect() as connection:
            rows = await reviews_by_cycle.page(
                connection,
                cycle=cycle,
                person=person,
                visible_to=None if await _sees_all(connection, edge.caller, person) else edge.caller.person,
                after=None if after is None else ReviewId(after[0]),
                limit=page.limit + 1,
            )
        return page.of(rows, key=lambda row: (row.review,), item=lambda row: _line(row, edge.caller))

    @routes.get("/reviews/{review}", summary="One review, as the caller may see it")
    @needs("review", READ)
    async def read_review(review: ReviewId, edge: AtEdge) -> ReviewView:
        found = await seen(review, edge)
        texts = texts_of(found.sheet, assessment_shown=found.assessment_shown)
        opened = await runtime.vault.open(texts)
        edge.response.headers["ETag"] = f'"{found.sheet.version}"'
        return view(found, dict(zip((text.bound_to for text in texts), opened, strict=True)))

    @routes.get("/reviews/{review}/explanation", summary="Every number of the score, and the evidence")
    @needs("review", READ)
    async def explain_review(review: ReviewId, edge: AtEdge) -> Explanation:
        """404 until the manager has assessed and, for the reviewed person, until the review is released."""
        found = await seen(review, edge)
        if found.sheet.manager_assessment is None or not found.assessment_shown:
            raise not_found("explanation of review", review)
        return explanation(found, found.sheet.manager_assessment)

    @routes.get("/inbox", summary="What waits for the caller, the longest waiting first")
    @needs("review", READ)
    async def read_inbox(page: AskedPage, edge: AtEdge) -> Page[WaitingStep]:
        await runtime.wait(review_inbox.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            items = await review_inbox.waiting_for(
                connection,
                edge.caller.person,
                for_hr=Role.HR in edge.caller.roles,
                after=page.after(tuple[datetime, ReviewId, str]),
                limit=page.limit + 1,
            )
        return page.of(items, key=lambda item: (item.since, item.review, item.step), item=_waiting)

    return routes


async def _standing(connection: AsyncConnection, sheet: ReviewSheet) -> Standing:
    cycle = await cycles.find(connection, sheet.cycle)
    return Standing(
        state=sheet.state,
        person=sheet.person,
        manager=sheet.manager,
        assessor=sheet.manager_assessment.assessor if sheet.manager_assessment else None,
        evidence=sheet.evidence,
        cycle_is_open=cycle is None or cycle.state == "open",
    )


async def _sees_all(connection: AsyncConnection, caller: Caller, person: PersonId | None) -> bool:
    """Whether the caller sees every review that was asked for: HR, and a manager who asks for one of their people."""
    if REVIEWS.allows("list-all", caller):
        return True
    if person is None or not await reports_to(connection, person, caller.person):
        return False
    return REVIEWS.allows(READ, caller, {Relation.REPORTING_LINE})


def _line(row: ReviewRow, caller: Caller) -> ReviewLine:
    return line(row, assessment_shown=sees_assessment(row.state, person=row.person, caller=caller))


def _waiting(item: review_inbox.InboxItem) -> WaitingStep:
    return WaitingStep(
        step=item.step,
        review=item.review,
        cycle=item.cycle,
        person=item.person,
        since=item.since,
        due_on=item.due_on,
        reminded_at=item.reminded_at,
    )
