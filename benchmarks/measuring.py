"""Measuring side by side: contenders take turns, and a ratio is between what was measured in the same round."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from rich.progress import Progress

REPETITIONS: Final = 5


class Better(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Contender:
    """What is measured: each call of `run` is one measurement and returns its value, in `unit`."""

    name: str
    unit: str
    run: Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Series:
    """Every value of one contender, a round each, in the order of the rounds."""

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return min(self.values), max(self.values)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours beside another, or beside a limit in our unit: then there is no `other` and no ratio.

    `ratio` is ours divided by the other's, the median over the rounds; `goal` is for the ratio, or the limit itself.
    `spread` is the lowest and the highest round's of what the goal is for; `beside` is the other's series.
    """

    name: str
    ours: float
    other: float | None
    unit: str
    ratio: float | None
    goal: float | None
    better: Better
    spread: tuple[float, float] | None = None
    beside: str | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        measured = self.ours if self.ratio is None else self.ratio
        return measured >= self.goal if self.better is Better.HIGHER else measured <= self.goal


def compared(
    name: str, ours: Series, other: Series, *, goal: float | None = None, better: Better = Better.HIGHER
) -> Comparison:
    """Ours against the other, round by round.

    Raises:
        ValueError: they were not measured in the same rounds or not in the same unit.
    """
    if ours.unit != other.unit or len(ours.values) != len(other.values):
        raise ValueError(f"{name}: {ours.name} and {other.name} were not measured side by side")
    ratios = [mine / theirs for mine, theirs in zip(ours.values, other.values, strict=True)]
    return Comparison(
        name,
        ours.median,
        other.median,
        ours.unit,
        median(ratios),
        goal,
        better,
        spread=(min(ratios), max(ratios)),
        beside=other.name,
    )


def held_against(name: str, ours: Series, limit: float, *, better: Better) -> Comparison:
    """Ours against a number in its own unit."""
    return Comparison(name, ours.median, None, ours.unit, None, limit, better, spread=ours.spread)


async def take_turns(
    contenders: Sequence[Contender], *, progress: Progress, what: str, repetitions: int = REPETITIONS
) -> list[Series]:
    """Measure each once a round; another one begins each round, so that none is always the first."""
    task = progress.add_task(what, total=repetitions * len(contenders))
    values: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for round_ in range(repetitions):
        first = round_ % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            progress.update(task, description=f"{what}: {contender.name}")
            values[contender.name].append(await contender.run())
            progress.advance(task)
    progress.update(task, description=what)
    return [Series(contender.name, contender.unit, tuple(values[contender.name])) for contender in contenders]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of them do not exceed: the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 1).__int__() - 1))]
