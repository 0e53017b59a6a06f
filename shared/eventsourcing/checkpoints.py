"""Checkpoints: how far a reader has applied each partition. The database is the truth, Kafka's offset a hint."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.database import borrowed, driver

NOT_STARTED: Final = -1
"""Position and offset of a reader that starts with what is published after its first start."""

_COLUMNS: Final = "topic, partition, log_id, position, next_offset, generation, stopped"
_LOCK: Final = text(
    f"select {_COLUMNS} from checkpoints where reader = :reader and (topic, partition) in "  # noqa: S608 - a constant
    "(select * from unnest(cast(:topics as text[]), cast(:partitions as integer[]))) order by topic, partition "
    "for update"
)
_UNFENCED: Final = text(_LOCK.text.removesuffix("for update"))
_ALL: Final = text(
    f"select {_COLUMNS} from checkpoints where reader = :reader order by topic, partition"  # noqa: S608 - a constant
)
_MOVED: Final = """
update checkpoints c set log_id = m.log_id, position = m.position, next_offset = m.next_offset,
                         moved_at = clock_timestamp()"""
_MOVE: Final = f"""{_MOVED}
  from unnest($2::text[], $3::integer[], $4::uuid[], $5::bigint[], $6::bigint[])
    as m(topic, partition, log_id, position, next_offset)
 where c.reader = $1 and c.topic = m.topic and c.partition = m.partition"""
_MOVE_FIRST: Final = text(
    "update checkpoints set log_id = :log_id, position = :position, next_offset = :next_offset, "
    "moved_at = clock_timestamp() where reader = :reader and topic = :topic and partition = :partition "
    "and stopped is null and position = :from_position and next_offset = :from_offset "
    "and log_id is not distinct from cast(:from_log_id as uuid) and generation = :generation returning true"
)
_PASS_OVER: Final = f"""{_MOVED}
  from unnest($1::text[], $2::text[], $3::integer[], $4::uuid[], $5::bigint[], $6::bigint[],
              $7::uuid[], $8::bigint[], $9::bigint[], $10::integer[])
    as m(reader, topic, partition, log_id, position, next_offset, from_log_id, from_position, from_offset, generation)
 where c.reader = m.reader and c.topic = m.topic and c.partition = m.partition and c.stopped is null
   and c.position = m.from_position and c.next_offset = m.from_offset and c.log_id is not distinct from m.from_log_id
   and c.generation = m.generation
returning c.reader"""
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
    "select :reader, topic, partition from checkpoints where reader = :like and topic = any(cast(:topics as text[]))"
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


@dataclass(frozen=True, slots=True)
class Move:
    """A checkpoint and where it is moved to."""

    start: Checkpoint
    log_id: UUID | None
    position: int
    next_offset: int


async def lock_all(
    connection: AsyncConnection, reader: str, places: Sequence[tuple[str, int]], *, fence: bool = True
) -> list[Checkpoint]:
    """The checkpoints of these partitions, in their order, locked until the transaction ends.

    The lock fences a partition's old owner after a rebalance. All lock them in one order: nobody waits in a ring.

    Raises:
        CheckpointMissing: a partition has none.
    """
    asked = {"reader": reader, "topics": [topic for topic, _ in places], "partitions": [n for _, n in places]}
    rows = (await connection.execute(_LOCK if fence else _UNFENCED, asked)).all()
    found = {(row.topic, row.partition): Checkpoint(*row) for row in rows}
    for topic, partition in places:
        if (topic, partition) not in found:
            raise CheckpointMissing(f"{reader} has no checkpoint for {topic}/{partition}; run the service's migration")
    return [found[place] for place in places]


async def lock(
    connection: AsyncConnection, reader: str, topic: str, partition: int, *, fence: bool = True
) -> Checkpoint:
    """As `lock_all`, of one partition."""
    return (await lock_all(connection, reader, [(topic, partition)], fence=fence))[0]


async def read_all(engine: AsyncEngine, reader: str) -> list[Checkpoint]:
    """All partitions of a reader."""
    async with engine.connect() as connection:
        return await read(connection, reader)


async def read(connection: AsyncConnection, reader: str) -> list[Checkpoint]:
    """As `read_all`, in the caller's transaction."""
    return [Checkpoint(*row) for row in await connection.execute(_ALL, {"reader": reader})]


async def move(connection: AsyncConnection, reader: str, moves: Sequence[Move]) -> None:
    """Move locked checkpoints, in the transaction that applied what lies behind them."""
    await (await driver(connection)).execute(_MOVE, reader, *_columns(moves))


async def move_first(connection: AsyncConnection, reader: str, move: Move) -> bool:
    """Move a checkpoint before that is applied which lies behind it, and hold it until the transaction ends.

    False: it stands elsewhere than where this process left it, and was not touched. One statement less than to lock it
    and to move it afterwards, and as good a fence: whoever holds the row is waited for, and its row then looked at.
    """
    start = move.start
    from_ = {"from_log_id": start.log_id, "from_position": start.position, "from_offset": start.next_offset}
    to = {"log_id": move.log_id, "position": move.position, "next_offset": move.next_offset}
    asked = {**_key(reader, start), **from_, **to, "generation": start.generation}
    return await connection.scalar(_MOVE_FIRST, asked) is not None


async def pass_over(engine: AsyncEngine, asked: Sequence[tuple[str, Sequence[Move]]]) -> Counter[str]:
    """Move readers' checkpoints over what means nothing to them; of each reader, how many rows it was.

    One statement, which is its own transaction. That a row stands where this process left it is as good a fence as its
    lock: a row that anybody else has moved, stopped or reset is left as it is.
    """
    readers = [reader for reader, moves in asked for _ in moves]
    moves = [move for _, moves in asked for move in moves]
    starts = [move.start for move in moves]
    from_ = (
        [start.log_id for start in starts],
        [start.position for start in starts],
        [start.next_offset for start in starts],
        [start.generation for start in starts],
    )
    async with borrowed(engine) as connection:
        moved = await connection.fetch(_PASS_OVER, readers, *_columns(moves), *from_)
    return Counter(row["reader"] for row in moved)


def _columns(moves: Sequence[Move]) -> tuple[list[object], ...]:
    return (
        [move.start.topic for move in moves],
        [move.start.partition for move in moves],
        [move.log_id for move in moves],
        [move.position for move in moves],
        [move.next_offset for move in moves],
    )


async def stop(
    connection: AsyncConnection, reader: str, checkpoint: Checkpoint, reason: str, *, seen_log_id: UUID | None = None
) -> None:
    """Stop the partition, loudly and lastingly: a pause would be lost in a rebalance."""
    await connection.execute(_STOP, _key(reader, checkpoint) | {"reason": reason, "seen_log_id": seen_log_id})


async def reset(connection: AsyncConnection, reader: str) -> None:
    """Back to the beginning, following the youngest log that a partition stopped at; running workers notice."""
    await connection.execute(_RESET, {"reader": reader})


async def begin(connection: AsyncConnection, reader: str, *, like: str, topics: Collection[str]) -> None:
    """The rows of a new reader that reads these topics, from the beginning, as another reads them.

    The other one may have rows of a topic that only the release before still reads.
    """
    await connection.execute(_BEGIN, {"reader": reader, "like": like, "topics": list(topics)})


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
