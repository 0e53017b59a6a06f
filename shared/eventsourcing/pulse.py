"""Whether a part of a worker makes progress: the part tells, the watchdog asks."""

import time
from collections.abc import Callable
from typing import Any, Protocol


class Watched(Protocol):
    """What the watchdog asks of a part."""

    @property
    def name(self) -> str: ...
    def stalled(self, seconds: float) -> str | None:
        """Why it is taken for dead, if it made no progress for so long while there was work."""
        ...

    def told(self) -> dict[str, Any]:
        """What it last did, for people: seconds since then."""
        ...


class Pulse:
    """One part's signs of life.

    A part joins with three lines:

        self.pulse = Pulse("timers")        # in its constructor; the worker adds it to `watched`
        self.pulse.looked(work=bool(due))   # each time round, and when a failure was told and is waited out
        self.pulse.progressed()             # each time some of the work is done for good

    A database or broker that is down is no reason to restart: a part that says so goes round.
    """

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock = clock
        self._looked = self._progressed = clock()
        self._waiting_since: float | None = None

    def looked(self, *, work: bool = False) -> None:
        """It went round and found work that it could not finish, or none."""
        self._looked = self._clock()
        self._waiting_since = (self._waiting_since or self._looked) if work else None

    def progressed(self) -> None:
        """It finished some of its work."""
        self._looked = self._progressed = self._clock()
        self._waiting_since = None

    @property
    def idle_seconds(self) -> float:
        """Since it last finished something."""
        return self._clock() - self._progressed

    def stalled(self, seconds: float) -> str | None:
        now = self._clock()
        if now - self._looked > seconds:
            return f"{self.name} has not gone round for {now - self._looked:.0f} s"
        if self._waiting_since is not None and now - self._waiting_since > seconds:
            return f"{self.name} has had work for {now - self._waiting_since:.0f} s and finished none of it"
        return None

    def told(self) -> dict[str, Any]:
        now = self._clock()
        return {"last_poll": round(now - self._looked, 1), "last_commit": round(now - self._progressed, 1)}
