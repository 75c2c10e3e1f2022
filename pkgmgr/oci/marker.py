"""The file by which an OCI image layout is known (image-spec, image-layout.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

LAYOUT_FILE: Final = "oci-layout"


def is_layout(folder: Path) -> bool:
    """Whether a folder is an image layout, as far as the marker in it says."""
    return (folder / LAYOUT_FILE).is_file()
