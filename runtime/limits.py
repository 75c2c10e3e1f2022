"""What a guest may use at the most."""

from __future__ import annotations

from runtime.typed import NamedTuple

EXIT_TIMEOUT = 124
"""The exit code of a guest that ran longer than it may, as of `timeout(1)`."""

EXIT_TRAP = 134
"""The exit code of a guest that trapped: 128 + SIGABRT, as a shell tells of a crash."""

EXIT_THREAD_TRAP = 129
"""The exit code of a guest in which a thread other than the first trapped, as in the system we implement."""


class Limits(NamedTuple):
    """Limits of an environment; `None` is without limit.

    `memory` is bytes of linear memory for each process; `seconds` the time that a process and all it starts may run;
    `descriptors`, `processes` and `threads` (of all processes together) are counts. To end a thousand threads
    takes some 0.2 s on an idle machine, to end half of them as long on a busy one.
    """

    memory: int | None = None
    seconds: float | None = None
    descriptors: int = 65536
    processes: int = 1024
    threads: int = 512
