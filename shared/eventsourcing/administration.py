"""What an operator does with a service's log and readers: look, follow, fork."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing import checkpoints, dead_letters
from shared.eventsourcing.checkpoints import Checkpoint
from shared.eventsourcing.identifiers import uuid7
from shared.schemas.identifiers import PersonId

_LOG: Final = text(
    "select log_id, partitions, owner, epoch, position, state, error, expires_at > clock_timestamp() as led, "
    "(select coalesce(max(position), 0) from events) as stored from log"
)
_FORK: Final = (
    "insert into log_forks (log_id, replaced, actor, reason) select :log_id, log_id, :actor, :reason from log",
    """update log set log_id = :log_id, epoch = epoch + 1, expires_at = '-infinity', position = 0,
                      state = 'new', error = null""",
    "update chain set position = 0, event_id = null",
)


@dataclass(frozen=True, slots=True)
class LogStatus:
    """A service's log: how much is stored, how much of it published, by whom, and what keeps it from going on."""

    log_id: UUID
    partitions: int
    owner: str | None
    epoch: int
    published: int
    state: str
    error: str | None
    led: bool
    stored: int


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """A reader: its checkpoints, how many records it has parked, and how many of them could not be applied."""

    name: str
    checkpoints: Sequence[Checkpoint]
    parked: int
    culprits: int


async def log_status(engine: AsyncEngine) -> LogStatus:
    """The service's log as its database knows it."""
    async with engine.connect() as connection:
        row = (await connection.execute(_LOG)).one()
    return LogStatus(
        row.log_id, row.partitions, row.owner, row.epoch, row.position, row.state, row.error, row.led, row.stored
    )


async def fork_log(engine: AsyncEngine, *, actor: PersonId, reason: str) -> UUID:
    """Start a new log from the store: everything is published again under a new log id.

    Readers of the old log stop at the first record of the new one, until they are told to follow it.
    """
    log_id = uuid7()
    async with engine.begin() as connection:
        for statement in _FORK:
            await connection.execute(text(statement), {"log_id": log_id, "actor": actor, "reason": reason})
    return log_id


async def reader_status(engine: AsyncEngine, name: str) -> ReaderStatus:
    """A projection's or reaction's checkpoints."""
    async with engine.connect() as connection:
        parked = await dead_letters.standing(connection, name)
        culprits = await dead_letters.count(connection, name)
    return ReaderStatus(name, await checkpoints.read_all(engine, name), parked, culprits)


async def follow(engine: AsyncEngine, reaction: str) -> None:
    """Tell a reaction to follow the log that it stopped at; what it reacted to before it does not react to again."""
    async with engine.begin() as connection:
        await checkpoints.reset(connection, reaction)
