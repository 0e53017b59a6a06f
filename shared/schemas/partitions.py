"""How many partitions a topic has: the one number that the contract, the kernel and the launcher share."""

from typing import Final

PARTITIONS: Final = 12
"""Of every topic. A topic cannot grow without losing its order: more partitions are a new topic."""
