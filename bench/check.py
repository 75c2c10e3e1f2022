"""Nothing got slower unseen: this code beside an older commit of it, on the same small works, in turn, in one run.

    python bench/check.py [--baseline COMMIT] [--only B6] [--rounds N]

What is compared is the ratio of two rounds done one after the other, so that neither the machine nor what else it
does matters much; of a work, the median of its ratios. One above 1.10 is measured again with five times the rounds,
and is a failure if it stays there. `bench/baseline` names the commit; who means to make something slower writes a
newer one there, and says why.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from works.process_works import hello
from works.setting import ROOT, Setting
from works.warm_works import SMALL_WORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from measure import Side

HERE: Final = Path(__file__).parent
MOST: Final = 1.10
"""What the ratio, ours to the baseline's, may be."""
AGAIN: Final = 5
"""How many times the rounds the second measurement has."""

Makers = tuple["Callable[[], Side]", "Callable[[], Side]"]


class Verdict(NamedTuple):
    """What came out for one work: the median ratios of the first measurement and of the second, if there was one."""

    name: str
    first: float
    second: float | None = None

    @property
    def slower(self) -> bool:
        """Whether it got slower: both measurements say so."""
        return self.first > MOST and self.second is not None and self.second > MOST

    def line(self) -> str:
        """For people."""
        again = "" if self.second is None else f", again {self.second:.3f}"
        return f"{self.name:<20} {self.first:.3f}{again}{'  SLOWER' if self.slower else ''}"


def main() -> int:
    """Compare; fails where something got slower."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--baseline", metavar="COMMIT", help="what to compare with (default: what bench/baseline says)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each side does each work (default 7)")
    parser.add_argument("--only", metavar="ID,ID", help="works by their ids or beginnings of ids")
    arguments = parser.parse_args()
    commit = arguments.baseline or (HERE / "baseline").read_text().strip()
    only = tuple(arguments.only.split(",")) if arguments.only else ("",)
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="wpm-bench-") as name:
        folder = Path(name)
        with worktree(commit, folder / "baseline") as older:
            settings = []
            for side, code in (("ours", ROOT), ("theirs", older)):
                (folder / side).mkdir()
                settings.append(Setting(folder / side, None, code))
            for work, makers in works(*settings):
                if work.startswith(only):
                    verdicts.append(judged(work, makers, arguments.rounds))
                    print(verdicts[-1].line(), flush=True)
    slower = [verdict.name for verdict in verdicts if verdict.slower]
    print(f"slower than {commit[:10]}: {', '.join(slower)}" if slower else f"nothing is slower than {commit[:10]}")
    return 1 if slower else 0


@contextmanager
def worktree(commit: str, folder: Path) -> Iterator[Path]:
    """The repository as it was at a commit.

    Raises:
        SystemExit: There is no such commit here.
    """
    git = ["git", "-C", str(ROOT)]
    added = subprocess.run(
        [*git, "worktree", "add", "--quiet", "--detach", str(folder), commit],
        capture_output=True,
        text=True,
        check=False,
    )
    if added.returncode:
        raise SystemExit(f"no worktree of the commit {commit}: {added.stderr.strip()}: is the clone a shallow one?")
    try:
        yield folder
    finally:
        subprocess.run([*git, "worktree", "remove", "--force", str(folder)], check=False)


def works(ours: Setting, theirs: Setting) -> Iterator[tuple[str, Makers]]:
    """What is compared, each with what makes its two sides."""
    yield "B1", (hello(ours), hello(theirs))
    for name, work in SMALL_WORKS.items():
        places, missing = ours.places(*work.packages, *([work.file] if work.file else []))
        if not missing:
            mine, other = (setting.our_server("serve_ours.py", name, places) for setting in (ours, theirs))
            yield name.removeprefix("small."), (mine, other)


def judged(name: str, makers: Makers, rounds: int) -> Verdict:
    """Measure a work, and once more where it seems to be slower."""
    first = median_ratio(pairs(makers, rounds))
    return Verdict(name, first, median_ratio(pairs(makers, rounds * AGAIN)) if first > MOST else None)


def pairs(makers: Makers, rounds: int) -> list[tuple[float, float]]:
    """Seconds of both sides, round by round, after two that do not count."""
    ours, theirs = (make() for make in makers)
    try:
        taken = []
        for number in range(rounds + 2):
            # Who comes first changes.
            if number % 2:
                mine, other = ours.once().seconds, theirs.once().seconds
            else:
                other, mine = theirs.once().seconds, ours.once().seconds
            taken.append((mine, other))
        return taken[2:]
    finally:
        ours.close()
        theirs.close()


def median_ratio(taken: Sequence[tuple[float, float]]) -> float:
    """The median of the ratios of rounds that were done one after the other."""
    return statistics.median(mine / other for mine, other in taken)


if __name__ == "__main__":
    sys.exit(main())
