"""Platforms: for what an image says that it is, and which image of an index is wanted.

Source: https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions
"""

from __future__ import annotations

import platform as machine
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkgmgr.oci.descriptors import Descriptor

_WASM: Final = ("wasi", "wasip1", "wasip2", "wasm", "wasmer", "browser")
"""The operating systems that images of WebAssembly name, the most wanted first."""
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PART: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_UNKNOWN: Final = "unknown"
_MOST: Final = 100


class Platform(NamedTuple):
    """For what an image is: an operating system, a processor, and which of its kind where that matters."""

    system: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def parse_platform(text: str) -> Platform:
    """A platform as it is typed, `OS/ARCH` or `OS/ARCH/VARIANT`; the processors' other names are those of Go then.

    Raises:
        WpmError: It is none.
    """
    parts = text.strip().lower().split("/")
    if len(parts) not in (2, 3) or not all(_PART.fullmatch(part) for part in parts):
        raise WpmError(
            f"{one_line(text, 100)!r}: no platform: write OS/ARCH, as wasi/wasm or linux/amd64, or OS/ARCH/VARIANT"
        )
    return Platform(parts[0], _MACHINES.get(parts[1], parts[1]), *parts[2:])


def parse_platforms(texts: Iterable[str]) -> tuple[Platform, ...]:
    """Platforms as they are typed, each text one or several with commas between them; what is there twice counts once.

    Raises:
        WpmError: One is none, or there are too many.
    """
    found = tuple(dict.fromkeys(parse_platform(each) for text in texts for each in text.split(",")))
    if len(found) > _MOST:
        raise WpmError(f"{len(found)} platforms: no image is for more than {_MOST}")
    return found


def choose_platform(descriptors: Sequence[Descriptor], platform: str | None, *, native: bool) -> Descriptor:
    """The manifest of an index that is wanted.

    Args:
        descriptors: What the index names.
        platform: What somebody asks for, `OS/ARCH`; None takes WebAssembly, else the only one there is.
        native: Whether then to take what this machine would run, where WebAssembly is not there.

    Raises:
        WpmError: There is none, or it is not clear which.
    """
    usable = [each for each in descriptors if not each.platform.startswith(f"{_UNKNOWN}/")]
    if platform is not None:
        wanted = str(parse_platform(platform))
        for each in usable:
            if f"{each.platform.lower()}/".startswith(f"{wanted}/"):
                return each
        raise WpmError(f"there is nothing for {wanted!r}: {_there_are(usable)}")
    for system in _WASM:
        for each in usable:
            if each.platform.startswith(f"{system}/"):
                return each
    for each in usable:
        if each.platform.partition("/")[2].startswith("wasm"):
            return each
    if native:
        ours = f"linux/{_MACHINES.get(machine.machine().lower(), machine.machine().lower())}"
        for each in usable:
            if f"{each.platform}/".startswith(f"{ours}/"):
                return each
    if len(usable) == 1:
        return usable[0]
    raise WpmError(f"there is nothing for WebAssembly: {_there_are(usable)}; choose one by its digest or --platform")


def _there_are(descriptors: Sequence[Descriptor]) -> str:
    names = sorted({each.platform or each.digest[:19] for each in descriptors})
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"there is {', '.join(names[:10])}{more}" if names else "it is empty"
