"""Cycles over HTTP: open one over a population, open the reviews that are missing, close it, see how far it is."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.api.permissions import CYCLES
from services.reviews.api.population import PopulationBody, open_reviews, select_population
from services.reviews.domain.review_cycle import (
    REVIEW_CYCLE,
    CloseReviewCycle,
    CloseReviewCycleBody,
    NotOpened,
    Open,
    OpenReviewCycle,
    OpenReviewCycleBody,
    ReviewCycle,
)
from services.reviews.projections import cycles, reviews_by_cycle
from services.reviews.projections.cycles import Cycle
from shared.eventsourcing.decision import Decision, Outcome
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authorization import READ, needs
from shared.runtime.caller import Caller
from shared.runtime.http import AtEdge, CommandAnswer, Edge
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import ReviewCycleId
from shared.schemas.partitions import PARTITIONS
from shared.schemas.reviews import CyclePolicy
from shared.schemas.values import DecimalString


class OpenCycleRequest(OpenReviewCycleBody):
    """The cycle, and over whom it is opened."""

    population: PopulationBody = PopulationBody()


class CycleAnswer(CommandAnswer):
    """An accepted opening; its Consistency-Token covers the reviews, too."""

    population: int = Field(description="People of this request; each of them has a review now.")


class OpenedReviews(BaseModel):
    """The cycle whose missing reviews were opened."""

    cycle: ReviewCycleId
    population: int = Field(description="People of this request; each of them has a review now.")


class ScoreCount(BaseModel):
    """How often an overall score was given; null: not rated, for lack of coverage."""

    overall: DecimalString | None
    count: int


class LevelCount(BaseModel):
    """How many rated reviews reached the level; null: rated, below the first level."""

    level: str | None
    count: int


class CycleSummary(BaseModel):
    """A cycle in a list."""

    id: ReviewCycleId
    name: str
    starts_on: date
    ends_on: date
    state: str = Field(description="open or closed")
    version: int
    population: int = Field(description="People that it was opened over.")
    reviews: int = Field(description="Reviews opened so far; while a cycle is being opened it grows to the population.")
    policy: CyclePolicy
    opened_at: datetime
    closed_at: datetime | None


class CycleProgress(CycleSummary):
    """A cycle with how far its reviews are and how they are rated."""

    by_state: Mapping[str, int]
    ratings: Sequence[ScoreCount] = Field(description="Of the assessed reviews, ascending.")
    levels: Sequence[LevelCount]
    allowed_actions: list[str]


def cycle_routes(runtime: Runtime) -> APIRouter:
    """What HR does with cycles."""
    routes = APIRouter(tags=["cycles"])
    handler, reading = runtime.handler, runtime.reading

    @routes.post("/cycles", status_code=201, summary="Open a cycle over a population")
    @needs("cycle", "open")
    async def open_cycle(body: OpenCycleRequest, edge: AtEdge) -> CycleAnswer:
        """One review per person is opened, in chunks.

        If that is interrupted, repeat the request with the same Idempotency-Key, or open what is missing with POST
        /cycles/{cycle}/reviews: nothing is opened twice. A person's manager at this moment is the manager of record,
        who assesses. Who has none, or one who is not employed, is assessed by HR.
        """
        CYCLES.require(edge.action, edge.caller)
        members = await select_population(reading, body.population, on=edge.now.date())
        command = OpenReviewCycle.from_body(body, at=edge.now, by=edge.caller.person, population=len(members))
        answer = edge.describe(_actions_of(edge.caller))
        cycle = await handler.handle(edge.context, REVIEW_CYCLE, uuid7(), command, answer=answer)
        reviews = await open_reviews(handler, edge.context, ReviewCycleId(cycle.identity), members)
        accepted = edge.accepted(cycle, location=f"{runtime.service.base_path}/cycles/{cycle.identity}")
        edge.response.headers["Consistency-Token"] = _token([cycle, *reviews])
        return CycleAnswer(**accepted.model_dump(), population=len(members))

    @routes.post("/cycles/{cycle}/reviews", summary="Open the reviews that are missing in a cycle")
    @needs("cycle", "open")
    async def open_missing_reviews(cycle: ReviewCycleId, body: PopulationBody, edge: AtEdge) -> OpenedReviews:
        """For those who joined since, or after an interruption; who has a review already keeps it as it is."""
        CYCLES.require(edge.action, edge.caller)
        members = await select_population(reading, body, on=edge.now.date())
        reviews = await open_reviews(handler, edge.context, cycle, members)
        edge.response.headers["Consistency-Token"] = _token(reviews)
        return OpenedReviews(cycle=cycle, population=len(members))

    @routes.post("/cycles/{cycle}/close", summary="Close a cycle; nothing in it changes any more")
    @needs("cycle", "close")
    async def close_cycle(cycle: ReviewCycleId, body: CloseReviewCycleBody, edge: AtEdge) -> CommandAnswer:
        CYCLES.require(edge.action, edge.caller)

        async def plan(decision: Decision) -> None:
            if isinstance((await decision.load(REVIEW_CYCLE, cycle)).state, NotOpened):
                raise not_found("cycle", cycle)
            command = CloseReviewCycle.from_body(body, at=edge.now, by=edge.caller.person)
            await decision.decide(REVIEW_CYCLE, cycle, command)

        answer = edge.describe(_actions_of(edge.caller))
        return edge.accepted((await handler.handle_together(edge.context, plan, answer=answer))[0])

    @routes.get("/cycles", summary="The cycles, the latest first")
    @needs("cycle", READ)
    async def list_cycles(page: AskedPage, edge: AtEdge) -> Page[CycleSummary]:
        CYCLES.require(edge.action, edge.caller)
        await _wait(runtime, edge)
        async with reading.connect() as connection:
            after = page.after(tuple[datetime, UUID])
            rows = await cycles.newest(connection, after=after, limit=page.limit + 1)
            opened = await reviews_by_cycle.counts(connection, [row.cycle for row in rows])
        return page.of(
            rows,
            key=lambda row: (row.opened_at, row.cycle),
            item=lambda row: _summary(row, reviews=opened.get(row.cycle, 0)),
        )

    @routes.get("/cycles/{cycle}", summary="A cycle, how far its reviews are and how they are rated")
    @needs("cycle", READ)
    async def read_cycle(cycle: ReviewCycleId, edge: AtEdge) -> CycleProgress:
        CYCLES.require(edge.action, edge.caller)
        await _wait(runtime, edge)
        async with reading.connect() as connection:
            if (row := await cycles.find(connection, cycle)) is None:
                raise not_found("cycle", cycle)
            return await _progress(connection, row, edge)

    return routes


async def _wait(runtime: Runtime, edge: Edge) -> None:
    await runtime.wait(cycles.PROJECTION.name, edge.consistency)
    await runtime.wait(reviews_by_cycle.PROJECTION.name, edge.consistency)


async def _progress(connection: AsyncConnection, row: Cycle, edge: Edge) -> CycleProgress:
    by_state = await reviews_by_cycle.by_state(connection, row.cycle)
    by_rating = await reviews_by_cycle.by_rating(connection, row.cycle)
    by_level = await reviews_by_cycle.by_level(connection, row.cycle)
    edge.response.headers["ETag"] = f'"{row.version}"'
    return CycleProgress(
        **_summary(row, reviews=sum(by_state.values())).model_dump(),
        by_state=by_state,
        ratings=[ScoreCount(overall=overall, count=count) for overall, count in by_rating],
        levels=[LevelCount(level=level, count=count) for level, count in by_level.items()],
        allowed_actions=CYCLES.allowed_actions(["close"] if row.state == "open" else [], edge.caller),
    )


def _summary(row: Cycle, *, reviews: int) -> CycleSummary:
    return CycleSummary(
        id=row.cycle,
        name=row.name,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        state=row.state,
        version=row.version,
        population=row.population,
        reviews=reviews,
        policy=row.policy,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def _actions_of(caller: Caller) -> Callable[[ReviewCycle], Sequence[str]]:
    return lambda cycle: CYCLES.allowed_actions(["close"] if isinstance(cycle, Open) else [], caller)


def _token(outcomes: Collection[Outcome]) -> str:
    """The Consistency-Token of several commands: the highest position of each partition.

    From the highest on: among thousands of reviews the first few dozen have every partition.
    """
    reached: dict[int, int] = {}
    for outcome in sorted(outcomes, key=lambda one: one.position, reverse=True):
        reached.setdefault(outcome.partition, outcome.position)
        if len(reached) == PARTITIONS:
            break
    return ",".join(f"{partition}-{position}" for partition, position in sorted(reached.items()))
