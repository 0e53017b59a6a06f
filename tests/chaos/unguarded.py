"""Takes one guard away from the process that it runs in: so a chaotic run proves that its checker misses it.

The product has no such switch; `tests.chaos.service` is the one who calls this.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from shared.eventsourcing import checkpoints
from shared.eventsourcing.checkpoints import Checkpoint
from shared.eventsourcing.holes import Holes, Verdict
from shared.eventsourcing.leadership import Leadership
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.subscription import Subscription
from shared.eventsourcing.walk import Record, Walk
from shared.schemas.envelope import Envelope, from_headers


def without_fence() -> None:
    """A slice does not lock its checkpoint: after a rebalance the old owner's goes on beside the new one's."""
    lock = checkpoints.lock_all

    async def unfenced(connection: Any, reader: str, places: Sequence[tuple[str, int]], **_: Any) -> list[Checkpoint]:
        return await lock(connection, reader, places, fence=False)

    async def never(*_: Any) -> bool:
        return False

    checkpoints.lock_all = unfenced
    checkpoints.move_first = never


def without_chain() -> None:
    """A reader takes every record for a new one, and none for missing."""
    construct = Reader.__init__

    def unchained(self: Reader, *arguments: Any, **options: Any) -> None:
        construct(self, *arguments, **{**options, "follow": follow_offsets})

    Reader.__init__ = unchained


def follow_offsets(checkpoint: Checkpoint, records: Sequence[Record]) -> Walk:
    """As consumers do that believe in offsets."""
    path = Walk(checkpoint.log_id, checkpoint.position, checkpoint.next_offset)
    for record in records:
        envelope = from_headers(record.headers)
        if isinstance(envelope, Envelope) and record.offset >= path.next_offset:
            path.next_offset = record.offset + 1
            path.log_id = envelope.log_id
            path.fresh.append((record, envelope))
            path.position = envelope.position
    return path


def without_keys() -> None:
    """An idempotency key is taken for no key."""

    async def none(*_: Any) -> None:
        return None

    edge: Any = import_module("shared.runtime.http")
    edge._idempotency = none


def without_barrier() -> None:
    """The relay reads up to the highest position that it can see, whatever is still on its way below."""

    async def naive(self: Leadership, raw: Any, after: int) -> int | None:  # noqa: ARG001 - it stands in for a method
        return await raw.fetchval("select max(position) from events where position > $1", after)

    Leadership._horizon = naive  # pyright: ignore[reportPrivateUsage]


def without_seek() -> None:
    """A reader never goes back: not to a slice that failed, not to what a hole left out."""
    construct = Subscription.__init__

    def onward(self: Subscription, *arguments: Any, **options: Any) -> None:
        construct(self, *arguments, **{**options, "seek_on_failure": False})

    def never(*_: Any, **__: Any) -> Verdict:
        return Verdict.NOTHING

    Subscription.__init__ = onward
    Holes.judge = never


GUARDS: Final[Mapping[str, Callable[[], None]]] = {
    "fence": without_fence,
    "chain": without_chain,
    "keys": without_keys,
    "barrier": without_barrier,
    "seek": without_seek,
}
