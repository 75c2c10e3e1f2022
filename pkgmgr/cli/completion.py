"""`wpm completion`: tab completion for shells.

`wpm completion SHELL` prints what the shell reads once. That asks `wpm completion --complete SHELL …` at each tab, which
writes a line that says what the shell may complete itself (`pkgmgr.completion.candidates`; for bash also who writes the
spaces), and then one for each word: for bash as it is to be inserted, for zsh with its note as `_describe` wants it, for
fish with its note behind a tab.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPLETE = "--complete"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm completion`."""
    parser.description = (
        "Print a script that lets the Tab key complete verbs, options, commands of the project, packages of the store and "
        'tools. For bash: put  eval "$(wpm completion bash)"  into ~/.bashrc; for zsh:  eval "$(wpm completion zsh)"  '
        "into ~/.zshrc; for fish:  wpm completion fish | source  into ~/.config/fish/config.fish."
    )
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")


def parse_arguments(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The shell; or at a tab, what is typed."""
    if words[:1] == [_COMPLETE]:
        return argparse.Namespace(shell=None, typed=words[1:])
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> int:
    """Print the script, or complete."""
    if arguments.shell is not None:
        from pkgmgr.completion.scripts import SCRIPTS

        print(SCRIPTS[arguments.shell], end="")
        return 0
    try:
        lines = list(_completed(*arguments.typed))
    except Exception:
        # Whatever it is, somebody is in the middle of a line and must not be disturbed.
        lines = []
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    return 0


def _completed(shell: str, *typed: str) -> Iterator[str]:
    from pkgmgr.completion.candidates import RUNNABLE, Candidate, Completion, complete

    match shell:
        case "bash":
            from pkgmgr.completion.line import insertion, parse_line

            line = parse_line(typed[0])
            found = complete(line.words, line.current)
            if found.besides == RUNNABLE:
                from pkgmgr.completion.values import runnable_files

                # Bash completes files only where there is nothing else, and knows no kinds of them.
                files = [
                    Candidate(path, ends=not path.endswith("/"))
                    for path in runnable_files(line.current)
                    if path.isprintable()
                ]
                found = Completion((*found.candidates, *files), RUNNABLE)
            breaks = typed[1] if len(typed) > 1 else ""
            # Behind a word in quotation marks bash itself writes the closing one, and the space.
            by_bash = bool(line.quote) and all(each.ends for each in found.candidates)
            yield f"{found.besides} {'bash' if by_bash else 'own'}"
            for each in found.candidates:
                text = insertion(each.text, line, breaks, ends=each.ends)
                if text is not None:
                    yield text
        case "zsh":
            found = complete(typed[:-1], typed[-1])
            yield found.besides
            for each in found.candidates:
                text = each.text.replace("\\", "\\\\").replace(":", "\\:")
                yield f"{' ' if each.ends else '+'}{text}{f':{each.note}' if each.note else ''}"
        case "fish":
            found = complete(typed[:-1], typed[-1])
            yield found.besides
            for each in found.candidates:
                yield f"{each.text}\t{each.note}" if each.note else each.text
        case _:
            return
