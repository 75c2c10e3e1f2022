"""Documents whose examples are run: what a console block shows must be what the commands print.

The blocks of a document run in order, in one shell that starts in an empty directory. A `toml` block whose first line is
`# PATH` is that file; a `python` block is run, and prints what its comments at the start of a line say. In what a console
block shows `...` stands for anything.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
_SHIM = f"""#!/bin/sh
exec "{sys.executable}" -m pkgmgr.cli.main "$@"
"""
_MARK = "\x1e"


class Block(NamedTuple):
    """A fenced block of a document."""

    language: str
    text: str
    line: int


def blocks(document: str) -> Iterator[Block]:
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", document, re.MULTILINE | re.DOTALL):
        yield Block(match[1], match[2], document.count("\n", 0, match.start()) + 1)


def typed_lines(text: str) -> list[tuple[str, str]]:
    """The command lines of a console block, each with what it shows; a line that ends in a backslash goes on."""
    parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == "", parts[0]
    return list(zip(parts[1::2], parts[2::2], strict=True))


def fits(shown: str, written: str) -> bool:
    pattern = ".*?".join(re.escape(part) for part in shown.split("..."))
    return re.fullmatch(pattern, written, re.DOTALL) is not None


class Shell:
    """A shell that is given one line after another, so that `cd`, variables and background jobs last."""

    def __init__(self, home: Path, variables: dict[str, str] | None = None) -> None:
        """Start in `home/here`; `wpm` is the checkout's, with a store and a configuration of its own."""
        shim = home / "bin" / "wpm"
        shim.parent.mkdir()
        shim.write_text(_SHIM)
        shim.chmod(0o755)
        self.directory = home / "here"
        self.directory.mkdir()
        ours = ("WPM_REGISTRY", "WPM_TOKEN", "PYTHONDONTWRITEBYTECODE", "ENV")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ours},
            "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "WPM_CACHE_DIR": str(home / "store"),
            "WPM_CONFIG_DIR": str(home / "config"),
            "WPM_BIN_DIR": str(home / "bin"),
            **(variables or {}),
        }
        self._process = subprocess.Popen(
            ["sh"],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def __call__(self, line: str) -> str:
        """What one line prints, errors included."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # The line's own standard input is empty: it must not eat the lines after it.
        self._process.stdin.write(f"{{ {line}\n}} < /dev/null\nprintf '{_MARK}\\n'\n")
        self._process.stdin.flush()
        written = ""
        while not written.endswith(f"{_MARK}\n"):
            piece = self._process.stdout.readline()
            assert piece, f"the shell ended: {line}\n{written}"
            written += piece
        return written.removesuffix(f"{_MARK}\n")

    def python(self, program: str) -> str:
        where = self("pwd").strip()
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=where,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
        )
        return done.stdout

    def close(self) -> None:
        """End it and what it started in the background."""
        import signal

        assert self._process.stdin is not None
        self._process.stdin.close()
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(10)


def check(document: str, shell: Shell, name: str) -> int:
    """Run a document; the number of examples that were run. Every one that is not true is told."""
    ran = 0
    wrong: list[str] = []
    for block in blocks(document):
        if block.language == "toml" and (named := re.match(r"# (\S+)\n", block.text)):
            path = Path(shell("pwd").strip(), named[1])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language == "python":
            written = shell.python(block.text)
            shown = "".join(f"{line[2:]}\n" for line in block.text.splitlines() if line.startswith("# "))
            ran += 1
            if not fits(shown, written):
                wrong.append(f"{name}:{block.line}: prints\n{written}")
        elif block.language == "console":
            for line, shown in typed_lines(block.text):
                written = shell(line)
                ran += 1
                if not fits(shown, written):
                    wrong.append(f"{name}:{block.line}: $ {line}\n{written}")
    assert not wrong, "\n".join(wrong)
    return ran
