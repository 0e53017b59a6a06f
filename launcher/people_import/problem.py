"""What is wrong with a row, and what is wrong with a whole file."""

import re
from dataclasses import dataclass
from typing import Final

from launcher.failure import LaunchFailed

CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
"""Characters that a terminal obeys instead of showing them."""


def shown(text: str) -> str:
    """The text, safe to show at a terminal."""
    return CONTROL.sub("\ufffd", text)


class FileRefused(LaunchFailed):
    """The file, or its mapping, cannot be used at all; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was refused. `row` counts as a spreadsheet does: the header is row 1."""

    row: int
    column: str
    value: str
    reason: str
