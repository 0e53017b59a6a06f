"""What a command that takes a while shows: one line for each thing that is done, and what is being waited for."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Lines with the seconds since the start; on a terminal also a spinner."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    def say(self, line: str) -> None:
        self._console.print(f"[dim]{self.elapsed:6.1f} s[/dim]  {line}")

    @contextmanager
    def waiting_for(self, what: str) -> Generator[None]:
        with self._console.status(f"{what} …"):
            yield
