"""The embedded registry: small packages that `wpm` carries, laid out as a directory registry. Internal."""

from pathlib import Path

ROOT = Path(__file__).parent
"""The directory registry: packages are `packages/NAMESPACE/NAME/VERSION.webc` below it."""
