"""The errors of the binary factory."""

from __future__ import annotations


class FactoryError(Exception):
    """A package that cannot become programs: a command without its atom, a dependency that is missing, a bad mount.

    Args:
        message: What is wrong, where, and what to do. It may quote names that strangers chose: what is not printable in
            it (line feeds, terminal sequences, lone surrogates) is escaped, so that it is always one harmless line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message if message.isprintable() else "".join(map(_shown, message)))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
