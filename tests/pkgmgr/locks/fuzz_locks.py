"""Read damaged and random locks: every one must end in a lock or in the package manager's own error, in little time.

python tests/pkgmgr/locks/fuzz_locks.py --count 10000
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time

from binfactory.node import Mount
from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import LARGEST_FILE, LockedPackage, Lockfile, format_lock
from pkgmgr.locks.reader import parse_lock

PIECES = [
    b"[[package]]\n", b"[package]\n", b"[requirements]\n", b"[roots]\n", b"[package.dependencies]\n",
    b"version = 1\n", b"version = 2\n",
    b'name = "a/b"\n', b'name = "../x"\n', b'version = "1.0.0"\n', b'source = "embedded"\n',
    b'sha256 = "' + b"0" * 64 + b'"\n',
    b"size = 1\n", b"size = -1\n", b"size = 1e400\n", b"mounts = [", b"{ guest = ", b'"/../.."', b"]\n", b"}\n",
    b'"""', b"'", b"= ",
    b"nan", b"9" * 5000, b"\xff", b"\0", b"1979-05-27", b"a." * 2000, b"[" * 3000, b"{a=" * 3000, b"\xef\xbb\xbf", b"\r", b"#",
]  # fmt: skip


def sample() -> bytes:
    """A lock with everything in it."""
    data = LockedPackage("a/data", "1.0.0", "embedded", "1" * 64, 10, mounts=(Mount("/data", "/data", "/"),))
    tool = LockedPackage(
        "a/tool", "2.0.0-rc.1", "https://host/x.webc", "2" * 64, 20, {"d": data.id}, ("x", "y"), "x",
        (Mount("/d", "v", "/", "d"),),
    )  # fmt: skip
    return format_lock(Lockfile({"t": "^2.0.0-rc"}, {"t": tool.id}, {data.id: data, tool.id: tool})).encode()


def mutant(chance: random.Random, whole: bytes) -> bytes:
    """A damaged lock, or one that was put together from pieces."""
    if chance.random() < 0.3:
        return b"".join(chance.choices(PIECES, k=chance.randint(1, 12)))
    data = bytearray(whole)
    for _ in range(chance.randint(1, 5)):
        start = chance.randrange(len(data) + 1)
        piece = chance.choice([chance.randbytes(chance.randint(0, 4)), chance.choice(PIECES)])
        data[start : start + chance.choice([0, 1, 1, 2, 30])] = piece
    return bytes(data)


def huge() -> list[bytes]:
    """As large as a lock may be, and as deep."""
    return [
        b"x = " + b"[" * (LARGEST_FILE - 4),
        b"a" + b".a" * (LARGEST_FILE // 2 - 4) + b"=1",
        b"version = 1\n" + b"[[package]]\n" * (LARGEST_FILE // 12 - 2),
        b"version = 1\n[roots]\n" + b"".join(b"k%d=''\n" % number for number in range(300_000)),
        b"x = '" + b"y" * (LARGEST_FILE - 10) + b"'",
        b"#" * LARGEST_FILE,
    ]


def main(count: int, seed: int) -> None:
    """Read them all and say what came of it."""
    chance = random.Random(seed)
    whole = sample()
    assert format_lock(parse_lock(whole)).encode() == whole
    locks = errors = 0
    slowest = 0.0
    for number, data in enumerate([*huge(), *(mutant(chance, whole) for _ in range(count))]):
        began = time.monotonic()
        try:
            parse_lock(data)
            locks += 1
        except WpmError as error:
            errors += 1
            assert "\n" not in str(error), (number, str(error))
        slowest = max(slowest, time.monotonic() - began)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"{locks} locks, {errors} errors; slowest {slowest:.2f} s; peak {peak:.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    main(options.count, options.seed)
