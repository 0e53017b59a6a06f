"""The reporting line of a company: every manager has a handful of reports, at whatever depth that takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

LARGEST_TEAM: Final = 12
"""Reports that one person leads without a manager in between."""
SMALLEST_TEAM: Final = 4
_FEWEST_REPORTS, _MOST_REPORTS = 6, 10
"""Of a manager of managers."""
_MOST_WITHOUT_TEAM: Final = 2
"""Such a manager's reports who lead nobody."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the line: its manager's number (None: the head, who is number 0), how many are above and below.

    `branch` is which of the head's reports it is or is under, from 0; the head's own is -1.
    """

    manager: int | None
    level: int
    branch: int
    below: int


def positions(size: int, random: Random) -> list[Position]:
    """A place for each of `size` people, each behind its manager's."""
    found: list[Position] = []
    waiting = [Position(manager=None, level=0, branch=-1, below=size - 1)]
    while waiting:
        position = waiting.pop()
        number = len(found)
        found.append(position)
        waiting += [
            Position(
                manager=number, level=position.level + 1, branch=position.branch if number else branch, below=below
            )
            for branch, below in enumerate(_shared_out(position.below, random))
        ]
    return found


def _shared_out(below: int, random: Random) -> Sequence[int]:
    """How many are below each of one's direct reports, if `below` are below oneself."""
    if below <= LARGEST_TEAM:
        return [0] * below
    reports = random.randint(_FEWEST_REPORTS, min(_MOST_REPORTS, below - SMALLEST_TEAM))
    rest = below - reports
    managers = max(1, min(reports - random.randint(0, _MOST_WITHOUT_TEAM), rest // SMALLEST_TEAM))
    weights = [random.uniform(0.5, 1.5) for _ in range(managers)]
    free = rest - managers * SMALLEST_TEAM
    shares = [SMALLEST_TEAM + int(free * weight / sum(weights)) for weight in weights]
    shares[0] += rest - sum(shares)
    return [*shares, *[0] * (reports - managers)]
