"""Where a reader's slices leave a partition."""

from dataclasses import dataclass, replace

from shared.eventsourcing.walk import Walk


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a slice left its partition; `held_at` is the offset of a record that is not to be applied yet.

    `repeated`: it held records that were applied before.
    """

    position: int
    next_offset: int
    hole: bool = False
    repeated: bool = False
    stopped: bool = False
    held_at: int | None = None


def progress_of(path: Walk, *, stopped: bool = False) -> Progress:
    """Where a walk led."""
    return Progress(path.position, path.next_offset, hole=path.hole, repeated=path.skipped > 0, stopped=stopped)


def joined(first: Progress | None, second: Progress) -> Progress:
    """Where two slices, one after the other, left their partition."""
    still = first is not None and first.hole and first.position == second.position
    repeated = first is not None and first.repeated
    return replace(second, hole=second.hole or still, repeated=second.repeated or repeated)
