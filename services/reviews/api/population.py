"""Over whom a cycle is opened; their reviews are opened in chunks, which may be repeated at any time."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, TypeAlias

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reviews.domain.review import REVIEW
from services.reviews.domain.review_commands import OpenReview
from services.reviews.domain.review_cycle import REVIEW_CYCLE, Closed, NotOpened, Open
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.eventsourcing.decision import Context, Decision, Outcome
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived
from shared.people.population import Placed, places
from shared.runtime.problems import not_found
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.values import ShortText

CHUNK: Final = 500
"""Reviews a transaction: long enough to be fast, short enough for others to be answered meanwhile."""
_AT_ONCE: Final = 3
"""Transactions: one is decided while others are stored."""


class PopulationBody(RequestBody):
    """Over whom: these people, or these teams, or both; nothing said: everybody who is employed on that day."""

    people: tuple[PersonId, ...] = Field(default=(), max_length=20_000)
    teams: tuple[ShortText, ...] = Field(default=(), max_length=1_000, examples=[["Production"]])


@dataclass(frozen=True, slots=True)
class Member:
    """A person to be reviewed and their manager of record; None: HR assesses."""

    person: PersonId
    manager: PersonId | None


Chunk: TypeAlias = Mapping[ReviewId, Member]
"""The reviews of a transaction, and whose they are."""


async def select_population(engine: AsyncEngine, wanted: PopulationBody, *, on: date) -> list[Member]:
    """The people asked for, in key order. A manager who is not employed on that day is no manager of record.

    Raises:
        Rejected: people-are-not-employed.
    """
    async with engine.connect() as connection:
        employed = {person.person: person for person in await places(connection, on=on)}
    if strangers := [person for person in wanted.people if person not in employed]:
        raise Rejected("people-are-not-employed", people=strangers[:10], count=len(strangers), on=on)
    people, teams = set(wanted.people), set(wanted.teams)
    everybody = not people and not teams
    chosen = [p for p in employed.values() if everybody or p.person in people or p.team in teams]
    return [Member(person.person, _manager_of_record(person, employed)) for person in chosen]


def _manager_of_record(person: Placed, employed: Collection[PersonId]) -> PersonId | None:
    return person.manager if person.manager in employed and person.manager != person.person else None


async def open_reviews(
    handler: CommandHandler, context: Context, cycle: ReviewCycleId, members: Sequence[Member]
) -> list[Outcome]:
    """Open the reviews that are not there yet; those of a chunk that was done before change nothing.

    While the database stores one chunk the next one is decided.

    Raises:
        Problem: 404, there is no such cycle.
        Rejected: review-cycle-is-closed.
    """
    alone = replace(context, idempotency=None, expected_version=None)
    chunks, outcomes = _chunks(cycle, members), list[Outcome]()

    async def open_chunks() -> None:
        for chunk in chunks:

            async def plan(decision: Decision, chunk: Chunk = chunk) -> None:
                await decision.read_ahead(handler.store, REVIEW, chunk)
                await _open_chunk(decision, context, cycle, chunk)

            outcomes.extend(await handler.handle_together(alone, plan))

    await _all_or_the_first_failure(open_chunks() for _ in range(_AT_ONCE))
    return outcomes


async def _all_or_the_first_failure(parts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """When it raises one part's failure, the others have ended, too."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def review_of(cycle: ReviewCycleId, person: PersonId) -> ReviewId:
    """One review per person and cycle: its id says both."""
    return ReviewId(derived("review", cycle, person))


async def _open_chunk(decision: Decision, context: Context, cycle: ReviewCycleId, chunk: Chunk) -> None:
    match (await decision.hold(REVIEW_CYCLE, cycle)).state:
        case Open(policy=policy):
            for review, member in chunk.items():
                command = OpenReview(
                    cycle=cycle,
                    person=member.person,
                    manager=member.manager,
                    policy=policy,
                    cycle_is_open=True,
                    at=context.at,
                    by=context.actor,
                )
                await decision.decide(REVIEW, review, command)
        case NotOpened():
            raise not_found("cycle", cycle)
        case Closed():
            raise Rejected("review-cycle-is-closed", cycle=cycle)


def _chunks(cycle: ReviewCycleId, members: Sequence[Member]) -> Iterator[Chunk]:
    for start in range(0, len(members), CHUNK):
        yield {review_of(cycle, member.person): member for member in members[start : start + CHUNK]}
