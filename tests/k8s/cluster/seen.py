"""What the proof saw: a row for each step, and how a step says that it did not see what it looked for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Step = Callable[[], Awaitable[str]]


class NotSeen(Exception):  # noqa: N818 - named for what happened
    """What must hold does not; the message says what was there instead."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One row of the table."""

    step: str
    what: str
    seconds: float
    well: bool


def hold(condition: object, otherwise: str) -> None:
    """An assertion that speaks."""
    if not condition:
        raise NotSeen(otherwise)


async def looked_at(name: str, step: Step) -> Seen:
    """The step's row; a step that fails is a row too, so that the others are looked at."""
    began, well = time.monotonic(), True
    try:
        what = await step()
    except (NotSeen, TimeoutError) as error:
        what, well = f"NOT: {error or 'it took too long'}", False
    return Seen(name, what, time.monotonic() - began, well)


async def until(
    holds: Callable[[], Awaitable[object]], *, within: float, what: Callable[[], str] | str, every: float = 0.5
) -> None:
    """Ask until it holds.

    Raises:
        NotSeen: it did not within these seconds.
    """
    deadline = time.monotonic() + within
    while not await holds():
        hold(time.monotonic() < deadline, f"not within {within:.0f} s: {what if isinstance(what, str) else what()}")
        await asyncio.sleep(every)


def table(rows: Sequence[Seen]) -> str:
    """As Markdown."""
    lines = [f"| {row.step} | {row.what} | {row.seconds:.0f} s |" for row in rows]
    return "\n".join(["| Step | What was seen | Time |", "|---|---|---:|", *lines])
