"""Which partition a stream's records go to: the Java client's and aiokafka's default, computed once per stream."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=100_000)
def partition_of(stream: str, partitions: int) -> int:
    """murmur2 of the key's bytes, made positive, modulo the number of partitions."""
    return (murmur2(stream.encode()) & 0x7FFFFFFF) % partitions
