"""Which partition a stream's records go to: the Java client's and aiokafka's default, computed once per stream."""

from functools import lru_cache
from struct import unpack_from
from typing import Final

_SEED: Final = 0x9747B28C
_FACTOR: Final = 0x5BD1E995
_32_BITS: Final = 0xFFFFFFFF


@lru_cache(maxsize=100_000)
def partition_of(stream: str, partitions: int) -> int:
    """murmur2 of the key's bytes, made positive, modulo the number of partitions."""
    return (murmur2(stream.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """The hash of Kafka's default partitioner, unsigned.

    aiokafka's takes the bytes one at a time, and three to four times as long: every new stream pays for that, in the
    api and in the relay.
    """
    whole = len(data) // 4
    hashed = _SEED ^ len(data)
    for word in unpack_from(f"<{whole}I", data):
        mixed = word * _FACTOR & _32_BITS
        hashed = (hashed * _FACTOR ^ (mixed ^ mixed >> 24) * _FACTOR) & _32_BITS
    if rest := data[whole * 4 :]:
        hashed = (hashed ^ int.from_bytes(rest, "little")) * _FACTOR & _32_BITS
    hashed = (hashed ^ hashed >> 13) * _FACTOR & _32_BITS
    return hashed ^ hashed >> 15
