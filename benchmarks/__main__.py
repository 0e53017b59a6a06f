"""`make bench`: measures what was asked for, or every question, and writes benchmarks/results/QUESTION.json."""

import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import (
    append,
    cost_growth,
    deep_tree,
    end_to_end,
    http_commands,
    kpi_feed,
    machine,
    past_tree,
    performance_page,
    projection,
    reaction,
    rebuild,
    relay,
    results,
    review_cycle,
    start,
)
from benchmarks.question import Asked, Question
from benchmarks.servers import serving
from shared.runtime.event_loops import stream_loop

QUESTIONS: tuple[Question, ...] = (
    append.QUESTION,
    http_commands.QUESTION,
    reaction.QUESTION,
    end_to_end.QUESTION,
    review_cycle.QUESTION,
    cost_growth.QUESTION,
    start.QUESTION,
    deep_tree.QUESTION,
    past_tree.QUESTION,
    kpi_feed.QUESTION,
    relay.QUESTION,
    projection.QUESTION,
    rebuild.QUESTION,
)
app = typer.Typer(add_completion=False)


@app.command()
def bench(
    questions: Annotated[list[str] | None, typer.Argument(help="Which; every one unless some are named.")] = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="The whole sizes; else a tenth of them.")] = False,
    seed: Annotated[int, typer.Option(help="Of the data and of everything drawn at random.")] = 1,
) -> None:
    """Measure, beside peers and raw limits on the same servers."""
    known = {question.name: question for question in QUESTIONS}
    unknown = sorted(set(questions or ()) - known.keys())
    if unknown:
        raise typer.BadParameter(f"there is no question {', '.join(unknown)}; there are: {', '.join(known)}")
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False)
    around = machine.described()
    console.print(
        f"on {around['processor']}, {around['cores']} cores, {around['memory_gib']} GiB: {around['versions']}"
    )
    for name in questions or known:
        with asyncio.Runner(loop_factory=stream_loop) as runner:  # as the roles of a service run
            runner.run(_answered(known[name], console, around, full=full, seed=seed))
    try:
        performance_page.write()
    except ImportError:
        console.print(
            "  docs/performance.md stays as it is: without matplotlib there are no plots; `make bench` installs it"
        )


def _interrupt(*_: object) -> None:
    """As by a keyboard: what was started is stopped on the way out."""
    raise KeyboardInterrupt


async def _answered(question: Question, console: Console, around: dict[str, object], *, full: bool, seed: int) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="trellis-bench-") as folder,
        serving(Path(folder)) as servers,
        Progress(*columns, console=console, disable=not sys.stdout.isatty()) as progress,
    ):
        asked = Asked(full=full, seed=seed, folder=Path(folder), servers=servers, progress=progress)
        answer = await question.answer(asked)
    results.show(question, answer, console)
    file = results.write(question, answer, seed=seed, full=full, machine=around)
    console.print(f"  {time.monotonic() - began:.0f} s; every value is in {file}\n")


if __name__ == "__main__":
    app()
