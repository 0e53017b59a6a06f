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
