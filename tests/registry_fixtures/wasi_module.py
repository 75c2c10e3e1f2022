"""A module run by wasmtime's own WASI: what the guest programs are tested with, apart from our runtime."""

import tempfile
from pathlib import Path

import wasmtime


class WasiModule:
    """A module, compiled once, whose guests see a folder as their root."""

    def __init__(self, path: Path) -> None:
        self.engine = wasmtime.Engine()
        self.module = wasmtime.Module.from_file(self.engine, str(path))
        self.linker = wasmtime.Linker(self.engine)
        self.linker.define_wasi()

    def run(
        self, arguments: list[str], folder: Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run one command.

        Args:
            arguments: Its name first.
            folder: What the guest sees as its root.
            stdin: All of its standard input.
            env: All of its environment.

        Returns:
            Its status, what it printed and what it complained about.
        """
        with tempfile.TemporaryDirectory() as name:
            streams = Path(name)
            (streams / "in").write_bytes(stdin)
            wasi = wasmtime.WasiConfig()
            wasi.argv = arguments
            wasi.env = list((env or {}).items())
            wasi.preopen_dir(str(folder), "/")
            wasi.stdin_file = str(streams / "in")
            wasi.stdout_file = str(streams / "out")
            wasi.stderr_file = str(streams / "err")
            store = wasmtime.Store(self.engine)
            store.set_wasi(wasi)
            status = 0
            try:
                start = self.linker.instantiate(store, self.module).exports(store)["_start"]
                assert isinstance(start, wasmtime.Func)
                start(store)
            except wasmtime.ExitTrap as exit_trap:
                status = exit_trap.code
            return status, (streams / "out").read_bytes(), (streams / "err").read_bytes()
