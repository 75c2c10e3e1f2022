"""The guests of the measurements do their work, and the page and the check count right. Nothing is timed here."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pkgmgr import Package, Sandbox

ROOT = Path(__file__).parents[1]
BENCH = ROOT / "bench"
sys.path.append(str(BENCH))

import check  # noqa: E402
import report  # noqa: E402
from growth import exponent, scaled  # noqa: E402
from measure import Run, ServerSide, measure_sides  # noqa: E402
from overlay_lookup import lookup_seconds  # noqa: E402
from quantities import quantity, span, time_text  # noqa: E402
from run import order  # noqa: E402
from works.warm_works import SMALL_WORKS, WARM_WORKS  # noqa: E402


def guest(name: str) -> bytes:
    return (BENCH / "guests" / f"{name}.wasm").read_bytes()


class Rounds:
    """A side that took this long."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = list(seconds)
        self.closed = False

    def once(self) -> Run:
        return Run(self.seconds.pop(0), 0.5, 0, b"alive\n7\n")

    def close(self) -> int:
        self.closed = True
        return 1 << 20


# Guests


@pytest.mark.parametrize("kind", ["clock", "read", "open"])
def test_the_guest_makes_its_host_calls_and_says_how_many(kind: str) -> None:
    package = Package.create(modules={"calls": guest("host_calls")}, files={"/data/numbers.bin": bytes(3 * 4096)})
    with Sandbox([package]) as sandbox:
        assert sandbox.run("calls", kind, "10", cwd="/").stdout == b"10\n"


def test_the_guest_says_what_it_does_not_know() -> None:
    with Sandbox([Package.create(modules={"calls": guest("host_calls")})]) as sandbox:
        assert sandbox.run("calls", "sleep", "10").exit_code == 100
        assert sandbox.run("calls", "read", "10").exit_code == 44


def test_the_guest_writes_into_its_pipe_and_empties_it() -> None:
    with Sandbox([Package.create(modules={"writes": guest("pipe_writes")})]) as sandbox:
        for count in ("1", "255", "256", "1000"):
            assert sandbox.run("writes", count).stdout == f"{count}\n".encode()


def test_the_guests_are_built_from_their_texts() -> None:
    from wasmtime import wat2wasm

    for text in (BENCH / "guests").glob("*.wat"):
        assert text.with_suffix(".wasm").read_bytes() == bytes(wat2wasm(text.read_text())), text.name


@pytest.mark.parametrize("work", ["small.B3.one", "small.B3.four"])
def test_a_server_answers_each_line_with_two_numbers(work: str, tmp_path: Path) -> None:
    places = {"coreutils": str(ROOT / "registry_fixtures" / "packages" / "wpm" / "coreutils" / "1.0.0.webc")}
    done = subprocess.run(
        [sys.executable, str(BENCH / "serve_ours.py"), work, json.dumps(places)],
        input="\n\n",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WPM_CACHE_DIR": str(tmp_path)},
        check=True,
    )
    assert [len([float(word) for word in line.split()]) for line in done.stdout.splitlines()] == [2, 2]


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    side = ServerSide([sys.executable, "-c", "raise SystemExit('first\\nno such guest')"], tmp_path, os.environ)
    with pytest.raises(RuntimeError, match="exit code 1: no such guest"):
        side.once()
    assert side.close() == 0


def test_a_work_that_printed_something_else_is_a_failure() -> None:
    work = WARM_WORKS["B4"]
    work.check(0, b"100\n", b"")
    for exit_code, written in ((1, b"100\n"), (0, b"99\n")):
        with pytest.raises(RuntimeError, match="100 forks in dash: exit code"):
            work.check(exit_code, written, b"")
    with pytest.raises(RuntimeError, match="1 lines"):
        WARM_WORKS["B8.find"].check(0, b"/usr\n", b"")


def test_small_works_are_works() -> None:
    assert {name.removeprefix("small.") for name in SMALL_WORKS} < set(WARM_WORKS)


# Counting


def test_sides_are_measured_in_turn_and_closed() -> None:
    ours, theirs = Rounds(9, 1, 2, 3), Rounds(9, 4, 4, 4)
    figures = measure_sides({"ours": ours, "theirs": theirs}, rounds=3, warm_up=1)
    assert ours.closed and theirs.closed
    assert (figures["ours"].seconds, figures["theirs"].seconds) == (2, 4)
    assert (figures["ours"].memory, figures["ours"].printed, figures["ours"].processor) == (1 << 20, 7, 0.5)


def test_a_side_that_fails_leaves_none_open() -> None:
    ours, theirs = Rounds(1, 1), Rounds(1)
    with pytest.raises(IndexError):
        measure_sides({"ours": ours, "theirs": theirs}, rounds=1, warm_up=1)
    assert ours.closed and theirs.closed


def test_a_ratio_is_that_of_rounds_done_one_after_the_other() -> None:
    # The second round met a busy machine: both sides took ten times as long.
    assert check.median_ratio([(1.0, 2.0), (10.0, 20.0), (1.2, 2.0)]) == pytest.approx(0.5)


