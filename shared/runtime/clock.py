"""The clock: the one place that asks what time it is; in development it can be put forward."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

Clock = Callable[[], datetime]
"""What tells the time; tests give their own."""
_FURTHEST: Final = timedelta(days=365_000)


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that may


def development_clock(file: Path) -> Clock:
    """The time plus what the file says, for development alone; for this process it never goes back.

    Many processes share the file, which `trellis clock advance` writes: it is read each time that the time is asked.
    """
    ahead = timedelta()

    def told() -> datetime:
        nonlocal ahead
        ahead = max(ahead, read_ahead(file))
        return now() + ahead

    return told


def read_ahead(file: Path) -> timedelta:
    """How far the development clock is ahead of the time; nothing where nobody put it forward.

    Raises:
        ValueError: the file holds something else than seconds.
    """
    try:
        written = file.read_text()
    except FileNotFoundError:
        return timedelta()
    return min(timedelta(seconds=int(written)), _FURTHEST)
