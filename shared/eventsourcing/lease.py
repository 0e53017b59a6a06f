"""The relay's lead: one row with owner, epoch and expiry; every move of the checkpoint requires its epoch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.database import borrowed

LEASE_SECONDS: Final = 5.0
"""How long a leader that shows no progress keeps the lead. (A session lock would stay with a stopped process.)"""

_TAKE: Final = """
update log set owner = $1, epoch = epoch + 1, expires_at = clock_timestamp() + $2 * interval '1 second'
 where expires_at < clock_timestamp() or owner = $1
returning epoch, log_id, partitions, position"""
_CHAIN: Final = "select partition, position, event_id from chain"
_MOVE: Final = """
with moved as (
  update log set position = $3, expires_at = clock_timestamp() + $2 * interval '1 second',
                 state = 'publishing', error = null
   where epoch = $1 returning 1
), linked as (
  update chain set position = c.position, event_id = c.event_id
    from unnest($4::int[], $5::bigint[], $6::uuid[]) as c(partition, position, event_id)
   where chain.partition = c.partition and exists (select from moved)
)
select count(*) from moved"""
_RENEW: Final = "update log set expires_at = clock_timestamp() + $2 * interval '1 second' where epoch = $1 returning 1"
_NOTE: Final = "update log set state = $2, error = $3 where epoch = $1"
_RELEASE: Final = "update log set expires_at = '-infinity' where epoch = $1"


class LeadLost(Exception):  # noqa: N818 - the word of the field
    """Another process took the lead; what this one sends from now on would only be repeated."""


@dataclass(frozen=True, slots=True)
class Link:
    """The last record of a partition: its position (0: none) and its event's id."""

    position: int
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as it was taken: the log, how far it is published, and each partition's last record."""

    epoch: int
    log_id: UUID
    partitions: int
    position: int
    chain: Mapping[int, Link]


class Lease:
    """Takes, keeps and gives back the lead of one service's relay."""

    def __init__(self, engine: AsyncEngine, owner: str, *, seconds: float = LEASE_SECONDS) -> None:
        self.seconds = seconds
        self._engine = engine
        self._owner = owner

    async def take(self) -> Lead | None:
        """The lead, or None while another process holds it."""
        async with borrowed(self._engine) as connection:
            row = await connection.fetchrow(_TAKE, self._owner, self.seconds)
            if row is None:
                return None
            chain = {r["partition"]: Link(r["position"], r["event_id"]) for r in await connection.fetch(_CHAIN)}
        return Lead(row["epoch"], row["log_id"], row["partitions"], row["position"], chain)

    async def move(self, epoch: int, position: int, chain: Mapping[int, Link]) -> None:
        """Move the checkpoint (also back) and renew the lead.

        Raises:
            LeadLost: the epoch is no longer this one; nothing was moved.
        """
        links = list(chain.items())
        async with borrowed(self._engine) as connection:
            moved = await connection.fetchval(
                _MOVE,
                epoch,
                self.seconds,
                position,
                [partition for partition, _ in links],
                [link.position for _, link in links],
                [link.event_id for _, link in links],
            )
        if not moved:
            raise LeadLost

    async def renew(self, epoch: int) -> None:
        """Keep the lead.

        Raises:
            LeadLost: the epoch is no longer this one.
        """
        async with borrowed(self._engine) as connection:
            if not await connection.fetchval(_RENEW, epoch, self.seconds):
                raise LeadLost

    async def note(self, epoch: int, state: str, error: str) -> None:
        """Say why nothing is published, for `trellis status`."""
        async with borrowed(self._engine) as connection:
            await connection.execute(_NOTE, epoch, state, error)

    async def release(self, epoch: int) -> None:
        """Give the lead back, so that another process need not wait for its expiry."""
        async with borrowed(self._engine) as connection:
            await connection.execute(_RELEASE, epoch)
