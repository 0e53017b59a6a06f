"""Over whom a cycle is opened; their reviews are opened in chunks, which may be repeated at any time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reviews.domain.review import REVIEW
from services.reviews.domain.review_commands import OpenReview
from services.reviews.domain.review_cycle import REVIEW_CYCLE, Closed, NotOpened, Open
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.eventsourcing.decision import Context, Decision, Outcome
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived
from shared.people.population import Person, population
from shared.runtime.problems import not_found
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.values import ShortText

CHUNK: Final = 100
"""Reviews a transaction: short enough for the store's time limit, long enough to be fast."""


class PopulationBody(RequestBody):
    """Over whom: these people, or these teams, or both; nothing said: everybody who is employed on that day."""

    people: tuple[PersonId, ...] = Field(default=(), max_length=20_000)
    teams: tuple[ShortText, ...] = Field(default=(), max_length=1_000, examples=[["Production"]])


@dataclass(frozen=True, slots=True)
class Member:
    """A person to be reviewed and their manager of record; None: HR assesses."""

    person: PersonId
    manager: PersonId | None


async def select_population(engine: AsyncEngine, wanted: PopulationBody, *, on: date) -> list[Member]:
    """The people asked for, in key order. A manager who is not employed on that day is no manager of record.

    Raises:
        Rejected: people-are-not-employed.
    """
    async with engine.connect() as connection:
        employed = {person.person: person for person in await population(connection, on=on)}
    if strangers := [person for person in wanted.people if person not in employed]:
        raise Rejected("people-are-not-employed", people=strangers[:10], count=len(strangers), on=on)
    people, teams = set(wanted.people), set(wanted.teams)
    everybody = not people and not teams
    chosen = [p for p in employed.values() if everybody or p.person in people or p.team in teams]
    return [Member(person.person, _manager_of_record(person, employed)) for person in chosen]


def _manager_of_record(person: Person, employed: Collection[PersonId]) -> PersonId | None:
    return person.manager if person.manager in employed and person.manager != person.person else None


async def open_reviews(
    handler: CommandHandler, context: Context, cycle: ReviewCycleId, members: Sequence[Member]
) -> list[Outcome]:
    """Open the reviews that are not there yet; those of a chunk that was done before change nothing.

    Raises:
        Problem: 404, there is no such cycle.
        Rejected: review-cycle-is-closed.
    """
    alone = replace(context, idempotency=None, expected_version=None)
    outcomes: list[Outcome] = []
    for chunk in _chunks(members):

        async def plan(decision: Decision, chunk: Sequence[Member] = chunk) -> None:
            await _open_chunk(decision, context, cycle, chunk)

        outcomes += await handler.handle_together(alone, plan)
    return outcomes


def review_of(cycle: ReviewCycleId, person: PersonId) -> ReviewId:
    """One review per person and cycle: its id says both."""
    return ReviewId(derived("review", cycle, person))


async def _open_chunk(decision: Decision, context: Context, cycle: ReviewCycleId, chunk: Sequence[Member]) -> None:
    match (await decision.hold(REVIEW_CYCLE, cycle)).state:
        case Open(policy=policy):
            for member in chunk:
                command = OpenReview(
                    cycle=cycle,
                    person=member.person,
                    manager=member.manager,
                    policy=policy,
                    cycle_is_open=True,
                    at=context.at,
                    by=context.actor,
                )
                await decision.decide(REVIEW, review_of(cycle, member.person), command)
        case NotOpened():
            raise not_found("cycle", cycle)
        case Closed():
            raise Rejected("review-cycle-is-closed", cycle=cycle)


def _chunks(members: Sequence[Member]) -> Iterator[Sequence[Member]]:
    for start in range(0, len(members), CHUNK):
        yield members[start : start + CHUNK]
