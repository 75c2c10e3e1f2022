"""Documents whose examples are run: what a console block shows must be what the commands print.

The blocks of a document run in order, in one shell that starts in an empty directory. A block with a title, and a `toml`
block whose first line is `# PATH`, is that file; a `python` block without one is run, and prints what its comments at the
start of a line say. In what a console block shows `...` stands for anything. A block behind `<!-- not run: REASON -->` is
left alone, one behind `<!-- needs: PROGRAM -->` where there is no such program. Where a document names a port of the
loopback, another one that is free takes its place.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
_WPM = f"""#!/bin/sh
exec "{sys.executable}" -m pkgmgr.cli.main "$@"
"""
_PYTHON = f"""#!/bin/sh
exec "{sys.executable}" "$@"
"""
_MARK = "\x1e"
_FENCED = re.compile(
    r"(?:^<!-- (not run|needs): ([^\n]+?) -->\n+)?^```(\w*)(?: title=\"([^\"\n]+)\")?\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_BACKGROUND = re.compile(r"> (\S+) 2>&1 &$")
_SOON = 20.0
"""Seconds after which what was started in the background has said something."""


class Block(NamedTuple):
    """A fenced block of a document."""

    language: str
    text: str
    line: int
    title: str = ""
    not_run: str = ""
    needs: str = ""

    @property
    def path(self) -> str:
        """The file that the block is, or nothing."""
        named = re.match(r"# (\S+)\n", self.text) if self.language == "toml" else None
        return self.title or (named[1] if named else "")


def blocks(document: str) -> Iterator[Block]:
    found = [
        Block(
            language=match[3],
            text=match[5],
            line=document.count("\n", 0, match.start(3)) + 1,
            title=match[4] or "",
            not_run=match[2] if match[1] == "not run" else "",
            needs=match[2] if match[1] == "needs" else "",
        )
        for match in _FENCED.finditer(document)
    ]
    assert 2 * len(found) == len(re.findall(r"^ *```", document, re.MULTILINE)), "a block that nobody would run"
    yield from found


def typed_lines(text: str) -> list[tuple[str, str]]:
    """The command lines of a console block, each with what it shows; a line that ends in a backslash goes on."""
    parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == "", parts[0]
    return list(zip(parts[1::2], parts[2::2], strict=True))


def fits(shown: str, written: str) -> bool:
    pattern = ".*?".join(re.escape(part) for part in shown.split("..."))
    return re.fullmatch(pattern, written, re.DOTALL) is not None


def on_free_ports(document: str) -> str:
    """The document with a free port in the place of each that it names."""
    for port in sorted(set(re.findall(r"(?:127\.0\.0\.1:|localhost:|--port )(\d{4})\b", document))):
        document = re.sub(rf"\b{port}\b", str(free_port()), document)
    return document


def free_port() -> int:
    """A free port with as many digits as the documents', so that columns stay; no system gives such a one to others."""
    for port in random.sample(range(2000, 9999), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


class Shell:
    """A shell that is given one line after another, so that `cd`, variables and background jobs last."""

    def __init__(self, home: Path, variables: dict[str, str] | None = None) -> None:
        """Start in `home/here`; `wpm` is the checkout's, with a store and a configuration of its own."""
        programs = home / "bin"
        programs.mkdir()
        for name, script in (("wpm", _WPM), ("python", _PYTHON), ("python3", _PYTHON)):
            (programs / name).write_text(script)
            (programs / name).chmod(0o755)
        self.directory = home / "here"
        self.directory.mkdir()
        ours = ("WPM_REGISTRY", "WPM_TOKEN", "PYTHONDONTWRITEBYTECODE", "ENV", "SOURCE_DATE_EPOCH")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ours},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "NO_PROXY": "*",
            "no_proxy": "*",
            "WPM_CACHE_DIR": str(home / "store"),
            "WPM_CONFIG_DIR": str(home / "config"),
            "WPM_BIN_DIR": str(programs),
            "XDG_DATA_HOME": str(home / "data"),
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
        """What one line prints, errors included; what it starts in the background has said its first words then."""
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
        if log := _BACKGROUND.search(line):
            self._wait_for_words(log[1])
        return written.removesuffix(f"{_MARK}\n")

    def _wait_for_words(self, log: str) -> None:
        deadline = time.monotonic() + _SOON
        # The job may not have run so far that its log is there.
        while not (said := self(f"cat {log} 2> /dev/null")):
            assert time.monotonic() < deadline, f"{log}: nothing begins"
            time.sleep(0.05)
        assert not said.startswith("wpm:"), said

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
        if block.not_run or (block.needs and shutil.which(block.needs) is None):
            continue
        if block.path:
            path = Path(shell("pwd").strip(), block.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "toml":
            tomllib.loads(block.text)
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
