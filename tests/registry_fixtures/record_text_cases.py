"""Write `cases/text.json` anew: what the GNU tools of this host answer to the lines of `cases/text_commands.txt`.

Run it as a script on a host with GNU coreutils 9 and GNU grep 3.8 or newer; the tests only read what it wrote.
"""

import json
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"


def record(command: str, files: dict[str, str], stdin: str, environment: dict[str, str]) -> dict[str, Any]:
    """Run one command line in a folder of the files that it names, and say what came of it."""
    arguments = shlex.split(command)
    files = {name: text for name, text in files.items() if any(name in argument for argument in arguments)}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        done = subprocess.run(
            arguments,
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            cwd=folder,
            env={"LC_ALL": "C"} | environment,
            executable=f"/usr/bin/{arguments[0]}",
            check=False,
            timeout=10,
        )
        written = {
            path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8", "surrogateescape")
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file() and path.relative_to(folder).as_posix() not in files
        }
    case: dict[str, Any] = {"args": arguments}
    if stdin:
        case["stdin"] = stdin
    if files:
        case["files"] = files
    if environment:
        case["env"] = environment
    case["stdout"] = done.stdout.decode("utf-8", "surrogateescape")
    case["stderr"] = done.stderr.decode("utf-8", "surrogateescape")
    case["exit"] = done.returncode
    if written:
        case["written"] = written
    return case


def main() -> None:
    """Record every command line."""
    files = json.loads((CASES / "text_files.json").read_text("utf-8"))
    cases, settings = [], {}
    for line in (CASES / "text_commands.txt").read_text("utf-8").splitlines():
        if line.startswith("@"):
            settings = json.loads(line[1:])
        elif line and not line.startswith("#"):
            cases.append(record(line, files, settings.get("stdin", ""), settings.get("env", {})))
    (CASES / "text.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
