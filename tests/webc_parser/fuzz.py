"""Mutates containers of all three versions and looks at everything in them: a result or a `WebcError`, nothing else.

Run `python -m tests.webc_parser.fuzz --count 100000 --seed 1`. It prints how the cases ended, the slowest case and the
peak memory, and exits 1 when a case ended in another exception (whose bytes it keeps in a file, to be run again).
"""

import argparse
import os
import random
import resource
import struct
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from webc_samples import samples

from webc_parser import Container, VolumeDirectory, VolumeFile, VolumeSymlink, WebcError

REPOSITORY = Path(__file__).parents[2]
NUMBERS = (
    0,
    1,
    7,
    8,
    9,
    23,
    30,
    31,
    32,
    255,
    1 << 16,
    1 << 31,
    (1 << 32) - 1,
    1 << 56,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)
CBOR_BYTES = b"\x00\x17\x18\x19\x1a\x1b\x1f\x40\x5b\x5f\x60\x7b\x7f\x80\x9b\x9f\xa0\xbb\xbf\xc0\xdb\xf4\xf6\xf8\xfb\xff"


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One to four changes, most of them near the front and the ends of parts, where the structure is."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        size = len(changed)
        if not size:
            break
        at = rng.randrange(min(size, 2048)) if rng.random() < 0.5 else rng.randrange(size)
        match rng.randrange(10):
            case 0 | 1:
                changed[at] ^= 1 << rng.randrange(8)
            case 2:
                changed[at] = rng.choice(CBOR_BYTES)
            case 3 | 4:
                near = rng.choice((*NUMBERS, size, size - at, size - at - 8, at, rng.randrange(size)))
                changed[at : at + 8] = struct.pack("<Q", near & ((1 << 64) - 1))
            case 5:
                del changed[at:]
            case 6:
                del changed[at : at + rng.choice((1, 2, 8, 32, 100))]
            case 7:
                changed[at:at] = rng.choice((b"\0", b"\xff" * 8, b"/", b"..", bytes(100), rng.randbytes(16)))
            case 8:
                length, source = rng.choice((1, 8, 24, 64)), rng.randrange(size)
                changed[at : at + length] = changed[source : source + length]
            case 9:
                changed[at : at + rng.choice((1, 4, 16))] = b"\x80" * rng.choice((1, 9, 12))
    return bytes(changed)


def look_at_everything(data: bytes, on_disk: Path | None = None) -> int:
    """Open, walk, read and verify a container; the number of entries seen."""
    container = Container.open(on_disk) if on_disk else Container.from_bytes(data)
    with container:
        seen = sum(len(atom) >= 0 for atom in container.atoms.values())
        for command in container.manifest.commands.values():
            seen += len(command.runner_kind) >= 0
            _ = command.atom, command.main_args, command.env, command.exec_name, command.cwd
        for volume in container.volumes.values():
            for path, node in volume.walk():
                seen += 1
                names = path.split("/")
                assert names[0] == "" and not {"", ".", ".."} & set(names[1:]) and "\0" not in path, path
                match node:
                    case VolumeFile():
                        assert len(node.content) == node.size
                    case VolumeSymlink():
                        assert node.target
                    case VolumeDirectory():
                        assert list(node.entries) == sorted(node.entries)
        container.verify()
        return seen


def reason(error: WebcError) -> str:
    """The error without what varies, to count the kinds of."""
    words = [
        word for word in str(error).split(" (at byte")[0].split() if not any(c.isdigit() or c in "'\"/" for c in word)
    ]
    return " ".join(words)[:70]


def real_files() -> dict[str, bytes]:
    folder = Path(os.environ.get("WPM_CONFORMANCE", REPOSITORY.parent / "shared" / "conformance")) / "webc"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.webc"))} if folder.is_dir() else {}


def peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failure.webc"), help="where a failing case goes")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    bases = {**samples(), **real_files()}
    for name, data in bases.items():
        print(f"base {name}: {len(data)} bytes, {look_at_everything(data)} entries")
    names = list(bases)
    weights = [1 if len(bases[name]) < 1 << 20 else 0.02 for name in names]
    at_start = peak_memory()
    results, errors, slowest = Counter[str](), Counter[str](), (0.0, "", 0)
    started = time.perf_counter()
    for case in range(options.count):
        (name,) = rng.choices(names, weights)
        data = mutate(bases[name], rng)
        before = time.perf_counter()
        try:
            look_at_everything(data)
            results[f"{name}: whole"] += 1
        except WebcError as error:
            assert "\n" not in str(error), error
            results[f"{name}: WebcError"] += 1
            errors[reason(error)] += 1
        except Exception:
            options.keep.write_bytes(data)
            print(f"case {case} of {name} is kept in {options.keep}", file=sys.stderr)
            raise
        slowest = max(slowest, (time.perf_counter() - before, name, case))
    for what, count in sorted(results.items()):
        print(f"{count:8} {what}")
    for what, count in errors.most_common(60):
        print(f"{count:8}   {what}")
    took = time.perf_counter() - started
    print(f"{options.count} cases in {took:.1f} s; slowest {slowest[0] * 1000:.1f} ms ({slowest[1]})")
    print(f"peak memory {peak_memory() / 1e6:.1f} MB, of which {at_start / 1e6:.1f} MB before the first case")
    return 0


if __name__ == "__main__":
    sys.exit(main())
