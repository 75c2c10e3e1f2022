"""The works of `warm_works`, each side a process that lives through all rounds; and what bounds them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from works.rows import OURS, THEIRS, Row, Work
from works.setting import Setting, present
from works.warm_works import BULK, WARM_WORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from measure import Side

    from works.warm_works import WarmWork

WASMTIME = "wasmtime's own WASI"


def server_works(setting: Setting) -> Iterator[Work]:
    """All of them."""
    for name, work in WARM_WORKS.items():
        row = Row(name, work.title, work.aim, "seconds", work.amount, work.unit, work.note)
        places, missing = setting.places(*work.packages, *([work.file] if work.file else []))
        if missing:
            yield Work((row,), {}, missing=missing)
            continue
        sides = {
            OURS: setting.our_server("serve_ours.py", name, places),
            THEIRS: setting.peer_server("serve_peer.py", name, places),
        }
        if work.limit is not None:
            sides[work.limit] = _limit(setting, name, work)
        yield Work((row,), present(sides), warm_up=2)


def _limit(setting: Setting, name: str, work: WarmWork) -> Callable[[], Side] | None:
    """What nobody can be faster than; None where the host cannot do it."""
    if work.limit == WASMTIME:
        places, missing = setting.places("python_module" if name == "B9.python" else "numbers")
        return None if missing else setting.our_server("serve_wasmtime.py", name, places)
    match name:
        case "B7.pipe":
            # `wc` counts bytes as it reads, as the guest's does.
            return setting.process(str(BULK).encode(), ["sh", "-c", f"head -c {BULK} /dev/zero | wc -c"])
        case "B7.volume":
            places, _ = setting.places("bulk")
            return setting.process(b"", ["sh", "-c", f'cat "{places["bulk"]}" > /dev/null'])
        case "B7.tmp" if shutil.which("dd"):
            target = "/dev/shm/wpm-bench-zeros"
            script = f"dd if=/dev/zero of={target} bs=64k count={BULK >> 16} status=none && rm {target}"
            return setting.process(b"", ["sh", "-c", script]) if _fits("/dev/shm") else None
        case _:
            return None


def _fits(folder: str) -> bool:
    try:
        return shutil.disk_usage(folder).free > 2 * BULK
    except OSError:
        return False
