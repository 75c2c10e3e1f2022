"""What people type who know other tools, and what it is called here."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ELSEWHERE: Final = {
    "activate": "env activate",
    "audit": "verify",
    "check": "verify",
    "ci": "install --locked",
    "clean": "cache clean",
    "create": "init",
    "del": "remove",
    "develop": "shell",
    "dlx": "exec",
    "download": "install",
    "execute": "exec",
    "export": "env export",
    "fetch": "install",
    "find": "search",
    "get": "add",
    "i": "install",
    "import": "env import",
    "info": "show",
    "inst": "install",
    "ls": "list",
    "new": "init",
    "image": "rootfs",
    "images": "rootfs",
    "npx": "exec",
    "oci": "rootfs",
    "pack": "build",
    "package": "build",
    "pull": "rootfs pull",
    "push": "publish or rootfs push",
    "rm": "remove",
    "sh": "shell",
    "serve": "registry serve",
    "start": "run",
    "sync": "install",
    "uninstall": "remove",
    "un": "remove",
    "up": "update",
    "upgrade": "update",
    "view": "show",
    "why": "tree --why",
    "x": "exec",
    "yank": "registry yank",
}
"""The verbs of npm, pnpm, cargo, uv, pip, docker and wasmer that have another name here."""


def verb_meant(word: str, verbs: Sequence[str]) -> str:
    """The verb that somebody may have meant; empty where nothing is like it."""
    return _ELSEWHERE.get(word.lower()) or next(iter(get_close_matches(word, verbs, 1)), "")
