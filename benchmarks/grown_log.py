"""Goals installations whose logs are of any size: a small one that was really written and read, copied by PostgreSQL.

Every copy is a tree of the same shape with ids of its own: events, stream heads, rows and timers as the service wrote
them. What is published ends with a log mark in each partition, as after a quiet minute.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.append import Append
from shared.eventsourcing.identifiers import derived, stream_name, uuid7
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.store import EventStore, Metadata
from shared.runtime.clock import now
from shared.schemas.envelope import LogMark, mark_to_headers
from shared.schemas.goal_metrics import Metric, MetricKind
from shared.schemas.goals import (
    TOPIC,
    TYPES,
    GoalLevel,
    GoalProgressRecorded,
    GoalSet,
    ProgressSource,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.partitions import PARTITIONS

GOALS_A_TREE: Final = 100
EVENTS_A_GOAL: Final = 10
EVENTS_A_TREE: Final = GOALS_A_TREE * EVENTS_A_GOAL
OWNER: Final = PersonId(derived("benchmark", "owner"))
_AT: Final = now()
"""Just now: a goal nobody has measured for long would be asked about, and the log grow by itself."""
_BELOW: Final = 10
"""Goals below a goal: a tree of 100 has three levels."""
_TREES_AT_ONCE: Final = 100

_COPIED: Final = """create temporary table copied as
    select k, t.goal as old, t.parent, uuidv7() as new from generate_series($1::int, $2::int) k, template t
    order by k, t.goal"""
_EVENTS: Final = """insert into events (stream, version, event_id, type, data, metadata)
    select 'goal-' || c.new, e.version, uuidv7(), e.type,
           case when p.new is null then e.data else replace(e.data, p.old::text, p.new::text) end, e.metadata
      from copied c join template_events e on e.goal = c.old left join copied p on p.k = c.k and p.old = c.parent
     order by e.version, c.k, c.new"""
_STREAMS: Final = "insert into streams select 'goal-' || new, $1 from copied"
_ROWS: Final = """insert into {table} select r.* from template_{table} t join copied c on c.old = t.template_goal
    left join copied p on p.k = c.k and p.old = c.parent
    cross join lateral jsonb_populate_record(null::{table}, replace(replace(t.template_row, c.old::text, c.new::text),
      coalesce(p.old::text, '-'), coalesce(p.new::text, '-'))::jsonb) r"""
_COPIED_TABLES: Final = {"goal_tree": "t.goal", "timers": "substring(t.stream from 6)::uuid"}
"""With the goal that a row is of."""
_LAST: Final = "select position, stream, event_id from events order by position desc limit $1"
_PUBLISHED: Final = "update log set position = (select max(position) from events) returning log_id"
_LINKED: Final = "update chain set position = $2, event_id = $3 where partition = $1"
_READ: Final = """update checkpoints set position = $2, next_offset = $3, log_id = $4
    where topic = $5 and partition = $1"""


def goal_of_tree(number: int) -> GoalId:
    return GoalId(derived("benchmark goal of a tree", number))


def metadata() -> Metadata:
    return Metadata(occurred_at=_AT, actor=OWNER, command_id=uuid7(), correlation_id=uuid7())


def measured(percent: int) -> GoalProgressRecorded:
    """A goal of these trees is so far, in percent."""
    return GoalProgressRecorded(
        value=Decimal(percent),
        raw_progress=Decimal(percent),
        progress=Decimal(percent),
        regressed=False,
        measured_at=_AT,
        source=ProgressSource.MANUAL,
    )


def _set(number: int) -> GoalSet:
    return GoalSet(
        level=GoalLevel.TEAM,
        owner=OWNER,
        team="benchmark",
        title=f"goal {number}",
        metric=Metric(kind=MetricKind.PERCENT, start=Decimal(0), target=Decimal(100), unit="%"),
        starts_on=date(2026, 1, 1),
        ends_on=date(2099, 12, 31),
        parent=goal_of_tree((number - 1) // _BELOW) if number else None,
    )


async def write_tree(engine: AsyncEngine) -> None:
    """The tree that is copied: each of its goals set once, then measured nine times."""
    store = EventStore(engine, TYPES)
    for version in range(EVENTS_A_GOAL):
        appends = [
            Append(
                stream=stream_name("goal", goal_of_tree(number)),
                expected=version,
                events=await store.prepare([(measured(version * 10) if version else _set(number), metadata())]),
            )
            for number in range(GOALS_A_TREE)
        ]
        async with engine.begin() as connection:
            await store.append(connection, appends)


async def grow(dsn: str, events: int) -> None:
    """Copy the tree, which has been read, until the log has so many events.

    Raises:
        ValueError: that is no number of whole trees.
    """
    if events % EVENTS_A_TREE:
        raise ValueError(f"{events:,} events are no number of trees of {EVENTS_A_TREE:,}")
    connection = await asyncpg.connect(dsn, server_settings={"work_mem": "256MB", "jit": "off"})
    await connection.execute("""create temporary table template_events as
        select substring(stream from 6)::uuid as goal, version, type, data, metadata,
               (data::jsonb ->> 'parent')::uuid as parent from events""")
    await connection.execute(
        "create temporary table template as select goal, parent from template_events where version = 1"
    )
    for table, goal in _COPIED_TABLES.items():
        await connection.execute(f"""create temporary table template_{table} as
            select {goal} as template_goal, to_jsonb(t)::text as template_row from {table} t""")  # noqa: S608 - ours
    copies = events // EVENTS_A_TREE - 1
    for first in range(1, copies + 1, _TREES_AT_ONCE):
        await _copy(connection, first, min(first + _TREES_AT_ONCE - 1, copies))
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    await connection.close()


async def _copy(connection: Any, first: int, last: int) -> None:
    await connection.execute(_COPIED.replace("$1", str(first)).replace("$2", str(last)))
    await connection.execute("create index on copied (k, old)")
    await connection.execute("analyze copied")
    await connection.execute(_EVENTS)
    await connection.execute(_STREAMS, EVENTS_A_GOAL)
    for table in _COPIED_TABLES:
        await connection.execute(_ROWS.format(table=table))
    await connection.execute("drop table copied")


async def seem_published(dsn: str, kafka: Kafka) -> None:
    """All of the log is published and read: each partition ends with a mark, and every reader is behind it."""
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        log_id = await connection.fetchval(_PUBLISHED)
        for partition, (position, event_id) in (await _ends(connection)).items():
            offset = await _mark(kafka, partition, LogMark(log_id, position, event_id))
            await connection.execute(_LINKED, partition, position, event_id)
            await connection.execute(_READ, partition, position, offset + 1, log_id, TOPIC)
    await connection.close()


async def _ends(connection: Any) -> dict[int, tuple[int, UUID]]:
    """The last event of each partition."""
    ends: dict[int, tuple[int, UUID]] = {}
    rows: Sequence[Any] = await connection.fetch(_LAST, EVENTS_A_TREE)
    for row in rows:
        ends.setdefault(partition_of(row["stream"], PARTITIONS), (row["position"], row["event_id"]))
    if len(ends) < PARTITIONS:
        raise RuntimeError("a partition has none of the last events")
    return ends


async def _mark(kafka: Kafka, partition: int, mark: LogMark) -> int:
    """Where it is in the partition."""
    producer = kafka.producer()
    await producer.start()
    try:
        sent: Any = await producer.send_and_wait(TOPIC, b"", partition=partition, headers=mark_to_headers(mark))
    finally:
        await producer.stop()
    return sent.offset
