"""Which feedback lies before an assessor: what the person was given in the period, and may see."""

from collections.abc import Sequence
from datetime import UTC, date
from typing import Final

from sqlalchemy import Column, Date, Index, Integer, MetaData, Table, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.rows import Row, change_rows
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.feedback import TOPIC, FeedbackGiven, FeedbackVisibility
from shared.schemas.identifiers import FeedbackId, PersonId

FEEDBACK: Final = Table(
    "evidence_feedback",
    MetaData(),
    Column("feedback", Uuid, primary_key=True),
    Column("receiver", Uuid, nullable=False),
    Column("given_on", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Index("evidence_feedback_by_receiver", "receiver", "given_on"),
)
"""Only what its receiver may see, and never who wrote it."""

_SEEN_BY_RECEIVER: Final = (FeedbackVisibility.RECEIVER, FeedbackVisibility.RECEIVER_AND_MANAGER)


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    await change_rows(connection, FEEDBACK, events, _change)


def _change(recorded: Recorded) -> Row:
    match recorded.event:
        case FeedbackGiven(receiver=receiver, visibility=visibility) if visibility in _SEEN_BY_RECEIVER:
            given_on = recorded.envelope.time.astimezone(UTC).date()
            return {"receiver": receiver, "given_on": given_on}
        case _:
            return {}


async def feedback_for(
    connection: AsyncConnection, person: PersonId, *, starts_on: date, ends_on: date
) -> tuple[FeedbackId, ...]:
    """What the person was given in the period (days in UTC), in key order."""
    given = FEEDBACK.c
    query = (
        select(given.feedback)
        .where(given.receiver == person, given.given_on.between(starts_on, ends_on))
        .order_by(given.feedback)
    )
    return tuple(FeedbackId(identity) for identity in await connection.scalars(query))


PROJECTION: Final = Projection(name="evidence", topics=(TOPIC,), tables=(FEEDBACK,), apply=apply)
