"""A projection: one read model's tables and the function that applies events to them."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event

Apply: TypeAlias = Callable[[AsyncConnection, Sequence[Recorded]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A disposable read model: drop it, rebuild it from offset 0, get the same rows.

    `apply` gets the known events of one slice, those of a stream in their order, inside the transaction that moves the
    checkpoints. Slices of other partitions run at the same time: a row fed by several streams is changed by
    commutative deltas, or its rows are locked in key order before anything is read.

    `events` are those that `apply` does something with; it is given no others, and others cost little. None: all of
    its topics. With a longer list comes a new `version`: what was passed over is read with the rebuild.
    """

    name: str
    version: int = 1
    topics: tuple[str, ...]
    tables: tuple[Table, ...]
    apply: Apply
    events: Collection[type[Event]] | None = None
