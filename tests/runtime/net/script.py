"""Guests written as a list of host calls: each is a real module, made of WebAssembly text, and run as any other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import wasmtime

from runtime.engine import Module
from runtime.env import WasiEnv, WasiEnvBuilder
from runtime.hostcalls import PREVIEW1, WASIX, declared
from runtime.stdio import OutputBuffer
from runtime.syscalls import families

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.process import WasiProcess

families.load()

TYPES = {"i": "i32", "I": "i64"}
IOV = 60_000
"""Where `show` keeps its buffers; scripts use the memory below."""


@dataclass(frozen=True)
class At:
    """An argument that is loaded from memory when the call is made: a u32 at this address."""

    address: int


def signature(name: str, namespace: str, parameters: int, form: str | None = None) -> str:
    """The letters of the generation with so many parameters, or of this very form."""
    for call in declared():
        if (call.namespace, call.name) != (namespace, name):
            continue
        if call.signature == form or (form is None and len(call.signature.partition(":")[0]) == parameters):
            return call.signature
    raise AssertionError(f"{namespace}.{name} with {parameters} parameters is not declared")


@dataclass
class Script:
    """A guest in the making.

    Every `call` checks the errno that comes back: another one than expected ends the guest with the number of the call
    (from 1) in the lower byte and the errno in the next.
    """

    namespace: str = WASIX
    lines: list[str] = field(default_factory=list)
    imports: dict[tuple[str, str, str], str] = field(default_factory=dict)
    data: list[tuple[int, bytes]] = field(default_factory=list)
    calls: int = 0
    shared: bool = False
    functions: list[str] = field(default_factory=list)

    def put(self, address: int, content: bytes) -> Script:
        """Bytes that are in memory from the start."""
        self.data.append((address, content))
        return self

    def iov(self, address: int, *buffers: tuple[int, int]) -> Script:
        """An array of iovecs."""
        return self.put(address, b"".join(p.to_bytes(4, "little") + n.to_bytes(4, "little") for p, n in buffers))

    def call(
        self, name: str, *arguments: int | At, errno: int = 0, namespace: str | None = None, form: str | None = None
    ) -> Script:
        """Call a host function, of a signature where there are several as long, and expect an errno."""
        letters = self._push(name, arguments, namespace or self.namespace, form)
        if letters.endswith(":"):
            return self
        self.calls += 1
        self.lines.append("local.set $e")
        self.lines.append(f"(if (i32.ne (local.get $e) (i32.const {errno})) (then")
        self.lines.append(f"  (call $exit (i32.or (i32.const {self.calls}) (i32.shl (local.get $e) (i32.const 8))))))")
        return self

    def _push(self, name: str, arguments: tuple[int | At, ...], namespace: str, form: str | None = None) -> str:
        letters = signature(name, namespace, len(arguments), form)
        label = self.imports.setdefault((namespace, name, letters), f"$f{len(self.imports)}")
        for argument, letter in zip(arguments, letters, strict=False):
            if isinstance(argument, At):
                load = f"(i32.load (i32.const {argument.address}))"
                self.lines.append(load if letter == "i" else f"(i64.load (i32.const {argument.address}))")
            else:
                self.lines.append(f"({TYPES[letter]}.const {argument})")
        self.lines.append(f"(call {label})")
        return letters

    def label(self, name: str, parameters: int) -> str:
        """The label of a host function, for text of one's own."""
        letters = signature(name, self.namespace, parameters)
        return self.imports.setdefault((self.namespace, name, letters), f"$f{len(self.imports)}")

    def show(self, address: int, length: int) -> Script:
        """Write memory to standard output."""
        self.lines.append(f"(call $show (i32.const {address}) (i32.const {length}))")
        return self

    def raw(self, text: str) -> Script:
        """Any instructions."""
        self.lines.append(text)
        return self

    def source(self) -> str:
        """The module as text."""
        exit_ = self.imports.setdefault((WASIX, "proc_exit", "i:"), f"$f{len(self.imports)}")
        write = self.imports.setdefault((PREVIEW1, "fd_write", "iiii:i"), f"$f{len(self.imports)}")
        imports = []
        for (namespace, name, letters), label in self.imports.items():
            parameters, results = letters.split(":")
            types = " ".join(TYPES[letter] for letter in parameters)
            result = f"(result {TYPES[results]})" if results else ""
            imports.append(f'(import "{namespace}" "{name}" (func {label} (param {types}) {result}))')
        escaped = [
            f'(data (i32.const {address}) "' + "".join(f"\\{byte:02x}" for byte in content) + '")'
            for address, content in self.data
        ]
        memory = '(import "env" "memory" (memory 1 16 shared))' if self.shared else '(memory (export "memory") 1)'
        body = "\n    ".join(self.lines)
        return f"""(module
  {" ".join(imports)}
  {memory}
  {" ".join(escaped)}
  {" ".join(self.functions)}
  (func $exit (param i32) (call {exit_} (local.get 0)))
  (func $show (param i32 i32)
    (i32.store (i32.const {IOV}) (local.get 0))
    (i32.store (i32.const {IOV + 4}) (local.get 1))
    (drop (call {write} (i32.const 1) (i32.const {IOV}) (i32.const 1) (i32.const {IOV + 8}))))
  (func (export "_start") (local $e i32)
    {body}))"""

    def module(self) -> Module:
        """The compiled module."""
        return Module.compile(bytes(wasmtime.wat2wasm(self.source())), "script")


@dataclass
class Running:
    """A guest that was started."""

    process: WasiProcess
    output: OutputBuffer

    def shown(self, count: int, seconds: float = 20) -> bytes:
        """What the guest has written, as soon as it is so many bytes."""
        deadline = time.monotonic() + seconds
        while len(self.output.data) < count:
            assert self.process.exit_code is None, f"ended with {self.process.exit_code}"
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return self.output.getvalue()

    def finish(self, seconds: float = 20) -> bytes:
        """What the guest wrote; it has to end well."""
        code = self.process.wait(seconds)
        assert code == 0, f"call {code & 0xFF} gave errno {code >> 8}"
        return self.output.getvalue()


def start(script: Script, configure: Callable[[WasiEnvBuilder], object] | None = None) -> Running:
    """Start the guest."""
    output = OutputBuffer()
    builder = WasiEnvBuilder("script").stdout(output).timeout(30)
    if configure is not None:
        configure(builder)
    env: WasiEnv = builder.build()
    return Running(env.spawn(script.module()), output)


def run(script: Script, configure: Callable[[WasiEnvBuilder], object] | None = None) -> bytes:
    """Run the guest to its end; what it wrote."""
    return start(script, configure).finish()


def address(host: str, port: int) -> bytes:
    """An `addr_port` in guest memory."""
    import socket

    if ":" in host:
        return b"\2\0" + port.to_bytes(2, "little") + socket.inet_pton(socket.AF_INET6, host) + bytes(8)
    return b"\1\0" + port.to_bytes(2, "little") + socket.inet_pton(socket.AF_INET, host) + bytes(12)
