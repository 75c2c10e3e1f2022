"""Write docs/performance.md and its plots from what was measured: `python bench/report.py`.

The figures are those of `bench/*.json`, the explanations those of `bench/explanations.toml`. A missed aim that
nothing explains is an error.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from growth import LINEAR, shown
from quantities import memory_text, quantity, span, time_text
from works.rows import OURS, THEIRS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parent / "docs"
NAMES: Final = ("results", "growth", "images", "resolution")

Json = dict[str, Any]


def main() -> int:
    """Write the page and the plots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--without-plots", action="store_true", help="write the page only: the plots need matplotlib")
    arguments = parser.parse_args()
    found = {
        name: json.loads((HERE / f"{name}.json").read_text()) for name in NAMES if (HERE / f"{name}.json").is_file()
    }
    explanations = tomllib.loads((HERE / "explanations.toml").read_text())
    (DOCS / "performance.md").write_text(page(found, explanations))
    if not arguments.without_plots:
        from plots import plot_growth, plot_ratios

        (DOCS / "performance").mkdir(exist_ok=True)
        plot_ratios(found["results"]["works"], DOCS / "performance" / "ratios.svg")
        plot_growth(found["growth"], DOCS / "performance" / "growth.svg")
    if unexplained := [name for name, work in missed(found["results"]) if explanation(explanations, name) is None]:
        print(
            f"bench/explanations.toml does not explain why these miss their aim: {', '.join(unexplained)}",
            file=sys.stderr,
        )
        return 1
    return 0


def page(found: Mapping[str, Json], explanations: Mapping[str, Json]) -> str:
    """The whole page, of what there is."""
    parts = [*_opening(found["results"]), *_table(found["results"]), *_limits(found["results"])]
    parts += _explained(found["results"], explanations)
    if "growth" in found:
        parts += _growth(found["growth"])
    if "images" in found:
        parts += _images(found["images"])
    if "resolution" in found:
        parts += _resolution(found["resolution"])
    return "".join(f"{line}\n" for part in parts for line in _wrapped(part))


def missed(results: Json) -> list[tuple[str, Json]]:
    """The works that miss their aim."""
    return [(name, work) for name, work in results["works"].items() if work.get("met") is False]


def explanation(explanations: Mapping[str, Json], name: str) -> str | None:
    """What is said of a work: by its id, or by the first part of that."""
    for key in (name, name.partition(".")[0]):
        if key in explanations:
            return " ".join(str(explanations[key]["text"]).split())
    return None


def _opening(results: Json) -> Iterator[str]:
    machine, works = results["machine"], results["works"]
    judged = [work for work in works.values() if work.get("met") is not None]
    yield "<!-- Written by bench/report.py from what was measured; bench/explanations.toml has the words. -->"
    yield "# Performance"
    yield ""
    yield (
        "`wasmer-sdk` is Wasmer's own native runtime behind a Python API, and what one would take instead. Here both do"
        " the same work, on the same packages, in turn, so that what else the machine does falls on both: `make bench`"
        " installs the SDK into a virtual environment of its own, measures, and writes `bench/results.json` and this page."
    )
    yield ""
    yield (
        f"{sum(bool(work['met']) for work in judged)} of {len(judged)} aims are met. Medians of {machine['rounds']} rounds"
        f" with their quartiles (fewer of what takes long), {machine['when']}, on {machine['processor']},"
        f" {machine['cores']} cores, {machine['system']}, Python {machine['python']}, {machine['peer']}. The ratios say"
        " more than the times: less than one is faster, or smaller, than the SDK."
    )


def _table(results: Json) -> Iterator[str]:
    yield ""
    yield "| | work | wpm | wasmer-sdk | ratio | aim | |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, work in results["works"].items():
        if work["missing"] or not {OURS, THEIRS} <= set(work["sides"]):
            yield f"| {name} | {work['title']} | left out: {_cell(work['missing'] or 'no SDK')} | | | {work['aim'] or ''} | |"
            continue
        ours, theirs = (
            f"{quantity(work, work['sides'][side])}{span(work, work['sides'][side])}" for side in (OURS, THEIRS)
        )
        verdict = {True: "met", False: "**missed**", None: ""}[work["met"]]
        yield f"| {name} | {work['title']} | {ours} | {theirs} | {work['ratio']:.2f} | {work['aim'] or ''} | {verdict} |"
    yield ""
    yield "![Ratios of the works, each with its aim](performance/ratios.svg)"
    notes = [(name, work["note"]) for name, work in results["works"].items() if work["note"]]
    if notes:
        yield ""
        yield "How some of it is measured:"
        yield ""
        yield from (f"- {name}: {note}." for name, note in notes)


