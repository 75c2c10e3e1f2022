"""What a manifest says, as immutable values.

The names follow `wasmer.toml` (the package configuration of Wasmer, `wasmer_config::package`), with `-` written `_`.
Every path is relative to the manifest's directory, in POSIX form, free of `.` and `..`; `""` is the directory itself.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class FsMapping(NamedTuple):
    """One entry of `[fs]`: what the guest sees at `guest`.

    Either a file or directory of this package (`host`), or a volume of a dependency (`source` and `volume`).
    """

    guest: str
    """An absolute guest path, normalised: `/data`."""
    host: str | None = None
    """The path in this package, or `None` when the files come from a dependency."""
    source: str | None = None
    """The dependency whose volume is mounted, a key of `[dependencies]`."""
    volume: str | None = None
    """The name of the dependency's volume."""
    subpath: str | None = None
    """The directory inside the dependency's volume, `None` for all of it."""


class ModuleReference(NamedTuple):
    """The module behind a command: this package's own, or a dependency's (`ns/name:module`)."""

    module: str
    dependency: str | None = None

    def __str__(self) -> str:
        return self.module if self.dependency is None else f"{self.dependency}:{self.module}"


class AnnotationsFile(NamedTuple):
    """Annotations of a command that live in a file of their own."""

    file: str
    kind: str
    """`json` or `yaml`."""


class Bindings(NamedTuple):
    """The interface definitions of a module, in WIT or in its predecessor WAI."""

    kind: str
    """`wit` or `wai`."""
    version: str
    exports: str | None
    imports: tuple[str, ...] = ()


class Module(NamedTuple):
    """A `[[module]]`: a WebAssembly file, called an atom once it is packed."""

    name: str
    source: str
    abi: str = "none"
    """`none`, `wasi`, `emscripten` or `wasm4`."""
    kind: str | None = None
    """`wasm` when not given; else `tensorflow-SavedModel` or a URL."""
    interfaces: Mapping[str, str] = _NOTHING
    bindings: Bindings | None = None
    pass_params: bool | None = None
    """A hint for the optimiser (`annotations.suggested_compiler_optimizations.pass_params`)."""


class Command(NamedTuple):
    """A `[[command]]`, in the older form without `runner` or the newer one with it."""

    name: str
    module: ModuleReference
    runner: str | None = None
    """A short name (`wasi`) or a URL; `None` means that the module's ABI decides."""
    main_args: tuple[str, ...] = ()
    package: str | None = None
    annotations: Mapping[str, Any] | AnnotationsFile = _NOTHING


class ProjectManifest(NamedTuple):
    """A whole `wasmer.toml` or `wapm.toml`; `reader.load_manifest` and `reader.parse_manifest` make them."""

    path: Path
    """The manifest's own file."""
    has_package: bool = False
    """Whether there is a `[package]` table; a package without one has no name."""
    name: str | None = None
    version: str | None = None
    description: str | None = None
    license: str | None = None
    license_file: str | None = None
    readme: str | None = None
    repository: str | None = None
    homepage: str | None = None
    entrypoint: str | None = None
    private: bool = False
    wasmer_extra_flags: str | None = None
    disable_command_rename: bool = False
    rename_commands_to_raw_command_name: bool = False
    dependencies: Mapping[str, str] = _NOTHING
    """Package name to version requirement, as written."""
    fs: tuple[FsMapping, ...] = ()
    modules: tuple[Module, ...] = ()
    commands: tuple[Command, ...] = ()
    shell: str | None = None
    """The command that `wpm shell` starts (`[wpm]`, which Wasmer does not read)."""
    warnings: tuple[str, ...] = ()
    """What looks like a mistake and changes nothing: unknown keys, one line each."""

    @property
    def directory(self) -> Path:
        """The directory that every path in the manifest is relative to."""
        return self.path.parent

    @property
    def default_command(self) -> str | None:
        """The command that `wpm run` picks: `entrypoint`, else the only command there is."""
        if self.entrypoint is not None:
            return self.entrypoint
        return self.commands[0].name if len(self.commands) == 1 else None
