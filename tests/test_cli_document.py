"""The reference of the command line is true: its examples are run against a server on loopback, and its tables are whole."""

import importlib.util
from pathlib import Path
from types import ModuleType

from transcripts import ROOT, Shell, blocks, check, on_free_ports, typed_lines

from pkgmgr.cli.main import VERBS

DOCUMENT = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
TYPED = "".join(
    f"\n{line}" for block in blocks(DOCUMENT) if block.language == "console" for line, _ in typed_lines(block.text)
)
IN_THE_STORY = {
    "update": "wpm update acme/motto --dry-run",
    "tool": "wpm tool install acme/motto",
    "build": "wpm build . -o motto.webc",
    "inspect": "wpm inspect --files motto.webc",
    "unpack": "wpm unpack motto.webc -o motto-copy",
    "remove": "wpm remove wpm/top-words",
    "logout": "wpm logout --registry http://127.0.0.1:8484/graphql",
    "config": "wpm config set 'registries.acme/*' http://127.0.0.1:8484/graphql",
    "publish": "wpm publish . --registry http://127.0.0.1:8484/graphql",
}
"""The examples of the help that name what this story has under another name."""


def test_the_document_is_true(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    try:
        assert check(on_free_ports(DOCUMENT), shell, "docs/reference/cli.md") >= 80
    finally:
        shell.close()


def test_every_verb_is_shown_as_its_help_shows_it() -> None:
    for verb, (_, example) in VERBS.items():
        shown = IN_THE_STORY.get(verb, example)
        assert shown.split()[1] == verb
        assert f"\n{shown}" in TYPED, shown
        assert f"### wpm {verb}\n" in DOCUMENT


def test_every_command_is_typed_and_has_an_example_in_its_help() -> None:
    for commands in generator()._commands().values():
        for command in commands:
            assert f"wpm {command.name}" in TYPED, command.name
            assert f"Example: wpm {command.name}" in command.parser.epilog, command.name


def test_the_tables_of_options_are_up_to_date() -> None:
    assert generator().document() == DOCUMENT, "run python docs/generate_cli.py"


def test_every_option_is_in_its_verbs_section() -> None:
    for verb, commands in generator()._commands().items():
        section = DOCUMENT.partition(f"<!-- options: {verb} -->")[2].partition("<!-- end -->")[0]
        for command in commands:
            for action in command.actions:
                for option in action.option_strings[-1:]:
                    assert f"`{option}`" in section or f"`{option} " in section, f"wpm {command.name} {option}"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
