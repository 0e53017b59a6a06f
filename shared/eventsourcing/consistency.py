"""Read your writes: a query waits until its read model has reached the position that a command answered with."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.errors import NotCaughtUp

WAIT_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.01
_REACHED: Final = text(
    "select position from checkpoints where reader = :reader and topic = :topic and partition = :partition"
)


@dataclass(frozen=True, slots=True)
class ConsistencyToken:
    """`<partition>-<position>` of a service's own topic."""

    partition: int
    position: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.position}"

    @classmethod
    def parse(cls, token: str) -> "ConsistencyToken":
        """The token from its text.

        Raises:
            ValueError: it is not `<partition>-<position>`.
        """
        partition, hyphen, position = token.partition("-")
        if not (hyphen and partition.isascii() and partition.isdigit() and position.isascii() and position.isdigit()):
            raise ValueError(f"not a consistency token: {token!r}; expected <partition>-<position>")
        return cls(int(partition), int(position))


async def wait_for(
    engine: AsyncEngine, reader: str, topic: str, token: ConsistencyToken, *, seconds: float = WAIT_SECONDS
) -> None:
    """Return once the reader has applied the token's position of its partition.

    Raises:
        NotCaughtUp: it has not, within `seconds`.
    """
    deadline = time.monotonic() + seconds
    parameters = {"reader": reader, "topic": topic, "partition": token.partition}
    while True:
        async with engine.connect() as connection:
            reached = (await connection.execute(_REACHED, parameters)).scalar_one_or_none()
        if reached is not None and reached >= token.position:
            return
        if time.monotonic() > deadline:
            raise NotCaughtUp(reader, partition=token.partition, wanted=token.position, reached=reached or 0)
        await asyncio.sleep(_POLL_SECONDS)