def _limits(results: Json) -> Iterator[str]:
    yield ""
    yield "## Beside what bounds it"
    yield ""
    yield (
        "The same work done by nothing but the host, or by wasmtime's own WASI, which is compiled code, in a process"
        " of Python as ours is."
    )
    yield ""
    yield "| | work | wpm | bound | | ratio |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, work in results["works"].items():
        if work["metric"] != "seconds" or OURS not in work["sides"]:
            continue
        for side, figures in work["sides"].items():
            if side in (OURS, THEIRS):
                continue
            ours = work["sides"][OURS]
            ratio = ours["seconds"] / figures["seconds"]
            bound = f"{_cell(side)} | {quantity(work, figures)}"
            yield f"| {name} | {work['title']} | {quantity(work, ours)} | {bound} | {ratio:.2f} |"


def _explained(results: Json, explanations: Mapping[str, Json]) -> Iterator[str]:
    yield ""
    yield "## Where the time goes"
    done = set()
    for name, work in results["works"].items():
        key = name if name in explanations else name.partition(".")[0]
        text = explanation(explanations, name)
        if text is None or key in done:
            continue
        done.add(key)
        states = [
            each.get("met") for other, each in results["works"].items() if other == key or other.startswith(f"{key}.")
        ]
        known = [state for state in states if state is not None]
        yield ""
        yield f"### {key}: {work['title'] if key == name else _family(key)}"
        yield ""
        if known:
            yield (
                f"{sum(known)} of {len(known)} met. {text}"
                if len(known) > 1
                else f"{'Met' if known[0] else 'Missed'}. {text}"
            )
        else:
            yield text


def _growth(curves: Mapping[str, Json]) -> Iterator[str]:
    yield ""
    yield "## How it grows"
    yield ""
    worse = [name for name, curve in curves.items() if curve["exponent"] > LINEAR and not name.endswith(".peer")]
    yield (
        "`make bench-growth` measures what more of everything costs. The exponent is the slope of the curve with both"
        " axes logarithmic, over its upper half, where fixed costs weigh little: 1 is linear, 0 does not grow. "
        + (f"Worse than linear: {', '.join(worse)}." if worse else "None is worse than linear.")
    )
    yield ""
    yield "| what | from | to | exponent |"
    yield "| --- | --- | --- | --- |"
    for curve in curves.values():
        sizes = sorted(map(int, curve["points"]))
        first, last = (
            f"{size:,} {curve['of']}: {shown(curve['points'][str(size)], curve['unit'])}"
            for size in (sizes[0], sizes[-1])
        )
        yield f"| {curve['title']} | {first} | {last} | {curve['exponent']:.2f} |"
    yield ""
    yield "![Curves of growth](performance/growth.svg)"


def _images(images: Json) -> Iterator[str]:
    machine = images["machine"]
    yield ""
    yield "## Images beside cp and tar"
    yield ""
    yield (
        f"`make bench-images`: a root filesystem of {machine['packages']} packages with {machine['files']:,} files,"
        f" {machine['bytes'] / 2**20:.0f} MiB, written from the store; beside it the same files from a directory. Whole"
        f" processes, warm caches, medians of {machine['rounds']} rounds, on {machine['disk']}."
    )
    yield ""
    yield "| what | wpm | beside | | ratio | memory of wpm |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for what, case in images["results"].items():
        other = next(side for side in case if side not in ("wpm", "ratio"))
        ours, theirs = case["wpm"], case[other]
        yield (
            f"| {what} | {time_text(ours['seconds'])} | `{other}` | {time_text(theirs['seconds'])} | {case['ratio']:.2f}"
            f" | {memory_text(ours['memory'])} |"
        )


def _resolution(resolution: Json) -> Iterator[str]:
    machine = resolution["machine"]
    yield ""
    yield "## Resolution"
    yield ""
    yield (
        f"`make bench-resolution`: a registry of {machine['packages']:,} packages with 20 versions each,"
        f" {machine['deep']} deep and {machine['wide']} wide, all of them needed; whole processes, medians of"
        f" {machine['rounds']} rounds."
    )
    yield ""
    yield "| what | time | may take | memory |"
    yield "| --- | --- | --- | --- |"
    for what, case in resolution["results"].items():
        yield f"| {what} | {time_text(case['seconds'])} | {time_text(case['goal'])} | {memory_text(case['memory'])} |"


def _family(key: str) -> str:
    return {
        "B3": "spawn and wait",
        "B6": "host calls",
        "B7": "bytes",
        "B8": "walking a tree of 20,000 files",
        "B9": "compute",
        "B10": "first run of a package never compiled before",
        "B11": "memory",
        "B12": "packages of 100 MB",
    }.get(key, "")


def _wrapped(part: str) -> list[str]:
    """Paragraphs as wide as those that people write here; tables, headings and pictures stay lines."""
    if part[:1] in ("", "|", "#", "!", "<"):
        return [part]
    further = "  " if part.startswith("- ") else ""
    return wrap(part, 120, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    raise SystemExit(main())
