"""Write `cases/sh.json` anew: what this host's dash answers to the scripts of `cases/sh_scripts.txt`.

Run it as a script on a host with dash 0.5.12 and GNU coreutils 9; the tests only read what it wrote.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "HOME": "/home"}


def record(script: str) -> dict[str, Any]:
    """Run one script in an empty folder, and say what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["sh", "-c", script],
            executable="/usr/bin/dash",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder,
            env=ENVIRONMENT,
            check=False,
            timeout=30,
        )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    output, errors = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    return {"script": script, "stdout": output, "stderr": errors, "exit": status}


def main() -> None:
    """Record every script."""
    _, *scripts = (CASES / "sh_scripts.txt").read_text("utf-8").split("\n%%\n")
    cases = [record(script.strip("\n")) for script in scripts]
    (CASES / "sh.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
