"""What an operator does with dead letters once the code is mended: replay a stream, all of it or nothing; discard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import checkpoints, dead_letters
from shared.eventsourcing.applier import Committed
from shared.eventsourcing.causes import Cause, cause_of
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.dead_letters import CAP, TOO_MANY, ParkedRecord
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.feed import Feed, FeedRecord
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.reruns import rerun_in_conflict
from shared.schemas.chain import Link, judge
from shared.schemas.envelope import Envelope, from_headers
from shared.schemas.identifiers import PersonId

_RECORD: Final = text(
    "insert into dead_letter_acts (actor, reader, stream, dead_letter, act, reason, outcome) "
    "values (:actor, :reader, :stream, :dead_letter, :act, :reason, :outcome)"
)
_READERS_OF: Final = text(
    "select distinct reader from dead_letters where stream = :stream and discarded_at is null order by reader"
)
_RESUME: Final = text(
    f"update checkpoints set stopped = null, generation = generation + 1 "  # noqa: S608 - constants
    f"where reader = :reader and stopped like '{TOO_MANY}%' and (select count(*) from dead_letters d "
    "where d.reader = :reader and culprit and waiting_for is null and discarded_at is null) <= :cap"
)
_Fresh: TypeAlias = tuple[ParkedRecord, Envelope]

log = structlog.get_logger(__name__)


class NoDeadLetter(Exception):  # noqa: N818 - named for the fact
    """Nothing is parked under this id or stream."""


class CannotBeReplayed(Exception):  # noqa: N818 - named for the fact
    """The reader is not there any more, or its partition is stopped for another reason; the message says which."""


class FailsAgain(Exception):  # noqa: N818 - named for the fact
    """A parked record still cannot be applied: nothing of its stream was."""

    def __init__(self, parked: ParkedRecord, cause: Cause) -> None:
        super().__init__(f"dead letter {parked.id} of {parked.reader} fails again: {cause.message}")
        self.parked = parked
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many records of a stream (none: of a record without one) were applied and are parked no more."""

    reader: str
    stream: str | None
    applied: int


@dataclass(frozen=True, slots=True)
class Discarded:
    """A record that will never be applied by this reader, and how many of its stream still stand parked."""

    parked: ParkedRecord
    left: int


class Repair:
    """The dead letters of one service, for whoever may administer it. Any process of the service can do it.

    What is applied is applied under the checkpoint's lock, as a slice is: the worker that owns the partition waits
    meanwhile, and finds the stream free afterwards.
    """

    def __init__(
        self, engine: AsyncEngine, readers: Sequence[Reader], feeds: Sequence[Feed] = (), *, cap: int = CAP
    ) -> None:
        self._engine = engine
        self._readers: Mapping[str, Reader] = {reader.name: reader for reader in readers}
        self._feeds: Mapping[str, Feed] = {feed.name: feed for feed in feeds}
        self._cap = cap

    async def retry(self, identity: int, *, actor: PersonId) -> Replayed:
        """Replay the whole parked stream that this record belongs to, for the reader that parked it, in order.

        Raises:
            NoDeadLetter: there is none with this id.
            CannotBeReplayed: its reader cannot go on.
            FailsAgain: a record of the stream cannot be applied yet; nothing was applied.
        """
        async with self._engine.connect() as connection:
            parked = await dead_letters.find(connection, identity)
        if parked is None:
            raise NoDeadLetter(f"dead letter {identity}")
        return await self._retry(parked, actor)

    async def readers_of(self, stream: str) -> list[str]:
        """The readers that have parked records of this stream."""
        async with self._engine.connect() as connection:
            return list((await connection.execute(_READERS_OF, {"stream": stream})).scalars())

    async def retry_stream(self, reader: str, stream: str, *, actor: PersonId) -> Replayed:
        """Replay a reader's parked stream; raises what `retry` raises."""
        async with self._engine.connect() as connection:
            parked = await dead_letters.of_stream(connection, reader, stream)
        if not parked:
            raise NoDeadLetter(f"dead letter of {stream} in {reader}")
        return await self._retry(parked[0], actor)

    async def _retry(self, parked: ParkedRecord, actor: PersonId) -> Replayed:
        act = _Act(actor, parked.reader, parked.stream, parked.id, "retry")
        try:
            if parked.stream is not None:
                replayed = await rerun_in_conflict(lambda: self._replay(parked, act))
            else:
                replayed = await self._alone(parked, act)
        except FailsAgain as failure:
            await self._note(failure, act)
            raise
        await self._resume(parked.reader)
        return replayed

    async def _replay(self, first: ParkedRecord, act: "_Act") -> Replayed:
        reader, stream = self._reader(first), first.stream or ""
        async with self._engine.begin() as connection:
            await _locked(connection, first)
            parked = await dead_letters.of_stream(connection, reader.name, stream)
            committed = await _whole(connection, reader, parked)
            await dead_letters.remove(connection, *parked)
            await act.record(connection, f"{len(parked)} applied")
        for call in committed:
            call()
        return Replayed(reader.name, stream, len(parked))

    async def _alone(self, parked: ParkedRecord, act: "_Act") -> Replayed:
        """A record of a feed, or one whose headers were malformed."""
        if (feed := self._feeds.get(parked.reader)) is not None:
            await _feed_again(self._engine, feed, parked)
            async with self._engine.begin() as connection:
                await dead_letters.remove(connection, parked)
                await act.record(connection, "1 applied")
            return Replayed(parked.reader, None, 1)
        self._reader(parked)
        async with self._engine.begin() as connection:
            _settled_by_the_chain(parked, await _locked(connection, parked))
            await dead_letters.remove(connection, parked)
            await act.record(connection, "taken out: another copy of it was applied")
        return Replayed(parked.reader, None, 0)

    def _reader(self, parked: ParkedRecord) -> Reader:
        reader = self._readers.get(parked.reader)
        if reader is None:
            raise CannotBeReplayed(f"{parked.reader} reads no more in this service; what it parked can be discarded")
        return reader

    async def _note(self, failure: FailsAgain, act: "_Act") -> None:
        parked, cause = failure.parked, failure.cause
        async with self._engine.begin() as connection:
            await dead_letters.keep(connection, parked, cause)
            await act.record(connection, f"nothing changed: {parked.id} fails again, {cause.error}: {cause.message}")

    async def discard(self, identity: int, *, reason: str, actor: PersonId) -> Discarded:
        """Give a record up for good. What stands behind it stays parked, in order, until it is retried.

        Raises:
            NoDeadLetter: there is none with this id.
        """
        async with self._engine.begin() as connection:
            parked = await dead_letters.find(connection, identity)
            if parked is not None and parked.reader in self._readers:
                await checkpoints.lock(connection, parked.reader, parked.topic, parked.partition)
                parked = await dead_letters.find(connection, identity)
            if parked is None:
                raise NoDeadLetter(f"dead letter {identity}")
            await dead_letters.set_aside(connection, parked)
            if (reader := self._readers.get(parked.reader)) is not None:
                await reader.forgo(connection, parked)
            act = _Act(actor, parked.reader, parked.stream, parked.id, "discard", reason)
            stream = parked.stream
            left = await dead_letters.of_stream(connection, parked.reader, stream) if stream is not None else []
            await act.record(connection, f"discarded, {len(left)} of its stream left")
        log.warning("dead_letters.discarded", reader=parked.reader, dead_letter=parked.id, left=len(left))
        await self._resume(parked.reader)
        return Discarded(parked, len(left))

    async def _resume(self, reader: str) -> None:
        """Partitions that stopped for too many dead letters go on where they are, once there are fewer."""
        async with self._engine.begin() as connection:
            await connection.execute(_RESUME, {"reader": reader, "cap": self._cap})


