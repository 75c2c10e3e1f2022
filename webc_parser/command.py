"""A command of a package: the runner that it asks for, the atom that it runs, and how."""

from __future__ import annotations

from webc_parser.field import Fields
from webc_parser.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

RUNNER_BASE = "https://webc.org/runner/"


class AtomRef(Record):
    """The atom of a command: its name, and the alias of the dependency that has it (`None`: the package itself)."""

    name: str
    dependency: str | None


class Command(Record):
    """A command: the URI of its runner and its annotations, with readings of the annotations that runners know.

    The readings follow the crate's `annotations` module: `atom`, and `wasi` or `emscripten`; a key of several words
    may be written in kebab, snake or camel case, as the tools wrote it over the years. A reading raises `WebcError`
    when the annotation has the wrong type.
    """

    runner: str
    annotations: Mapping[str, object]

    def annotation(self, key: str) -> Fields | None:
        """The annotation under `key`, when there is one: each of its values is read with the type it should have."""
        return Fields(self.annotations, "annotations", None).fields(key)

    @property
    def runner_kind(self) -> str:
        """`wasi`, `wcgi`, `emscripten`, `wasm4`...: the name in the runner's URI, without its version and sub-path."""
        if self.runner.startswith(RUNNER_BASE):
            return self.runner[len(RUNNER_BASE) :].split("/")[0].split("@")[0]
        return self.runner.rstrip("/").rsplit("/")[-1].split("@")[0]

    @property
    def atom(self) -> AtomRef | None:
        """The atom that the annotations name; `None` when none does (then it has, by custom, the command's name)."""
        explicit = self.annotation("atom")
        if explicit:
            return AtomRef(explicit.text("name"), explicit.optional_text("dependency"))
        for key in ("wasi", "wcgi", "emscripten"):
            name = self._runner_text(key, "atom")
            if name:
                dependency, _, atom = name.rpartition(":")
                return AtomRef(atom, dependency or None)
        return None

    def _runner_text(self, key: str, *names: str) -> str | None:
        fields = self.annotation(key)
        return fields.optional_text(*names) if fields else None

    @property
    def main_args(self) -> tuple[str, ...]:
        """The arguments that come before those of the user."""
        for key in ("wasi", "emscripten"):
            fields = self.annotation(key)
            if fields:
                return fields.texts("main-args", "main_args", "mainArgs")
        return ()

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables that the command sets."""
        for key in ("wasi", "emscripten"):
            fields = self.annotation(key)
            if fields:
                pairs = [item.partition("=") for item in fields.texts("env")]
                return {name: value for name, _, value in pairs if name}
        return {}

    @property
    def exec_name(self) -> str | None:
        """What the program is told as `argv[0]`, instead of the command's name."""
        return self._runner_text("wasi", "exec-name", "exec_name", "execName")

    @property
    def cwd(self) -> str | None:
        """The directory in which the command starts."""
        return self._runner_text("wasi", "cwd")

    @property
    def mount_atom_in_volume(self) -> str | None:
        """The volume in which the atom itself is to be seen as a file."""
        return self._runner_text("wasi", "mount-atom-in-volume", "mount_atom_in_volume", "mountAtomInVolume")

    @property
    def origin_package(self) -> str | None:
        """The package that an old manifest says the atom is from."""
        return self._runner_text("wasi", "package")


def parse_command(fields: Fields) -> Command:
    """A command of the manifest.

    Raises:
        WebcError: it has no runner, or its annotations are not a map.
    """
    return Command(fields.text("runner"), fields.map("annotations"))
