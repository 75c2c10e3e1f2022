"""Records what the host's own dash and coreutils print for the scripts of `shell_lines.json`.

python tests/runtime/processes/record_shell_lines.py
"""

import json
import shutil
import subprocess
from pathlib import Path

TABLE = Path(__file__).with_name("shell_lines.json")
WORK = Path("/tmp/t")


def record(script: str) -> dict[str, object]:
    """What the host makes of a script that starts in an empty directory."""
    WORK.mkdir()
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    try:
        ended = subprocess.run(["dash", "-c", f"cd {WORK}; {script}"], capture_output=True, timeout=60, env=environment)
    finally:
        shutil.rmtree(WORK)
    code = ended.returncode if ended.returncode >= 0 else 128 - ended.returncode
    return {"script": script, "exit": code, "stdout": ended.stdout.decode()}


if __name__ == "__main__":
    scripts = [line["script"] for line in json.loads(TABLE.read_text())]
    TABLE.write_text(json.dumps([record(script) for script in scripts], indent=1) + "\n")
    print(f"{len(scripts)} scripts")
