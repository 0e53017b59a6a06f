"""How far each partition is exported, and what its next record adds. Pure."""

from collections.abc import Callable
from typing import Final, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from consumers.analytics.rows import Consumed, Row, event_row, feed_row
from shared.schemas.chain import Link, judge
from shared.schemas.envelope import Envelope, LogMark, MalformedEnvelope, from_headers

_NO_LOG: Final = UUID(int=0)


class LogReplaced(Exception):  # noqa: N818 - named for the fact
    """The log is another one than that which was exported; the message says where."""


class LogForked(Exception):  # noqa: N818 - named for the fact
    """A partition's chain leads elsewhere; the message says where."""


class Reached(BaseModel):
    """What is kept of a partition beside its rows, in the same commit. `offset` is that of the next record.

    `first_end` is where the partition ended when the export first looked: a log that took another's place before that
    is history, one that does afterwards is news that a person must hear.
    """

    model_config = ConfigDict(extra="ignore")

    first_end: int | None = None
    offset: int = 0
    log_id: UUID = _NO_LOG
    position: int = 0
    seen: int = 0
    duplicates: int = 0
    no_events: int = 0

    @property
    def missing(self) -> str | None:
        """What is missing; None: nothing is."""
        return f"events between positions {self.position} and {self.seen}" if self.seen > self.position else None


Following: TypeAlias = Callable[[Reached, Consumed], Row | None]
"""Takes the next record of a partition: the row that it adds, if it does."""


def follow_log(reached: Reached, record: Consumed) -> Row | None:
    """A service's topic, by the chain rule.

    Raises:
        LogReplaced: an operator started a new log after the export had begun.
        LogForked: two histories under one log.
    """
    reached.offset = max(reached.offset, record.offset + 1)
    try:
        found = from_headers(record.headers)
    except MalformedEnvelope:
        reached.no_events += 1
        return None
    if found.log_id > reached.log_id:
        _begin(reached, record, found.log_id)
    match judge(reached.log_id, reached.position, found):
        case Link.NEXT if isinstance(found, Envelope):
            reached.position = found.position
            return event_row(record, found)
        case Link.HOLE:
            reached.seen = max(reached.seen, _known(found))
        case Link.DUPLICATE | Link.SUPERSEDED:
            reached.duplicates += 1
        case Link.FORKED:
            raise LogForked(f"{record.topic}/{record.partition}: offset {record.offset} follows another event")
        case Link.NEXT:
            pass
    return None


def _begin(reached: Reached, record: Consumed, log_id: UUID) -> None:
    """The log begins anew: what was exported of an older one is void."""
    if reached.log_id != _NO_LOG and record.offset >= (reached.first_end or 0):
        raise LogReplaced(f"{record.topic}/{record.partition}: log {log_id} took the place of {reached.log_id}")
    reached.log_id, reached.position, reached.seen = log_id, 0, 0


def _known(found: Envelope | LogMark) -> int:
    return found.position if isinstance(found, Envelope) else found.previous_position


def follow_feed(reached: Reached, record: Consumed) -> Row | None:
    """A feed without a chain: each record once, by its offset."""
    if record.offset < reached.offset:
        return None
    reached.offset = record.offset + 1
    return feed_row(record)