@dataclass(frozen=True, slots=True)
class _Act:
    actor: PersonId
    reader: str
    stream: str | None
    dead_letter: int
    act: str
    reason: str | None = None

    async def record(self, connection: AsyncConnection, outcome: str) -> None:
        await connection.execute(
            _RECORD,
            {
                "actor": self.actor,
                "reader": self.reader,
                "stream": self.stream,
                "dead_letter": self.dead_letter,
                "act": self.act,
                "reason": self.reason,
                "outcome": outcome,
            },
        )


async def _locked(connection: AsyncConnection, parked: ParkedRecord) -> checkpoints.Checkpoint:
    checkpoint = await checkpoints.lock(connection, parked.reader, parked.topic, parked.partition)
    if checkpoint.stopped and not checkpoint.stopped.startswith(TOO_MANY):
        raise CannotBeReplayed(f"{parked.topic}/{parked.partition} of {parked.reader} is stopped: {checkpoint.stopped}")
    return checkpoint


async def _whole(connection: AsyncConnection, reader: Reader, parked: Sequence[ParkedRecord]) -> list[Committed]:
    """Apply the records together, or one by one to find which of them fails; the caller's transaction ends with it."""
    fresh = [_opened(record) for record in parked]
    try:
        async with connection.begin_nested():
            return await reader.apply_together(connection, fresh)
    except Exception as error:
        if is_transient(error) or isinstance(error, Conflict):
            raise
    committed: list[Committed] = []
    for one in fresh:
        try:
            async with connection.begin_nested():
                committed += await reader.apply_together(connection, [one])
        except Exception as error:
            if is_transient(error) or isinstance(error, Conflict):
                raise
            raise FailsAgain(one[0], cause_of(error, one[0].value)) from error
    return committed


def _opened(parked: ParkedRecord) -> _Fresh:
    try:
        envelope = from_headers(parked.headers)
    except ValueError as error:
        raise FailsAgain(parked, cause_of(error, parked.value)) from error
    if not isinstance(envelope, Envelope):
        raise CannotBeReplayed(f"dead letter {parked.id} is a log mark")
    return parked, envelope


def _settled_by_the_chain(parked: ParkedRecord, checkpoint: checkpoints.Checkpoint) -> None:
    """Headers that were malformed were no link of the chain: if they can be read now, another copy went its way."""
    try:
        envelope = from_headers(parked.headers)
    except ValueError as error:
        raise FailsAgain(parked, cause_of(error, parked.value)) from error
    if judge(checkpoint.log_id, checkpoint.position, envelope) not in (Link.DUPLICATE, Link.SUPERSEDED):
        raise CannotBeReplayed(f"dead letter {parked.id} is not of the log that {parked.reader} follows")


async def _feed_again(engine: AsyncEngine, feed: Feed, parked: ParkedRecord) -> None:
    record = FeedRecord(parked.topic, parked.partition, parked.offset, parked.key, parked.value, parked.headers)
    try:
        refused = await feed.apply(engine, [record])
    except Exception as error:
        if is_transient(error) or isinstance(error, Conflict):
            raise
        raise FailsAgain(parked, cause_of(error, parked.value)) from error
    if refused:
        raise FailsAgain(parked, cause_of(refused[0].error, parked.value)) from refused[0].error
