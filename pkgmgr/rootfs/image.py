"""An image: layers, lowest first, and how it wants to be run."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.rootfs.layer import Layer


class ImageConfig(NamedTuple):
    """How an image wants to be run: what the OCI image configuration calls `config`.

    Attributes:
        env: Variables.
        entrypoint: What runs, its path first.
        command: The arguments behind it, which whoever runs the image may replace.
        cwd: The working directory, an absolute path; empty for `/`.
        user: Who runs it, as `UID`, `UID:GID` or a name.
        labels: Names with texts, for people and programs.
    """

    env: Mapping[str, str] = MappingProxyType({})
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    cwd: str = ""
    user: str = ""
    labels: Mapping[str, str] = MappingProxyType({})


class RootfsImage(NamedTuple):
    """A root filesystem and how it wants to be run.

    Attributes:
        layers: Its layers, the lowest first.
        config: How it wants to be run.
        created: When it counts as made, in seconds since the epoch: `SOURCE_DATE_EPOCH`, else 0.
    """

    layers: tuple[Layer, ...]
    config: ImageConfig = ImageConfig()
    created: int = 0
