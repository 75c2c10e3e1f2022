"""Small packages and projects to resolve, lock and install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EMPTY_MODULE = b"\0asm\x01\0\0\0"


def write_package(
    path: Path,
    name: str | None = None,
    version: str | None = None,
    needs: Mapping[str, str] | None = None,
    commands: tuple[str, ...] = (),
    files: Mapping[str, bytes] | None = None,
    module: bytes = EMPTY_MODULE,
) -> Path:
    """Write a package; `needs` maps aliases to package sources."""
    path.parent.mkdir(parents=True, exist_ok=True)
    annotations: dict[str, object] = {}
    if name is not None:
        annotations["wapm"] = {"name": name, "version": version, "description": ""}
    volumes = {}
    if files is not None:
        volumes["/data"] = dict(files)
        annotations["fs"] = [{"from": None, "volume_name": "/data", "host_path": "/", "mount_path": "/data"}]
    manifest: dict[str, object] = {
        "package": annotations,
        "use": dict(needs or {}),
        "commands": {
            command: {
                "runner": "https://webc.org/runner/wasi",
                "annotations": {"atom": {"name": "module", "dependency": None}},
            }
            for command in commands
        },
    }
    if len(commands) == 1:
        manifest["entrypoint"] = commands[0]
    write_container(path, manifest=manifest, atoms={"module": module} if commands else {}, volumes=volumes)
    return path


class RegistryMaker:
    """A directory registry that grows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "packages").mkdir(parents=True)

    def add(
        self,
        name: str,
        version: str,
        needs: Mapping[str, str] | None = None,
        commands: tuple[str, ...] = (),
        files: Mapping[str, bytes] | None = None,
        module: bytes = EMPTY_MODULE,
    ) -> Path:
        """Add a version; `needs` maps package names to requirements."""
        path = self.root / "packages" / (name if "/" in name else f"_/{name}") / f"{version}.webc"
        uses = {other: f"{other}@{requirement}" for other, requirement in (needs or {}).items()}
        return write_package(path, name, version, uses, commands, files, module)


def write_project(root: Path, dependencies: Mapping[str, str], package: str = "") -> Path:
    """Write a `wasmer.toml`."""
    root.mkdir(parents=True, exist_ok=True)
    lines = [package, "[dependencies]", *(f'"{name}" = "{text}"' for name, text in dependencies.items())]
    (root / "wasmer.toml").write_text("\n".join(lines) + "\n")
    return root
