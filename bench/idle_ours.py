"""Has many guests wait for input in one sandbox of this repository's library: `python bench/idle_ours.py PACKAGE COUNT`.

Prints how many answered, in how many seconds after the first began, and by how many bytes the process grew with them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from resident import resident

from pkgmgr import Sandbox


def main(package: str, count: str) -> None:
    """Start them, hear of each, end them."""
    with Sandbox([Path(package)], processes=2 * int(count), threads=2 * int(count)) as sandbox:
        sandbox.run("cat")
        before, begin = resident(), time.perf_counter()
        guests = [sandbox.spawn("cat") for _ in range(int(count))]
        answers = []
        for guest in guests:
            assert guest.stdin is not None and guest.stdout is not None
            guest.stdin.write(b"here\n")
            answers.append(guest.stdout.readline())
        grown, seconds = resident() - before, time.perf_counter() - begin
        for guest in guests:
            assert guest.stdin is not None
            guest.stdin.close()
        codes = [guest.wait().exit_code for guest in guests]
    assert answers == [b"here\n"] * len(guests) and not any(codes)
    print(f"{len(guests)} alive\n{seconds}\n{max(grown, 0)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
