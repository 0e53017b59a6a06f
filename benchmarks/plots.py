"""A plot a question: what was measured, median and spread, as SVG whose bytes depend on the values alone."""

from collections.abc import Container, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "docs" / "performance"
_OURS, _OTHERS = "#2f6db5", "#9aa5b1"
_ROW_INCHES, _PANEL_INCHES, _WIDTH_INCHES = 0.3, 0.75, 9.0
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.hashsalt": "trellis",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.axisbelow": True,
}


def draw(result: dict[str, Any]) -> Path:
    """The plot of one question's result; series of one unit share a panel.

    Raises:
        ImportError: there is no matplotlib; `make bench` installs it.
    """
    from matplotlib import rc_context  # noqa: PLC0415  # pyright: ignore[reportMissingImports] - with make bench alone
    from matplotlib.figure import Figure  # noqa: PLC0415  # pyright: ignore[reportMissingImports] - likewise

    panels = _panels(result["series"])
    others = {one.get("beside") for one in result["comparisons"]}
    rows = [len(series) for _, series in panels]
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{result['question']}.svg"
    with rc_context(_SETTINGS):
        height = sum(rows) * _ROW_INCHES + len(panels) * _PANEL_INCHES
        figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[count + 1 for count in rows])
        for (unit, series), (axis,) in zip(panels, axes, strict=True):
            _draw_panel(axis, unit, series, others)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    file.write_text("\n".join(line.rstrip() for line in file.read_text().splitlines()) + "\n")
    return file


def _panels(series: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    units = list(dict.fromkeys(one["unit"] for one in series))
    ordered = sorted(series, key=lambda one: units.index(one["unit"]))
    return [(unit, list(group)) for unit, group in groupby(ordered, key=lambda one: one["unit"])]


def _draw_panel(axis: Any, unit: str, series: Sequence[dict[str, Any]], others: Container[str]) -> None:
    """`others` are the names of what ours is held against."""
    names = [one["name"] for one in series]
    medians = [one["median"] for one in series]
    below = [one["median"] - one["lowest"] for one in series]
    above = [one["highest"] - one["median"] for one in series]
    colours = [_OTHERS if name in others else _OURS for name in names]
    axis.barh(names, medians, xerr=[below, above], color=colours, ecolor="#333333", capsize=2, height=0.7)
    axis.invert_yaxis()
    axis.set_xlabel(unit)
    axis.grid(visible=True, axis="x", color="#e3e6ea")
    axis.spines[["top", "right"]].set_visible(False)
