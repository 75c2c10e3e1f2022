"""Opening images, whatever form they have: a directory, an archive, a package, an OCI layout, a registry's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.notices import notice
from pkgmgr.oci.marker import is_layout
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.rootfs.image import RootfsImage
    from pkgmgr.store import Store

OCI: Final = "oci://"

_WEBC: Final = b"\0webc"
_WASM: Final = b"\0asm"


def open_image(
    place: str | Path,
    *,
    store: Store | None = None,
    install: InstallOptions | None = None,
    warn: Callable[[str], object] | None = None,
    platform: str | None = None,
) -> RootfsImage:
    """Open an image.

    Args:
        place: A directory (a root filesystem, or an OCI layout, of which `PATH:TAG` chooses one image), a tar, compressed or
            not, a `.webc`, or `oci://HOST/NAME:TAG` of a registry.
        store: Where what is fetched or unpacked goes; None is the user's store.
        install: The registry for packages that a package needs, and whether the network may be used.
        warn: Told in one line of each thing that is left out; None is a notice.
        platform: Of an image for several platforms the one that is wanted, `OS/ARCH`; None takes WebAssembly first.

    Raises:
        WpmError: There is no such image, or it is damaged or not allowed.
        FactoryError: A package is wrong.
    """
    text = str(place)
    if store is None:
        from pkgmgr.store import Store

        store = Store.default()
    if install is None:
        from pkgmgr.installing.options import InstallOptions

        install = InstallOptions()
    if isinstance(place, str) and text.startswith(OCI):
        from pkgmgr.oci.pull import pull_image

        return pull_image(text, store, platform=platform, offline=install.offline)
    path, tag = Path(text), None
    if isinstance(place, str) and not path.exists() and (before := layout_and_tag(text)) is not None:
        path, tag = before
    if path.is_dir():
        if tag is not None or is_layout(path):
            from pkgmgr.rootfs.read_oci import read_oci

            return read_oci(path, tag, store, platform)
        from pkgmgr.rootfs.read_directory import read_directory

        return read_directory(path, warn or (lambda warning: notice(f"warning: {warning}")))
    if not path.is_file():
        what = "neither a file nor a directory" if path.exists() else "there is no such file or directory"
        raise WpmError(f"{one_line(text)}: {what}: an image is a directory, a tar, a .webc, or oci://HOST/NAME:TAG")
    head = _head(path)
    if head.startswith(_WEBC):
        from pkgmgr.rootfs.read_webc import read_webc

        return read_webc(path, store, install)
    if head.startswith(_WASM):
        raise WpmError(f"{path}: a module, not an image: run it with wpm run")
    from pkgmgr.rootfs.read_tar import read_tar

    return read_tar(path, store)


def layout_and_tag(text: str) -> tuple[Path, str] | None:
    """The layout and the name of an image in it; None where there is no such layout."""
    # Names of images may have colons in them, and so may paths.
    for colon in (number for number, each in enumerate(text) if each == ":"):
        before, tag = text[:colon], text[colon + 1 :]
        if before and tag and is_layout(Path(before)):
            return Path(before), tag
    return None


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8)
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
