"""Opens a package file with this repository's library and prints its commands: `python bench/list_ours.py PACKAGE`."""

import sys
from pathlib import Path

from pkgmgr import Package

print(*Package.load(Path(sys.argv[1])).commands)
