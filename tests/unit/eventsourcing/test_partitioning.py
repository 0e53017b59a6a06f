"""Partitions of streams: ours is the Kafka clients' own partitioner."""

from aiokafka.partitioner import murmur2 as the_clients
from hypothesis import given
from hypothesis import strategies as st

from shared.eventsourcing.partitioning import murmur2, partition_of


@given(st.binary(max_size=80))
def test_the_hash_is_the_kafka_clients_for_any_bytes(data: bytes) -> None:
    assert murmur2(data) == the_clients(data) & 0xFFFFFFFF


def test_a_stream_stays_in_the_partition_that_its_published_records_are_in() -> None:
    """Of topics that exist: another answer would split their streams."""
    streams = ("goal-0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", "review-6f2f1c1e-7b0a-5a53-9c7e-2f3d4b8f6a10", "a", "")
    assert [partition_of(stream, 12) for stream in streams] == [1, 0, 4, 9]
