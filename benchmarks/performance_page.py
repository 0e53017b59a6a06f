"""`python -m benchmarks.performance_page`: writes the measured part of docs/performance.md from the results."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks import plots
from benchmarks.measuring import Better
from benchmarks.results import FOLDER, number

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured: begin (written by make bench) -->", "<!-- measured: end -->"
_VERDICTS: Final = {True: "met", False: "**missed**", None: ""}


def write() -> None:
    """Draw every result and replace what stands between the markers; what is around them stays.

    Raises:
        ValueError: the page has no markers.
    """
    results = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
    before, begin, rest = PAGE.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{PAGE} has no markers {_BEGIN!r} and {_END!r}")
    for result in results:
        plots.draw(result)
    told = "\n".join(line for result in results for line in _section(result))
    PAGE.write_text(f"{before}{_BEGIN}\n\n{_overview(results)}\n{told}\n{_END}{after}")


def _overview(results: list[dict[str, Any]]) -> str:
    """How many goals are met, and by which questions others are missed."""
    judged = [(result["question"], one["met"]) for result in results for one in result["comparisons"]]
    goals = [(question, met) for question, met in judged if met is not None]
    missed = sorted({question for question, met in goals if not met})
    met = sum(met for _, met in goals)
    where = f"; missed: {', '.join(f'[{name}](#{name})' for name in missed)}" if missed else ""
    return f"{met} of {len(goals)} goals are met{where}.\n"


def _section(result: dict[str, Any]) -> Iterator[str]:
    name, machine = result["question"], result["machine"]
    sizes = "the whole sizes" if result["full"] else "a tenth of the sizes"
    yield f"### {name}\n"
    yield f"{result['asks'][0].upper()}{result['asks'][1:]}. "
    yield (
        f"Measured at {sizes} on {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"load before it {machine['load_before'][0]}; seed {result['seed']}.\n"
    )
    yield f"![{name}](performance/{name}.svg)\n"
    if result["comparisons"]:
        yield "| | measured | beside | ratio | spread | goal | |"
        yield "|---|---:|---:|---:|---:|---:|---|"
        yield from (f"| {' | '.join(_cells(one))} |" for one in result["comparisons"])
        yield ""
    yield from (f"- {note}" for note in result["notes"])
    if result["notes"]:
        yield ""


def _cells(one: dict[str, Any]) -> list[str]:
    """Name, ours, the other's, ratio, its spread, goal, verdict."""
    unit, is_ratio = one["unit"], one["ratio"] is not None
    sign = "≥" if one["better"] == Better.HIGHER.value else "≤"
    goal = "" if one["goal"] is None else f"{sign} {number(one['goal'])}{'' if is_ratio else f' {unit}'}"
    lowest, highest = one.get("spread") or (None, None)
    spread = "" if lowest is None or highest is None else f"{_figure(lowest, is_ratio)} to {_figure(highest, is_ratio)}"
    return [
        one["name"],
        f"{number(one['ours'])} {unit}",
        "" if one["other"] is None else f"{number(one['other'])} {unit}",
        f"{one['ratio']:.2f}" if is_ratio else "",
        spread,
        goal,
        _VERDICTS[one["met"]],
    ]


def _figure(value: float, is_ratio: bool) -> str:  # noqa: FBT001 - read where it is called
    return f"{value:.2f}" if is_ratio else number(value)


if __name__ == "__main__":
    write()
