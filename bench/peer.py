"""The official Python SDK of Wasmer, in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

SDK: Final = "wasmer-sdk==0.5.0"


def peer_python(folder: Path) -> Path:
    """The Python that has the SDK; the environment is made where it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([str(python), "-c", "import wasmer_sdk"], capture_output=True, check=False).returncode:
        subprocess.run([*pip, SDK], check=True)
    return python
