"""The plots of docs/performance.md, as SVG that can be read on a light and on a dark page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INK: Final = "#808a94"
"""Of letters and lines: grey enough to be seen on white and on black."""
GOOD: Final = "#2a9d72"
BAD: Final = "#d9772b"
OURS: Final = "#3f7fd0"
THEIRS: Final = "#d9772b"
_STYLE: Final = {
    "svg.hashsalt": "wpm",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": INK,
    "grid.alpha": 0.25,
}
_METADATA: Final = {"Date": None, "Creator": None}
"""The same figures give the same bytes."""


def plot_ratios(works: Mapping[str, Mapping[str, Any]], target: Path) -> None:
    """A bar for each work: ours to theirs, with a mark where it is to end."""
    shown = [(name, work) for name, work in works.items() if work.get("ratio") is not None and work["aim"] is not None]
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(figsize=(8, 0.32 * len(shown) + 1.2))
        places = range(len(shown), 0, -1)
        ratios = [work["ratio"] for _, work in shown]
        low, high = min(0.1, *ratios) * 0.9, max(2.0, *ratios) * 1.4
        axes.barh(
            places,
            ratios,
            color=[GOOD if work["met"] else BAD for _, work in shown],
            height=0.62,
            left=0,
        )
        for place, (_, work) in zip(places, shown, strict=True):
            axes.plot([work["aim"]] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=2)
            axes.annotate(
                f"{work['ratio']:.2f}",
                (max(work["ratio"], work["aim"]), place),
                (5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axes.set_yticks(list(places), [name for name, _ in shown])
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks([tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if low <= tick <= high])
        axes.set_xlim(low, high)
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        axes.axvline(1, color=INK, linewidth=0.8, linestyle=":")
        axes.grid(axis="x", which="major")
        axes.set_axisbelow(True)
        axes.set_xlabel("wpm to wasmer-sdk: less is better")
        axes.legend(
            handles=[
                Patch(color=GOOD, label="aim met"),
                Patch(color=BAD, label="aim missed"),
                Line2D([], [], color=INK, linewidth=2, label="aim"),
            ],
            frameon=False,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=3,
        )
        figure.savefig(target, transparent=True, bbox_inches="tight", metadata=_METADATA)
        pyplot.close(figure)


def plot_growth(curves: Mapping[str, Mapping[str, Any]], target: Path) -> None:
    """A panel for each thing that grows, both axes logarithmic, with what is linear as a dotted line."""
    own = [name for name in curves if not name.endswith(".peer")]
    with pyplot.rc_context(_STYLE):
        rows = (len(own) + 1) // 2
        figure, panels = pyplot.subplots(rows, 2, figsize=(8, 3 * rows), squeeze=False)
        for axes in panels.flat[len(own) :]:
            axes.set_visible(False)
        for axes, name in zip(panels.flat, own, strict=False):
            curve = curves[name]
            scale = 2**20 if curve["unit"] == "bytes" else 1
            sides = [("wpm", curve, OURS, "o-")]
            if (peer := curves.get(f"{name}.peer")) is not None:
                sides.append(("wasmer-sdk", peer, THEIRS, "s--"))
            for side, each, colour, mark in sides:
                sizes = sorted(map(int, each["points"]))
                values = [each["points"][str(size)] / scale for size in sizes]
                axes.plot(
                    sizes, values, mark, color=colour, label=f"{side}, exponent {each['exponent']:.2f}", markersize=4
                )
                if side == "wpm":
                    bend = (len(sizes) - 1) // 2
                    line = [values[bend] * size / sizes[bend] for size in sizes]
                    axes.plot(sizes, line, ":", color=INK, linewidth=1, label="linear")
                    floor = min(values) / 3
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_ylim(bottom=floor)
            axes.set_title(curve["title"].removeprefix("wpm: "), fontsize=10, color=INK)
            axes.set_xlabel(curve["of"])
            axes.set_ylabel("MiB" if scale > 1 else "seconds")
            axes.minorticks_off()
            axes.grid()
            axes.legend(frameon=False, fontsize=8)
        figure.tight_layout()
        figure.savefig(target, transparent=True, metadata=_METADATA)
        pyplot.close(figure)


def _plain(value: float, _: object) -> str:
    return f"{value:g}"
