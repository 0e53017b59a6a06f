"""One stage of the demo: many requests at once, counted on a progress bar."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from launcher.demo_cycle.client import AT_ONCE, PATIENCE_SECONDS, Actor, Client
from launcher.demo_cycle.company import Company
from launcher.failure import LaunchFailed
from shared.runtime.caller import Role
from shared.schemas.people import PersonRecord

Item = TypeVar("Item")
Result = TypeVar("Result")


def employee(person: PersonRecord) -> Actor:
    return Actor(person.person, Role.EMPLOYEE)


def manager(person: PersonRecord) -> Actor:
    return Actor(person.person, Role.MANAGER)


def hr(person: PersonRecord) -> Actor:
    return Actor(person.person, Role.HR)


@dataclass(frozen=True)
class Stage:
    """What every stage works with."""

    client: Client
    company: Company
    period: tuple[str, str]
    number: int
    bars: Progress
    patience: float = PATIENCE_SECONDS

    async def each(self, what: str, items: Iterable[Item], work: Callable[[Item], Awaitable[Result]]) -> list[Result]:
        """Do it for each, several at once; the results in the items' order. The first failure ends all."""
        todo = list(items)
        bar = self.bars.add_task(what, total=len(todo))
        results: dict[int, Any] = {}
        queue = iter(enumerate(todo))

        async def worker() -> None:
            for n, item in queue:
                results[n] = await work(item)
                self.bars.advance(bar)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(todo))):
                    group.create_task(worker())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        self._done(what, len(todo))
        return [results[n] for n in range(len(todo))]

    async def until(self, what: str, condition: Callable[[], Awaitable[tuple[int, int]]]) -> None:
        """Wait until as many are done as there are to do; the patience begins anew with each.

        Raises:
            LaunchFailed: nothing more was done for too long.
        """
        bar = self.bars.add_task(what, total=None)
        most, since = -1, time.monotonic()
        while True:
            done, total = await condition()
            self.bars.update(bar, completed=done, total=total)
            if done >= total:
                self._done(what, total)
                return
            if done > most:
                most, since = done, time.monotonic()
            elif time.monotonic() - since > self.patience:
                raise LaunchFailed(
                    f"{what}: {done} of {total}, and no more for {self.patience:.0f} s. Try `trellis status`."
                )
            await asyncio.sleep(0.1)

    def _done(self, what: str, number: int) -> None:
        """Where nobody sees the bars, in a file or a pipe, each stage is a line."""
        if self.bars.disable:
            self.bars.console.print(f"  {what:<44}{number:>6}")


@contextmanager
def progress_bars(console: Console) -> Any:
    """Bars that stay on the terminal, one a stage; none where there is no terminal."""
    columns: Sequence[Any] = (
        TextColumn("  {task.description:<44}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield bars
