"""The partition chain: the rule by which any subscriber knows that it missed nothing and doubled nothing.

Every record carries its position in the log and the position of the record before it in the same partition. Against
the position that a reader last applied there are only these answers, each found in O(1).
"""

from enum import Enum
from uuid import UUID

from shared.schemas.envelope import Envelope, LogMark


class Link(Enum):
    """How a record continues what was applied before it."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    HOLE = "hole"
    FORKED = "forked"
    SUPERSEDED = "superseded"


def judge(log_id: UUID | None, position: int, record: Envelope | LogMark) -> Link:
    """How `record` continues a partition of log `log_id` (None: any) that was applied up to `position`.

    NEXT: apply it (a log mark: nothing is missing). DUPLICATE: skip it. HOLE: records are missing before it; do not
    apply, do not advance, keep scanning, since a relay that failed sends them again. FORKED: stop, the log was replaced
    by another. SUPERSEDED: a record of a log that was replaced by the one followed; skip it. Log ids are UUIDv7, so the
    younger log compares greater.
    """
    if log_id is not None and record.log_id != log_id:
        return Link.FORKED if record.log_id > log_id else Link.SUPERSEDED
    if isinstance(record, LogMark):
        return Link.NEXT if record.previous_position <= position else Link.HOLE
    if record.position <= position:
        return Link.DUPLICATE
    if record.previous_position == position:
        return Link.NEXT
    return Link.HOLE if record.previous_position > position else Link.FORKED
