"""The journal of a demo: every command that was acknowledged, one JSON line each, for whoever checks that none is lost.

`{"key": ..., "service": ..., "path": ..., "id": ..., "version": ..., "seconds": ...}`: the Idempotency-Key, where it
was sent, the stream that it changed and its version then, and how long the answer took, asking again included.
"""

import json
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from launcher.failure import writing_into


class Journal:
    """Appends to a file; without one, to nothing."""

    def __init__(self, file: Path | None) -> None:
        self._file = None if file is None else _opened(file)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def acknowledged(self, key: str, path: str, answer: Mapping[str, Any], *, seconds: float) -> None:
        """A line that is in the file, whatever happens to this process, when this returns."""
        if self._file is None:
            return
        line = {
            "key": key,
            "service": path.split("/", 2)[1],
            "path": path,
            "id": answer.get("id"),
            "version": answer.get("version"),
            "seconds": round(seconds, 3),
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def _opened(file: Path) -> TextIOWrapper:
    with writing_into(file.parent):
        return file.open("a", encoding="utf-8")
