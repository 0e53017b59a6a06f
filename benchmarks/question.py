"""A question that a benchmark answers, what it may use while it measures, and what it says in the end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from benchmarks.measuring import Comparison, Series
from benchmarks.servers import Servers


@dataclass(frozen=True, slots=True)
class Asked:
    """How it is to be measured. `full` takes the whole sizes, else they are a tenth; `seed` makes data repeatable."""

    full: bool
    seed: int
    folder: Path
    servers: Servers
    progress: Progress

    def size(self, full: int) -> int:
        """The whole size, or a tenth of it."""
        return full if self.full else max(1, full // 10)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was measured. `sizes` are the numbers that somebody needs to repeat it; `notes` are sentences."""

    series: Sequence[Series]
    comparisons: Sequence[Comparison]
    sizes: dict[str, int | float] = field(default_factory=dict[str, int | float])
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """`name` is what the command line, the result's file and the plot are called by."""

    name: str
    asks: str
    answer: Callable[[Asked], Awaitable[Answer]]
