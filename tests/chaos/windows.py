"""When which fault was at work, and when which service acknowledged a command."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from launcher.processes import SERVICES

NO_FAULT: Final = "(no fault)"


@dataclass(slots=True)
class Window:
    """The time from one fault's beginning to the next one's (seconds of the monotonic clock)."""

    number: int
    fault: str
    began: float
    ended: float | None = None


@dataclass(slots=True)
class Windows:
    """All of a run; the first is before any fault."""

    windows: list[Window] = field(default_factory=lambda: [Window(0, NO_FAULT, time.monotonic())])
    acknowledged: dict[str, list[float]] = field(default_factory=lambda: {service: [] for service in SERVICES})

    @property
    def number(self) -> int:
        """Of the window that is open."""
        return self.windows[-1].number

    def open(self, fault: str) -> Window:
        """The next window begins."""
        self.close()
        self.windows.append(Window(len(self.windows), fault, time.monotonic()))
        return self.windows[-1]

    def close(self) -> None:
        """End the open window: what comes now belongs to none."""
        if self.windows[-1].ended is None:
            self.windows[-1].ended = time.monotonic()

    def acknowledge(self, service: str) -> None:
        self.acknowledged[service].append(time.monotonic())

    def fault_of(self, number: int | None) -> str:
        return NO_FAULT if number is None else self.windows[number].fault

    def longest_unavailability(self, fault: str) -> tuple[float, str]:
        """Which service acknowledged nothing for longest while this fault was at work, and for how long (seconds)."""
        mine = [window for window in self.windows if window.fault == fault]
        gaps = ((self._gap(window, times), name) for window in mine for name, times in self.acknowledged.items())
        return max(gaps, default=(0.0, ""))

    def _gap(self, window: Window, times: Sequence[float]) -> float:
        end = window.ended or time.monotonic()
        inside = [window.began, *(at for at in times if window.began < at < end), end]
        return max(later - earlier for earlier, later in pairwise(inside))
