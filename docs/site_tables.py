r"""A hook of the site: what GitHub and Python-Markdown read differently in a table.

A bar in the code of a cell is written `\|`, since on GitHub it would end the cell. Python-Markdown leaves code alone, and
would show the backslash.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"`[^`\n]+`")


def on_page_markdown(markdown: str, **_: object) -> str:
    """The text of a page with the bars of its tables as Python-Markdown reads them."""
    lines = markdown.split("\n")
    return "\n".join(_CODE.sub(_bare, line) if line.startswith("| ") else line for line in lines)


def _bare(code: re.Match[str]) -> str:
    return code[0].replace("\\|", "|")
