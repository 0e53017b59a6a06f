"""What lies before an assessor: a person's goals as they stand and the feedback they were given, from both topics."""

from collections.abc import Sequence
from datetime import UTC, date
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, MetaData, Numeric, Table, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.rows import Row, change_rows
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas import feedback, goals
from shared.schemas.feedback import FeedbackGiven, FeedbackVisibility
from shared.schemas.goal_changes import GoalRescheduled, GoalRetargeted
from shared.schemas.goal_ties import GoalHandedOver
from shared.schemas.goals import GoalAchieved, GoalCancelled, GoalMissed, GoalProgressRecorded, GoalReopened, GoalSet
from shared.schemas.identifiers import FeedbackId, PersonId
from shared.schemas.reviews import Evidence, GoalEvidence

_METADATA: Final = MetaData()
GOALS: Final = Table(
    "evidence_goals",
    _METADATA,
    Column("goal", Uuid, primary_key=True),
    Column("owner", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("progress", Numeric),
    Column("version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("evidence_goals_by_owner", "owner"),
)
FEEDBACK: Final = Table(
    "evidence_feedback",
    _METADATA,
    Column("feedback", Uuid, primary_key=True),
    Column("receiver", Uuid, nullable=False),
    Column("given_on", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Index("evidence_feedback_by_receiver", "receiver", "given_on"),
)
"""Only what its receiver may see, and never who wrote it."""

_SEEN_BY_RECEIVER: Final = (FeedbackVisibility.RECEIVER, FeedbackVisibility.RECEIVER_AND_MANAGER)


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A slice is of one topic; goals and feedback have no row in common."""
    await change_rows(connection, GOALS, events, _goal_change)
    await change_rows(connection, FEEDBACK, events, _feedback_change)


def _goal_change(recorded: Recorded) -> Row:
    """What the event says of the goal's own recorded progress, and where it stands in the log."""
    stands: Row = {"position": recorded.position}
    match recorded.event:
        case GoalSet() as event:
            period = {"starts_on": event.starts_on, "ends_on": event.ends_on}
            return {**stands, **period, "owner": event.owner, "cancelled": False, "progress": None}
        case GoalRescheduled(starts_on=starts_on, ends_on=ends_on):
            return {**stands, "starts_on": starts_on, "ends_on": ends_on}
        case GoalHandedOver(owner=owner):
            return {**stands, "owner": owner}
        case GoalReopened(progress=progress):
            return {**stands, "progress": progress, "cancelled": False}
        case GoalProgressRecorded(progress=progress) | GoalRetargeted(progress=progress):
            return {**stands, "progress": progress}
        case GoalAchieved(progress=progress) | GoalMissed(progress=progress):
            return stands if progress is None else {**stands, "progress": progress}
        case GoalCancelled():
            return {**stands, "cancelled": True}
        case _:
            return {}


def _feedback_change(recorded: Recorded) -> Row:
    match recorded.event:
        case FeedbackGiven(receiver=receiver, visibility=visibility) if visibility in _SEEN_BY_RECEIVER:
            given_on = recorded.envelope.time.astimezone(UTC).date()
            return {"receiver": receiver, "given_on": given_on}
        case _:
            return {}


async def gather(connection: AsyncConnection, person: PersonId, *, starts_on: date, ends_on: date) -> Evidence:
    """The person's goals that touch the period, cancelled ones left out, and the feedback given in it (days in UTC)."""
    goal, given = GOALS.c, FEEDBACK.c
    goals_of = (
        select(goal.goal, goal.progress, goal.version, goal.position)
        .where(goal.owner == person, ~goal.cancelled, goal.starts_on <= ends_on, goal.ends_on >= starts_on)
        .order_by(goal.goal)
    )
    feedback_to = (
        select(given.feedback)
        .where(given.receiver == person, given.given_on.between(starts_on, ends_on))
        .order_by(given.feedback)
    )
    return Evidence(
        goals=tuple(GoalEvidence(**row) for row in (await connection.execute(goals_of)).mappings()),
        feedback=tuple(FeedbackId(identity) for identity in await connection.scalars(feedback_to)),
    )


PROJECTION: Final = Projection(
    name="evidence", topics=(goals.TOPIC, feedback.TOPIC), tables=(GOALS, FEEDBACK), apply=apply
)