def test_what_is_slower_is_measured_again() -> None:
    def makers(*ratios: float) -> tuple[object, object]:
        mine, other = (
            [Rounds(1, 1, *ratios[:1] * 3), Rounds(1, 1, *ratios[1:] * 15)],
            [Rounds(*[1] * 5), Rounds(*[1] * 17)],
        )
        return (lambda: mine.pop(0)), (lambda: other.pop(0))

    same = check.judged("same", makers(1.05), 3)  # type: ignore[arg-type]
    assert same == check.Verdict("same", 1.05) and not same.slower
    chance = check.judged("chance", makers(1.5, 1.05), 3)  # type: ignore[arg-type]
    assert chance == check.Verdict("chance", 1.5, 1.05) and not chance.slower
    slower = check.judged("slower", makers(1.5, 1.2), 3)  # type: ignore[arg-type]
    assert slower.slower and slower.line().endswith("1.500, again 1.200  SLOWER")


def test_the_baseline_is_a_commit() -> None:
    assert len(bytes.fromhex((BENCH / "baseline").read_text().strip())) == 20


def test_exponents() -> None:
    assert exponent({1: 2.0, 10: 20.0, 100: 200.0}) == pytest.approx(1)
    assert exponent({10: 3.0, 100: 300.0}) == pytest.approx(2)
    assert exponent({10: 3.0, 100: 3.0}) == pytest.approx(0)
    assert sum(scaled(2000)) == 2000 and min(scaled(10)) == 1


def test_a_name_in_an_overlay_is_found() -> None:
    assert lookup_seconds(3, 10) > 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.50 s"), (0.0123, "12.3 ms"), (0.000321, "321 us"), (4.2e-8, "42.0 ns")]
)
def test_times_for_people(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_quantities_for_people() -> None:
    figures = {"seconds": 0.5, "low": 0.4, "high": 1.0, "memory": 3 << 20}
    row = {"metric": "seconds", "unit": "call", "amount": 1_000_000}
    assert (quantity(row, figures), span(row, figures)) == ("500 ns/call", " (400 ns to 1.00 us)")
    row = {"metric": "seconds", "unit": "byte", "amount": 1 << 30}
    assert (quantity(row, figures), span(row, figures)) == ("2.00 GiB/s", " (1.00 to 2.50)")
    row = {"metric": "memory", "unit": "process", "amount": 1}
    assert (quantity(row, figures), span(row, figures)) == ("3.00 MiB", "")
    assert sorted(["B10.2MB", "B2", "B1"], key=order) == ["B1", "B2", "B10.2MB"]


# The page


def entry(name: str, ours: float, theirs: float, aim: float, **more: object) -> dict[str, object]:
    def figures(seconds: float) -> dict[str, float]:
        low, high = seconds * 0.9, seconds * 1.1
        return {"seconds": seconds, "low": low, "high": high, "processor": seconds, "memory": 1 << 20, "printed": 0}

    row = {"id": name, "title": f"work {name}", "aim": aim, "metric": "seconds", "amount": 1, "unit": "run", "note": ""}
    sides = {"wpm": figures(ours), "wasmer-sdk": figures(theirs)}
    return {**row, "missing": "", "sides": sides, "ratio": ours / theirs, "met": ours / theirs <= aim, **more}


def test_the_page_has_every_work_and_explains_what_is_missed() -> None:
    machine = {
        "rounds": 3,
        "when": "2026-01-01",
        "processor": "p",
        "cores": 4,
        "system": "s",
        "python": "3",
        "peer": "w",
    }
    works = {
        "B1": entry("B1", 1.0, 2.0, 0.9),
        "B6.a": entry("B6.a", 3.0, 2.0, 1.0, note="with a note"),
        "B9": {**entry("B9", 1.0, 1.0, 1.0), "missing": "no a|b here", "sides": {}, "ratio": None, "met": None},
    }
    limit = {"seconds": 0.5, "low": 0.5, "high": 0.5, "processor": 0.5, "memory": 0, "printed": 0}
    works["B1"]["sides"]["cat"] = limit  # type: ignore[index]
    results = {"machine": machine, "works": works}
    curve = {
        "id": "x",
        "title": "x",
        "of": "files",
        "unit": "seconds",
        "points": {"1": 1.0, "10": 100.0},
        "exponent": 2.0,
    }
    text = report.page({"results": results, "growth": {"x": curve}}, {"B6": {"text": "It enters Python."}})
    assert "1 of 2 aims are met" in text
    assert "| B1 | work B1 | 1.00 s (900 ms to 1.10 s) | 2.00 s (1.80 s to 2.20 s) | 0.50 | 0.9 | met |" in text
    assert "| 1.50 | 1.0 | **missed** |" in text
    assert "| B9 | work B9 | left out: no a\\|b here | | | 1.0 | |" in text
    assert "| B1 | work B1 | 1.00 s | cat | 500 ms | 2.00 |" in text
    assert "### B6: host calls\n\nMissed. It enters Python." in text
    assert "- B6.a: with a note." in text
    assert "Worse than linear: x." in text
    assert [name for name, _ in report.missed(results)] == ["B6.a"]
    assert report.explanation({}, "B6.a") is None


def test_the_page_in_the_documents_is_the_one_that_was_measured() -> None:
    found = {
        name: json.loads((BENCH / f"{name}.json").read_text())
        for name in report.NAMES
        if (BENCH / f"{name}.json").is_file()
    }
    explanations = tomllib.loads((BENCH / "explanations.toml").read_text())
    page = report.page(found, explanations)
    assert (ROOT / "docs" / "performance.md").read_text() == page, "python bench/report.py writes it anew"
    assert all(report.explanation(explanations, name) for name, _ in report.missed(found["results"]))
