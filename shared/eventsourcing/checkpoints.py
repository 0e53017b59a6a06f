"""Checkpoints: how far a reader has applied each partition. The database is the truth, Kafka's offset a hint."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

NOT_STARTED: Final = -1
"""Position and offset of a reader that starts with what is published after its first start."""

_COLUMNS: Final = "topic, partition, log_id, position, next_offset, generation, stopped"
_ONE: Final = text(
    f"select {_COLUMNS} from checkpoints where reader = :reader and topic = :topic and partition = :partition "  # noqa: S608 - a constant
    "for update"
)
_ALL: Final = text(
    f"select {_COLUMNS} from checkpoints where reader = :reader order by topic, partition"  # noqa: S608 - a constant
)
_MOVE: Final = text(
    "update checkpoints set log_id = :log_id, position = :position, next_offset = :next_offset, "
    "moved_at = clock_timestamp() where reader = :reader and topic = :topic and partition = :partition"
)
_STOP: Final = text(
    "update checkpoints set stopped = :reason, seen_log_id = coalesce(:seen_log_id, seen_log_id) "
    "where reader = :reader and topic = :topic and partition = :partition"
)
_RESET: Final = text(
    "update checkpoints set position = 0, next_offset = 0, stopped = null, generation = generation + 1, "
    "log_id = coalesce((select max(seen_log_id::text)::uuid from checkpoints s "
    "                    where s.reader = checkpoints.reader and s.topic = checkpoints.topic), log_id) "
    "where reader = :reader"
)
_ADOPT: Final = text(
    "update checkpoints set log_id = :log_id, position = :position, next_offset = :next_offset "
    "where reader = :reader and topic = :topic and partition = :partition and next_offset = -1"
)
_BEGIN: Final = text(
    "insert into checkpoints (reader, topic, partition) "
    "select :reader, topic, partition from checkpoints where reader = :like"
)
_FOLLOW: Final = text(
    "update checkpoints set log_id = :log_id where reader = :reader and topic = :topic and position = 0 "
    "and log_id is distinct from :log_id"
)
_EXCHANGE: Final = text(
    "update checkpoints c set log_id = o.log_id, position = o.position, next_offset = o.next_offset, "
    "stopped = o.stopped, seen_log_id = o.seen_log_id, generation = greatest(c.generation, o.generation) + 1 "
    "from checkpoints o where o.topic = c.topic and o.partition = c.partition "
    "and (c.reader, o.reader) in ((:one, :other), (:other, :one))"
)


class CheckpointMissing(Exception):  # noqa: N818 - named for the fact
    """A reader has no checkpoint row for a partition: the migration that adds the reader was not run."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One partition of a reader: the log followed, the last position applied, the offset to read next.

    `generation` grows when a person resets the reader; `stopped` says why the partition is not read.
    """

    topic: str
    partition: int
    log_id: UUID | None
    position: int
    next_offset: int
    generation: int
    stopped: str | None


async def lock(
    connection: AsyncConnection, reader: str, topic: str, partition: int, *, fence: bool = True
) -> Checkpoint:
    """The checkpoint, locked until the transaction ends: it fences the partition's old owner after a rebalance."""
    statement = _ONE if fence else text(_ONE.text.removesuffix("for update"))
    row = (
        await connection.execute(statement, {"reader": reader, "topic": topic, "partition": partition})
    ).one_or_none()
    if row is None:
        raise CheckpointMissing(f"{reader} has no checkpoint for {topic}/{partition}; run the service's migration")
    return Checkpoint(*row)


async def read_all(engine: AsyncEngine, reader: str) -> list[Checkpoint]:
    """All partitions of a reader."""
    async with engine.connect() as connection:
        return await read(connection, reader)


async def read(connection: AsyncConnection, reader: str) -> list[Checkpoint]:
    """As `read_all`, in the caller's transaction."""
    return [Checkpoint(*row) for row in await connection.execute(_ALL, {"reader": reader})]


async def move(
    connection: AsyncConnection,
    reader: str,
    checkpoint: Checkpoint,
    *,
    log_id: UUID | None,
    position: int,
    next_offset: int,
) -> None:
    """Move the checkpoint, in the transaction that applied what lies behind it."""
    await connection.execute(
        _MOVE, _key(reader, checkpoint) | {"log_id": log_id, "position": position, "next_offset": next_offset}
    )


async def stop(
    connection: AsyncConnection, reader: str, checkpoint: Checkpoint, reason: str, *, seen_log_id: UUID | None = None
) -> None:
    """Stop the partition, loudly and lastingly: a pause would be lost in a rebalance."""
    await connection.execute(_STOP, _key(reader, checkpoint) | {"reason": reason, "seen_log_id": seen_log_id})


async def reset(connection: AsyncConnection, reader: str) -> None:
    """Back to the beginning, following the youngest log that a partition stopped at; running workers notice."""
    await connection.execute(_RESET, {"reader": reader})


async def begin(connection: AsyncConnection, reader: str, *, like: str) -> None:
    """The rows of a new reader that reads what another reads, from the beginning."""
    await connection.execute(_BEGIN, {"reader": reader, "like": like})


async def end(connection: AsyncConnection, reader: str) -> None:
    """Take a reader's rows away: whoever still reads for it applies nothing any more."""
    await connection.execute(text("delete from checkpoints where reader = :reader"), {"reader": reader})


async def follow(engine: AsyncEngine, reader: str, topic: str, log_id: UUID) -> None:
    """Let a reader that has applied nothing of a topic follow this log alone: records of older ones are passed over."""
    async with engine.begin() as connection:
        await connection.execute(_FOLLOW, {"reader": reader, "topic": topic, "log_id": log_id})


async def exchange(connection: AsyncConnection, one: str, other: str) -> None:
    """Give each of two readers the other's checkpoints; running workers notice, and a slice that waits goes on."""
    await connection.execute(_EXCHANGE, {"one": one, "other": other})


async def rename(connection: AsyncConnection, reader: str, name: str) -> None:
    """Give a reader's rows another name."""
    await connection.execute(
        text("update checkpoints set reader = :name where reader = :reader"), {"reader": reader, "name": name}
    )


async def adopt(
    connection: AsyncConnection,
    reader: str,
    checkpoint: Checkpoint,
    *,
    log_id: UUID | None,
    position: int,
    next_offset: int,
) -> None:
    """Fix where a reader that starts now has started, unless another worker did."""
    await connection.execute(
        _ADOPT, _key(reader, checkpoint) | {"log_id": log_id, "position": position, "next_offset": next_offset}
    )


def _key(reader: str, checkpoint: Checkpoint) -> dict[str, object]:
    return {"reader": reader, "topic": checkpoint.topic, "partition": checkpoint.partition}
