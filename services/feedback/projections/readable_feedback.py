"""Which feedback may this person read: received, given, or received by those who report to them?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Index,
    MetaData,
    RowMapping,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.feedback import TOPIC, FeedbackAcknowledged, FeedbackGiven, FeedbackKind, FeedbackVisibility
from shared.schemas.identifiers import FeedbackId, GoalId, PersonId
from shared.schemas.personal_text import PersonalText

READABLE_FEEDBACK: Final = Table(
    "readable_feedback",
    MetaData(),
    Column("feedback", Uuid, primary_key=True),
    Column("author", Uuid, nullable=False),
    Column("receiver", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("goal", Uuid),
    Column("text", Text, nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("acknowledged_at", DateTime(timezone=True)),
    Index("readable_feedback_by_receiver", "receiver", "given_at", "feedback"),
    Index("readable_feedback_by_author", "author", "given_at", "feedback"),
)
_FEEDBACK: Final = READABLE_FEEDBACK.c


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: always what they wrote themselves, and what these visibilities open to them of the receiver's."""

    person: PersonId
    visibilities: frozenset[FeedbackVisibility]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableFeedback:
    """One piece of feedback, its text still sealed."""

    feedback: FeedbackId
    author: PersonId
    receiver: PersonId
    kind: FeedbackKind
    visibility: FeedbackVisibility
    goal: GoalId | None
    text: PersonalText
    given_at: datetime
    acknowledged_at: datetime | None


SortKey = tuple[datetime, FeedbackId]
"""Newest first; the id tells those of the same moment apart."""


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A piece of feedback is one stream, hence one row that no other partition touches."""
    given = [_row(record, record.event) for record in events if isinstance(record.event, FeedbackGiven)]
    acknowledged = [
        {"stream": record.stream_id, "at": record.envelope.time}
        for record in events
        if isinstance(record.event, FeedbackAcknowledged)
    ]
    if given:
        await connection.execute(insert(READABLE_FEEDBACK).on_conflict_do_nothing(), given)
    if acknowledged:
        await connection.execute(
            update(READABLE_FEEDBACK)
            .where(_FEEDBACK.feedback == bindparam("stream"))
            .values(acknowledged_at=bindparam("at")),
            acknowledged,
        )


def _row(record: Recorded, event: FeedbackGiven) -> dict[str, Any]:
    return {
        "feedback": record.stream_id,
        "author": event.author,
        "receiver": event.receiver,
        "kind": event.kind.value,
        "visibility": event.visibility.value,
        "goal": event.goal,
        "text": event.text.model_dump_json(),
        "given_at": record.envelope.time,
    }


PROJECTION: Final = Projection(name="readable_feedback", topics=(TOPIC,), tables=(READABLE_FEEDBACK,), apply=apply)


async def received_by(
    connection: AsyncConnection, receiver: PersonId, *, reader: Reader, after: SortKey | None, limit: int
) -> list[ReadableFeedback]:
    """What the receiver got and the reader may read, newest first."""
    query = select(READABLE_FEEDBACK).where(_FEEDBACK.receiver == receiver, _readable(reader))
    return await _page(connection, query, after=after, limit=limit)


async def given_by(
    connection: AsyncConnection, author: PersonId, *, after: SortKey | None, limit: int
) -> list[ReadableFeedback]:
    """What the author wrote, for the author's own eyes, newest first."""
    query = select(READABLE_FEEDBACK).where(_FEEDBACK.author == author)
    return await _page(connection, query, after=after, limit=limit)


async def receiver_of(connection: AsyncConnection, feedback: FeedbackId) -> PersonId | None:
    """Whom the feedback is for: what must be known to tell who may read it."""
    return await connection.scalar(select(_FEEDBACK.receiver).where(_FEEDBACK.feedback == feedback))


async def find(connection: AsyncConnection, feedback: FeedbackId, *, reader: Reader) -> ReadableFeedback | None:
    """The feedback, if it exists and the reader may read it."""
    query = select(READABLE_FEEDBACK).where(_FEEDBACK.feedback == feedback, _readable(reader))
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _feedback(row)


def _readable(reader: Reader) -> ColumnElement[bool]:
    opened = [visibility.value for visibility in reader.visibilities]
    return or_(_FEEDBACK.author == reader.person, _FEEDBACK.visibility.in_(opened))


async def _page(
    connection: AsyncConnection, query: Select[Any], *, after: SortKey | None, limit: int
) -> list[ReadableFeedback]:
    if after is not None:
        query = query.where(_older_than(after))
    newest_first = query.order_by(_FEEDBACK.given_at.desc(), _FEEDBACK.feedback.desc()).limit(limit)
    return [_feedback(row) for row in (await connection.execute(newest_first)).mappings()]


def _older_than(last: SortKey) -> ColumnElement[bool]:
    return tuple_(_FEEDBACK.given_at, _FEEDBACK.feedback) < tuple_(*last)


def _feedback(row: RowMapping) -> ReadableFeedback:
    values: dict[str, Any] = {
        **row,
        "kind": FeedbackKind(row["kind"]),
        "visibility": FeedbackVisibility(row["visibility"]),
        "text": PersonalText.model_validate_json(row["text"]),
    }
    return ReadableFeedback(**values)
