"""Reads Trellis' topics from their first record, follows each partition's chain, and prints what it saw.

    pip install 'faststream[kafka]' && python subscriber.py HOST:PORT [TOPIC ...]

It knows nothing of Trellis' code. A subscriber that goes on for ever does the same in its handler, and keeps
`position`, `log_id` and the offset after the last applied record in the transaction in which it writes what it made of
the events.
"""

import asyncio
import hashlib
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

LOG_MARK = "trellis.log.LogMark.v1"
TOPICS = ("goals.events", "feedback.events", "reviews.events", "rewards.events")


@dataclass
class Partition:
    """One partition, and how far its chain was followed."""

    log_id: str = ""
    position: int = 0
    seen: int = 0
    events: int = 0
    duplicates: int = 0
    forked: bool = False
    digest: Any = field(default_factory=hashlib.sha256)

    def take(self, record: Any) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        log = headers["ce_logid"]
        if log > self.log_id:  # log ids are UUIDv7: the younger log is the greater one
            self.__init__(log_id=log)
        elif log < self.log_id:
            self.duplicates += 1  # of a log that was replaced
            return
        previous = int(headers["ce_previousposition"])
        if headers["ce_type"] == LOG_MARK:
            self.seen = max(self.seen, previous)  # it names more than was applied: something is missing
            return
        here = int(headers["ce_position"])
        self.seen = max(self.seen, here)
        if here <= self.position:
            self.duplicates += 1
        elif previous == self.position:
            self.apply(UUID(headers["ce_id"]), record.value)
            self.position = here
        elif previous < self.position:
            self.forked = True
        # else a hole: do not apply, go on reading; the relay sends the missing records again

    def apply(self, event: UUID, value: bytes) -> None:
        self.events += 1
        self.digest.update(event.bytes + hashlib.sha256(value).digest())

    @property
    def whole(self) -> bool:
        return not self.forked and self.seen <= self.position


async def ends_of(address: str, topics: list[str]) -> dict[TopicPartition, int]:
    """The offset after the last record of each partition that holds any."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=address)
    await consumer.start()
    try:
        places = [TopicPartition(topic, n) for topic in topics for n in consumer.partitions_for_topic(topic) or ()]
        return await consumer.end_offsets(places)
    finally:
        await consumer.stop()


async def main(address: str, topics: list[str]) -> bool:
    ends = await ends_of(address, topics)
    waiting = {(place.topic, place.partition) for place, end in ends.items() if end}
    read: dict[tuple[str, int], Partition] = defaultdict(Partition)
    broker = KafkaBroker(address, logger=None)
    app = FastStream(broker, logger=None)

    @broker.subscriber(
        *topics,
        group_id=f"example-{uuid4()}",
        auto_offset_reset="earliest",
        batch=True,
        ack_policy=AckPolicy.MANUAL,
        decoder=lambda message: message.body,
    )
    async def take(_bodies: Any, message: KafkaMessage) -> None:
        for record in message.raw_message:
            place = (record.topic, record.partition)
            read[place].take(record)
            if record.offset + 1 >= ends[TopicPartition(*place)]:
                waiting.discard(place)
        if not waiting:
            app.exit()

    if waiting:
        await app.run()
    return report({(place.topic, place.partition): read[place.topic, place.partition] for place in ends})


def report(read: dict[tuple[str, int], Partition]) -> bool:
    """A line a topic: events, a checksum over all of them, and whether the chain is whole."""
    for topic in sorted({topic for topic, _ in read}):
        partitions = [partition for (of, _), partition in sorted(read.items()) if of == topic]
        digest = hashlib.sha256(b"".join(partition.digest.digest() for partition in partitions))
        unbroken = all(partition.whole for partition in partitions)
        events = sum(partition.events for partition in partitions)
        print(f"{topic} {events} {digest.hexdigest()} {'unbroken' if unbroken else 'BROKEN'}")
    return all(partition.whole for partition in read.values())


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(sys.argv[1], sys.argv[2:] or list(TOPICS))) else 1)
