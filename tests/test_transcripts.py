"""What runs the documents' examples sees when one is not true, and leaves none out."""

from pathlib import Path

import pytest
from transcripts import Shell, blocks, check, on_free_ports


def run(tmp_path: Path, document: str) -> int:
    shell = Shell(tmp_path)
    try:
        return check(document, shell, "page.md")
    finally:
        shell.close()


def test_a_document_is_a_story(tmp_path: Path) -> None:
    document = """Text.

```console
$ mkdir there
$ cd there
```

```toml
# a.toml
a = 1
```

```sh title="b/c.sh"
echo "from $1"
```

```console
$ sh b/c.sh here; echo more \\
  and more
from here
more and more
$ cat a.toml
...
a = 1
```

```python
print(open("a.toml").read().split()[-1])
# 1
```

<!-- not run: it would not end -->
```console
$ sleep 100000
```
"""
    assert run(tmp_path, document) == 5
    assert [(block.line, block.not_run) for block in blocks(document)][-1] == (33, "it would not end")


@pytest.mark.parametrize(
    "untrue",
    [
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ echo one\n```\n",
        "```console\n$ true\none\n```\n",
        '```python\nprint("one")\n# two\n```\n',
        '```python\nraise SystemExit("one")\n```\n',
        "```python\nprint(1)\n```\n",
    ],
)
def test_what_is_not_true_is_told(untrue: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:3"):
        run(tmp_path, f"\n\n{untrue}")


@pytest.mark.parametrize(
    "left_out", ["- a\n  ```console\n  $ true\n  ```\n", "```console {a=1}\n$ true\n```\n", "```console\n"]
)
def test_no_block_is_left_out(left_out: str) -> None:
    with pytest.raises(AssertionError, match="nobody would run"):
        list(blocks(left_out))


def test_a_port_is_another_one_everywhere() -> None:
    document = "--port 8484, http://127.0.0.1:8484/x, 127.0.0.1:5000, 18484"
    changed = on_free_ports(document)
    port = changed.split()[1].rstrip(",")
    assert changed.count(port) == 2
    assert "18484" in changed
    assert "5000" not in changed
