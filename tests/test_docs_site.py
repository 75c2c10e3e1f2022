"""The documents as a site: it builds without a warning, and nothing in it leads nowhere or asks another machine."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from transcripts import ROOT, blocks

FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}
"""What a browser fetches of itself."""

pytestmark = [
    pytest.mark.skipif(find_spec("mkdocs") is None, reason="mkdocs is not installed: pip install '.[docs]'"),
    pytest.mark.xdist_group("site"),
]


class Page(HTMLParser):
    """The names that a page has, what it links to, what it fetches, and the words of its article."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names = {""}
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.words = ""
        self._within: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.names.add(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")
            elif (tag, name) in FETCHED:
                self.fetched.append(value or "")
        if tag in {"article", "pre", "code"}:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and tag == self._within[-1]:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if self._within == ["article"]:
            self.words += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: a warning is an error."""
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_document_is_a_page_that_the_front_page_leads_to(site: Path, pages: dict[Path, Page]) -> None:
    documents = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    linked = {Path(link.partition("#")[0]) for link in pages[site / "index.html"].links}
    assert documents - {Path("index.html")} <= linked


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for link in page.links + page.fetched:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "javascript:void(0)":
                continue
            target = site / parts.path.lstrip("/") if link.startswith("/") else path.parent / unquote(parts.path)
            target = (target if parts.path else path).resolve()
            target = target / "index.html" if target.is_dir() else target
            where = f"{path.relative_to(site)}: {link}"
            assert target.is_file(), where
            if target in pages:
                assert unquote(parts.fragment) in pages[target].names, where


def test_the_blocks_of_yaml_are_yaml() -> None:
    import yaml

    for path in sorted((ROOT / "docs").rglob("*.md")):
        for block in blocks(path.read_text(encoding="utf-8")):
            if block.language == "yaml":
                assert isinstance(yaml.safe_load(block.text), dict), f"{path}:{block.line}"


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert not [link for link in page.fetched if urlsplit(link).netloc], path
    for sheet in site.rglob("*.css"):
        assert "url(http" not in sheet.read_text(encoding="utf-8").replace('"', ""), sheet


def test_no_markup_is_left_in_the_text(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for sign in ("```", "| ---", "](", "\\|", "<!--", "**", "::: "):
            assert sign not in page.words, f"{path.name}: {sign}"
