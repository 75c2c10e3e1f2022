"""What is read without argparse is what argparse reads."""

from __future__ import annotations

import contextlib
import io
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgmgr.cli.main import VERBS, parser_of
from pkgmgr.cli.plain_parser import NotPlain, PlainParser

WORDS = (
    "-- - x.webc wpm/hello -e --entrypoint --entrypoint=a --env A=B --env=C -v .:/w --net --net=loopback --timeout "
    "5 1x --memory=64M --memory 12 --offline --offline=1 --cwd /w --workdir -w -5 -h --nothing --map-command "
    "a=b --include-webc -ea --enV --package -p --project --json --locked --resolution lowest --jobs -c ls --refresh "
    "-o --output=out --force"
)


def read(parser: Any, verb: str, words: list[str]) -> dict[str, Any]:
    parse = getattr(
        import_module(f"pkgmgr.cli.{verb}"), "parse_arguments", lambda parser, words: parser.parse_args(words)
    )
    return dict(vars(parse(parser, words)))


@given(
    verb=st.sampled_from(["run", "exec", "shell", "install", "list", "lock", "unpack"]),
    words=st.lists(st.sampled_from(["", *WORDS.split()]), max_size=6),
)
def test_what_is_plain_is_read_as_argparse_reads_it(verb: str, words: list[str]) -> None:
    plain = PlainParser()
    try:
        import_module(f"pkgmgr.cli.{verb}").add_arguments(plain)
        found = read(plain, verb, words)
    except NotPlain:
        return
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            expected = read(parser_of(verb)[1], verb, words)
        except SystemExit:
            pytest.fail(f"{words} is wrong: {said.getvalue()}")
    assert found == expected


@pytest.mark.parametrize(
    "words",
    [
        ["x.webc", "hello"],
        ["-v", ".:/w", "--cwd", "/w", "wpm/coreutils", "-e", "wc", "--", "-l", "a"],
        ["--net", "x.wasm", "--timeout=1.5s", "--memory", "64M"],
    ],
)
def test_what_people_type_is_plain(words: list[str]) -> None:
    plain = PlainParser()
    import_module("pkgmgr.cli.run").add_arguments(plain)
    assert read(plain, "run", words) == read(parser_of("run")[1], "run", words)


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_asked_for_or_wrong_is_left_to_argparse(verb: str) -> None:
    for words in (["--help"], ["--no-such-option"]):
        plain = PlainParser()
        with pytest.raises(NotPlain):
            import_module(f"pkgmgr.cli.{verb}").add_arguments(plain)
            read(plain, verb, words)


def test_an_option_that_has_to_be_there_is_missed() -> None:
    for words, is_plain in ((["x.webc"], False), (["x.webc", "-o", "out"], True)):
        plain = PlainParser()
        import_module("pkgmgr.cli.unpack").add_arguments(plain)
        if is_plain:
            assert read(plain, "unpack", words) == read(parser_of("unpack")[1], "unpack", words)
        else:
            with pytest.raises(NotPlain):
                read(plain, "unpack", words)
