"""A reader that starts now: it starts behind what its topics hold when it is first started."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing import checkpoints
from shared.eventsourcing.checkpoints import NOT_STARTED, Checkpoint, CheckpointMissing
from shared.eventsourcing.kafka import Kafka, close, partitions_of
from shared.eventsourcing.reconciliation import Published, last_records


async def start_now(engine: AsyncEngine, kafka: Kafka, reader: str) -> None:
    """Set those checkpoints that have not started behind their partition's last record.

    By its place in the chain and not by the offset alone: offsets change when a topic is emptied and filled again.

    Raises:
        CheckpointMissing: the migration that registers the reader was not run.
    """
    found = await checkpoints.read_all(engine, reader)
    if not found:
        raise CheckpointMissing(f"{reader} has no checkpoints; run the service's migration")
    waiting = [checkpoint for checkpoint in found if checkpoint.next_offset == NOT_STARTED]
    for topic in sorted({checkpoint.topic for checkpoint in waiting}):
        await _adopt(engine, reader, [c for c in waiting if c.topic == topic], await last_records_of(kafka, topic))


async def last_records_of(kafka: Kafka, topic: str) -> dict[int, Published]:
    """What each partition of a topic ends with.

    Raises:
        ConnectionError: the topic does not exist yet.
    """
    consumer = kafka.consumer()
    try:
        await consumer.start()
        partitions = await partitions_of(consumer, topic)
        if not partitions:
            raise ConnectionError(f"topic {topic} does not exist yet")
        return await last_records(consumer, topic, len(partitions))
    finally:
        await close(consumer)


async def _adopt(engine: AsyncEngine, reader: str, waiting: Sequence[Checkpoint], last: dict[int, Published]) -> None:
    async with engine.begin() as connection:
        for checkpoint in waiting:
            end = last.get(checkpoint.partition)
            await checkpoints.adopt(
                connection,
                reader,
                checkpoint,
                log_id=end.log_id if end else None,
                position=end.position if end else 0,
                next_offset=end.offset + 1 if end else 0,
            )
