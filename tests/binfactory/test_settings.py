"""How programs in files want to be started."""

import json
from hashlib import sha256

import pytest
from factory_packages import ECHO_ARGUMENTS, module
from hypothesis import given
from hypothesis import strategies as st

from binfactory.copying import put_file
from binfactory.errors import FactoryError
from binfactory.factory import BinFactory
from binfactory.modules import ModuleCache
from binfactory.settings import LARGEST_SETTINGS, CommandSettings, image_settings, parse_settings
from runtime.env import WasiEnv, WasiEnvBuilder
from runtime.fs.tmpfs import TmpFileSystem

WASM = module(ECHO_ARGUMENTS)
DIGEST = sha256(WASM).hexdigest()
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def root(files: dict[str, bytes]) -> WasiEnv:
    filesystem = TmpFileSystem()
    for path, data in files.items():
        put_file(filesystem.root, path, memoryview(data))
    factory = BinFactory(ModuleCache(None), settings=image_settings)
    return WasiEnvBuilder("x").root(filesystem).programs(factory).build()


def arguments(env: WasiEnv, path: str) -> list[str]:
    assert env.programs is not None
    program = env.programs.find(path, env)
    assert program is not None
    return program.arguments(["x", "y"])


def settings(**values: object) -> bytes:
    return json.dumps({"module": DIGEST, **values}).encode()


def test_the_settings_are_those_of_the_command() -> None:
    said = settings(args=["a", "b"], name="n")
    env = root({"/bin/tool": WASM, "/opt/tool": WASM, "/usr/lib/wpm/commands/tool.json": said})
    assert arguments(env, "/bin/tool") == ["n", "a", "b", "y"]
    assert arguments(env, "tool") == ["n", "a", "b", "y"]
    assert arguments(env, "/bin/../bin//tool") == ["n", "a", "b", "y"]
    assert arguments(env, "/opt/tool") == ["x", "y"]


def test_a_factory_that_is_not_told_to_does_not_look() -> None:
    env = root({"/bin/tool": WASM, "/usr/lib/wpm/commands/tool.json": settings(args=["a"])})
    env.programs = BinFactory(ModuleCache(None))
    assert arguments(env, "/bin/tool") == ["x", "y"]


def test_scripts_give_their_interpreter_its_settings() -> None:
    said = settings(args=["-q"])
    env = root({"/bin/tool": WASM, "/script": b"#!/bin/tool -e\n", "/usr/lib/wpm/commands/tool.json": said})
    assert arguments(env, "/script") == ["/bin/tool", "-q", "-e", "/script", "y"]


def test_settings_that_are_too_large() -> None:
    env = root({"/bin/tool": WASM, "/usr/lib/wpm/commands/tool.json": bytes(LARGEST_SETTINGS + 1)})
    with pytest.raises(OSError, match="larger than"):
        arguments(env, "/bin/tool")


def test_a_directory_in_place_of_settings_is_none() -> None:
    env = root({"/bin/tool": WASM, "/usr/lib/wpm/commands/tool.json/x": b""})
    assert arguments(env, "/bin/tool") == ["x", "y"]


@given(
    st.lists(TEXTS),
    st.dictionaries(TEXTS.filter(lambda name: name and "=" not in name), TEXTS),
    st.none() | TEXTS,
    st.none() | TEXTS,
)
def test_what_is_written_is_read(args: list[str], env: dict[str, str], name: str | None, cwd: str | None) -> None:
    said = settings(args=args, env=env, name=name, cwd=cwd)
    assert parse_settings(said, "here") == (DIGEST, CommandSettings(tuple(args), env, name, cwd))


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)))
def test_anything_else_is_an_error_in_a_line(value: object) -> None:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    try:
        parse_settings(data, "here")
    except FactoryError as error:
        assert str(error).startswith("here: ")
        assert "\n" not in str(error)
