"""Why a service's process ended by itself, as it wrote into its log."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

_END: Final = 65_536


def last_words(log: Path) -> str | None:
    """The reason of the last failure that ended a process of this log; none if it was killed or told to stop."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _END))
        for line in reversed(file.read().decode(errors="replace").splitlines()):
            with suppress(ValueError, TypeError, AttributeError):
                said = json.loads(line)
                if said.get("event") == "worker.failed":
                    return f"{said['part']}: {said['why']}"
    return None
