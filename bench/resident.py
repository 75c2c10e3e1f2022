"""How much memory this process has."""

import resource
import sys


def resident() -> int:
    """Bytes of resident memory; where the system does not tell, what it was at its peak."""
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
