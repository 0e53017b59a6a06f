"""The journal of a chaotic run: every command, each attempt at it and what it was answered, one JSON line a command."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

Outcome: TypeAlias = Literal["acknowledged", "refused", "unknown"]


@dataclass(slots=True)
class Attempt:
    """One request: when (seconds since the command's first), how long, and the status or what went wrong."""

    at: float
    seconds: float
    said: int | str

    @property
    def in_doubt(self) -> bool:
        """Whether the command may have been carried out all the same."""
        return isinstance(self.said, str) or self.said >= 500


@dataclass(slots=True)
class Command:
    """A command under its idempotency key; the correlation id marks whatever it stores, whichever attempt did it."""

    key: str
    correlation: str
    path: str
    window: int
    began: float = field(default_factory=time.monotonic)
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    @property
    def service(self) -> str:
        return self.path.split("/", 2)[1]

    def attempted(self, began: float, said: int | str) -> Attempt:
        self.attempts.append(Attempt(round(began - self.began, 3), round(time.monotonic() - began, 3), said))
        return self.attempts[-1]


class Journal:
    """Appends each command's line when its outcome is known."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8")
        self.outcomes: dict[Outcome, int] = {"acknowledged": 0, "refused": 0, "unknown": 0}

    def close(self) -> None:
        self._file.close()

    def end(self, command: Command, outcome: Outcome, answer: Mapping[str, Any] | None = None) -> None:
        """`answer`: of an acknowledged command, with its stream's id and version."""
        self.outcomes[outcome] += 1
        line = {
            "key": command.key,
            "correlation": command.correlation,
            "service": command.service,
            "path": command.path,
            "window": command.window,
            "outcome": outcome,
            "id": (answer or {}).get("id"),
            "version": (answer or {}).get("version"),
            "seconds": round(time.monotonic() - command.began, 3),
            "attempts": [[attempt.at, attempt.seconds, attempt.said] for attempt in command.attempts],
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
