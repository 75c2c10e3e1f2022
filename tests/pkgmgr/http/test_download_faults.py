"""Whatever a server does wrong: an install succeeds after all, or says why in one line, and the store is clean."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import faults
import pytest
from faults import FaultServer, serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_packages import write_package, write_project

from pkgmgr.cli.main import main
from pkgmgr.errors import Refused, Unreachable, WpmError
from pkgmgr.http.client import HttpClient
from pkgmgr.http.retry import Patience
from pkgmgr.store import Store
from pkgmgr.store.verify import verify_store

QUICK = Patience(tries=4, connect=10.0, stall=10.0, pause=0.01, longest_pause=0.3)
IMPATIENT = QUICK._replace(stall=0.4)
"""For servers that stall: where they do not, a busy machine must not look as if they did."""
STALLING = {"stalled body", "silent", "dripping"}


@pytest.fixture
def package(tmp_path: Path) -> bytes:
    return write_package(tmp_path / "x.webc", "acme/x", "1.0.0", files={"a": bytes(range(256)) * 800}).read_bytes()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "store"))
    return Store(tmp_path / "store")


@pytest.fixture
def project(tmp_path: Path, server: FaultServer, store: Store, package: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is locked to a package of the server, and not installed."""
    monkeypatch.setattr("pkgmgr.http.shared._client", HttpClient(patience=QUICK))
    monkeypatch.setattr("pkgmgr.http.retry._TICK", 0.01)
    server.files["/x.webc"] = package
    root = write_project(tmp_path / "project", {"acme/x": f"{server.url}/x.webc"})
    monkeypatch.chdir(root)
    assert main(["install", "--no-compile"]) == 0
    store.clean()
    server.asked.clear()
    return root


def is_clean(store: Store, sound: int) -> bool:
    report = verify_store(store)
    left = list((store.root / "tmp").iterdir())
    return report.clean and report.sound == sound and not report.abandoned and not left


PASSING: dict[str, list[faults.Fault]] = {
    "reset at once": [faults.reset_at_once],
    "hung up at once": [faults.hang_up_at_once],
    "reset in the middle": [faults.reset_in_the_middle],
    "truncated": [faults.truncated],
    "truncated chunks": [faults.truncated_chunks],
    "truncated without a length": [faults.truncated_without_length],
    "stalled body": [faults.stalled],
    "silent": [faults.silent],
    "dripping": [faults.dripping],
    "500": [faults.status(500)],
    "502 and 504": [faults.status(502), faults.status(504)],
    "429 with seconds": [faults.status(429, {"Retry-After": "0"})],
    "429 with many seconds": [faults.status(429, {"Retry-After": "100000"})],
    "503 with a date": [faults.status(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})],
    "503 with nonsense": [faults.status(503, {"Retry-After": "soon"})],
    "three of four": [faults.truncated, faults.status(500), faults.reset_at_once],
    "no ranges": [faults.truncated, faults.no_ranges],
    "a range of another file": [faults.truncated, faults.range_of_another],
    "a range elsewhere": [faults.truncated, faults.range_elsewhere],
    "a range refused": [faults.truncated, faults.status(416)],
    "compressed": [faults.compressed],
    "truncated, then compressed": [faults.truncated, faults.compressed],
    "no number for a length": [faults.no_number_for_a_length],
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(
    project: Path,
    server: FaultServer,
    store: Store,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if name in STALLING:
        monkeypatch.setattr("pkgmgr.http.shared._client", HttpClient(patience=IMPATIENT))
    server.faults["/x.webc"] = list(PASSING[name])
    capsys.readouterr()
    assert main(["install", "--locked", "--no-compile"]) == 0
    assert is_clean(store, 1)
    size = next(store.objects()).stat().st_size
    assert capsys.readouterr().err == f"fetched acme/x@1.0.0 ({size / 1024:.1f} KiB)\n"
    assert project.is_dir()


def endless_redirect(talk: faults.Conversation) -> None:
    talk.reply(302, {"Location": "/x.webc", "Content-Length": str(1 << 40)}, b"x" * 100_000)
    talk.owner.ended.wait(20)


STAYING = {
    "404": (faults.status(404), "not found (404)", 1),
    "410": (faults.status(410), "not found (410)", 1),
    "401": (faults.status(401), "wpm login", 1),
    "403": (faults.status(403), "wpm login", 1),
    "418": (faults.status(418), "the server replied 418", 1),
    "500": (faults.status(500), "the server replied 500 Internal Server Error (tried 4 times)", 4),
    "429": (faults.status(429, {"Retry-After": "3600"}), "to be left alone for 3600 s", 4),
    "reset": (faults.reset_at_once, "(tried 4 times)", 4),
    "truncated": (faults.truncated_chunks, "broke", 4),
    "truncated without length": (faults.truncated_without_length, "broke after", 4),
    "silent": (faults.silent, "stopped sending", 4),
    "loop": (faults.redirect("/x.webc"), "redirects again and again", 11),
    "redirect to a file": (faults.redirect("file:///etc/passwd"), "not http(s)", 1),
    "redirect to nothing": (faults.redirect("http://[/"), "not http(s)", 1),
    "wrong checksum": (faults.other_bytes, "sha256 is", 1),
    "endless": (faults.endless, "more bytes", 1),
    "longer length": (faults.longer_length, "were promised", 1),
    "shorter length": (faults.shorter_length, "were promised", 1),
    "html": (faults.status(200, {"Content-Type": "text/html"}, b"<html>log in</html>"), "were promised", 1),
    "encoded as something": (faults.status(200, {"Content-Encoding": "br"}, b"x"), "not asked for", 1),
    "redirect without an end": (endless_redirect, "redirects again and again", 11),
    "not modified": (faults.status(304), "replied 304", 1),
}


@pytest.mark.parametrize("name", STAYING)
def test_what_stays_is_said_in_a_line(
    project: Path,
    server: FaultServer,
    store: Store,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if name in STALLING:
        monkeypatch.setattr("pkgmgr.http.shared._client", HttpClient(patience=IMPATIENT))
    fault, words, tries = STAYING[name]
    server.always["/x.webc"] = fault
    capsys.readouterr()
    assert main(["install", "--locked", "--no-compile"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"wpm: acme/x@1.0.0: {server.url}/x.webc: ")
    assert words in line
    assert len(server.asked) == tries
    assert is_clean(store, 0)
    assert project.is_dir()


def test_nobody_listens(store: Store) -> None:
    with pytest.raises(Unreachable, match=r"refused.*tried 4 times"):
        HttpClient(patience=QUICK).download(f"http://127.0.0.1:{faults.unused_port()}/x", store, "0" * 64)
    assert is_clean(store, 0)
    with pytest.raises(Unreachable, match="name of the host is not found"):
        HttpClient(patience=QUICK).download("http://host.invalid/x", store)
    assert is_clean(store, 0)


def test_what_broke_goes_on_where_it_broke(server: FaultServer, store: Store, package: bytes) -> None:
    server.files["/x"] = package
    server.faults["/x"] = [faults.truncated, faults.status(503)]
    seen: list[int] = []
    stored = HttpClient(patience=QUICK).download(
        f"{server.url}/x", store, hashlib.sha256(package).hexdigest(), len(package), seen.append
    )
    assert stored.path.read_bytes() == package
    assert sum(seen) == len(package)
    assert min(seen) >= 0
    first, *others = server.asked
    assert "Range" not in first.headers
    for asked in others:
        assert asked.headers["Range"] == f"bytes={len(package) // 2}-"
        assert asked.headers["If-Range"] == faults.etag(package)


@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_changes_meanwhile_is_fetched_whole(
    server: FaultServer, store: Store, package: bytes, known: bool
) -> None:
    def older(talk: faults.Conversation) -> None:
        faults.half(talk, b"old" * 999)
        talk.hang_up()

    server.files["/x"] = package
    server.faults["/x"] = [older]
    seen: list[int] = []
    digest = hashlib.sha256(package).hexdigest()
    stored = HttpClient(patience=QUICK).download(f"{server.url}/x", store, digest if known else None, None, seen.append)
    assert stored.sha256 == digest
    assert sum(seen) == len(package)
    assert is_clean(store, 1)


def test_without_an_etag_or_a_hash_nothing_is_pieced_together(
    server: FaultServer, store: Store, package: bytes
) -> None:
    def cut(talk: faults.Conversation) -> None:
        talk.reply(200, {"Content-Length": str(len(package)), "ETag": 'W/"weak"'}, b"?" * 1000)
        talk.hang_up()

    server.files["/x"] = package
    server.faults["/x"] = [cut]
    stored = HttpClient(patience=QUICK).download(f"{server.url}/x", store)
    assert stored.path.read_bytes() == package
    assert not any("Range" in asked.headers for asked in server.asked)


def test_a_long_download_may_break_often(server: FaultServer, store: Store) -> None:
    data = bytes(range(256)) * (12 << 12)

    def a_part(talk: faults.Conversation) -> None:
        start = int(talk.headers.get("Range", "bytes=0-")[6:-1])
        headers = {"Content-Length": str(len(data) - start), "ETag": faults.etag(data)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        talk.reply(206 if start else 200, headers, data[start : start + (3 << 19)])
        talk.hang_up()

    server.always["/x"] = a_part
    stored = HttpClient(patience=QUICK).download(f"{server.url}/x", store, hashlib.sha256(data).hexdigest(), len(data))
    assert stored.size == len(data)
    assert len(server.asked) == 8


def test_an_endless_body_of_unknown_size_ends(
    server: FaultServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkgmgr.http.download.LARGEST", 3 << 20)
    server.always["/x"] = faults.endless
    with pytest.raises(WpmError, match="larger than"):
        HttpClient(patience=QUICK).download(f"{server.url}/x", store)
    assert is_clean(store, 0)


def test_a_server_that_never_gives_the_same_twice_is_given_up(server: FaultServer, store: Store) -> None:
    count = iter(range(1000))

    def cut(talk: faults.Conversation) -> None:
        if "Range" in talk.headers:
            return faults.range_of_another(talk)
        data = bytes([next(count) % 256]) * 4_000_000
        talk.reply(200, {"Content-Length": str(len(data))}, data[:2_000_000])
        return talk.hang_up()

    server.files["/x"] = b"z" * 4_000_000
    server.always["/x"] = cut
    with pytest.raises(WpmError, match=r"tried 4 times|do not trust"):
        HttpClient(patience=QUICK).download(f"{server.url}/x", store, "0" * 64, 4_000_000)
    assert len(server.asked) < 20
    assert is_clean(store, 0)


def test_a_refusal_keeps_its_status(server: FaultServer, store: Store) -> None:
    with pytest.raises(Refused) as caught:
        HttpClient(patience=QUICK).download(f"{server.url}/none", store)
    assert caught.value.status == 404


def test_interrupted_while_waiting(server: FaultServer, store: Store) -> None:
    calls = []

    def progress(number: int) -> None:
        calls.append(number)
        if len(calls) > 3:
            raise KeyboardInterrupt

    server.always["/x"] = faults.status(503, {"Retry-After": "100"})
    patience = QUICK._replace(longest_pause=60.0)
    with pytest.raises(KeyboardInterrupt):
        HttpClient(patience=patience).download(f"{server.url}/x", store, "0" * 64, 5, progress)
    assert is_clean(store, 0)


def test_another_server_serves(package: bytes, store: Store) -> None:
    with serving() as first, serving() as second:
        first.always["/x"] = faults.redirect(f"{second.url}/y")
        second.files["/y"] = package
        second.faults["/y"] = [faults.truncated]
        digest = hashlib.sha256(package).hexdigest()
        assert HttpClient(patience=QUICK).download(f"{first.url}/x", store, digest, len(package)).sha256 == digest
        assert "Range" in second.asked[1].headers


def test_a_full_disk(tmp_path: Path, server: FaultServer, store: Store, package: bytes) -> None:
    server.files["/x"] = package
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pkgmgr.http.client import HttpClient\n"
        "from pkgmgr.store import Store\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n"
        "    HttpClient().download(sys.argv[1], Store(Path(sys.argv[2])), sys.argv[3])\n"
        "except OSError as error:\n"
        "    print(error.filename)\n"
    )
    digest = hashlib.sha256(package).hexdigest()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", code, f"{server.url}/x", str(store.root), digest]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(store.root / "tmp"))
    assert is_clean(store, 0)
    assert tmp_path.is_dir()


FAULTS = [
    faults.well, faults.truncated, faults.truncated_chunks, faults.truncated_without_length, faults.reset_at_once,
    faults.hang_up_at_once, faults.other_bytes, faults.longer_length, faults.shorter_length, faults.compressed,
    faults.no_ranges, faults.range_of_another, faults.range_elsewhere, faults.no_number_for_a_length,
    faults.status(500), faults.status(416), faults.status(206), faults.status(404), faults.redirect("/other"),
]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(st.sampled_from(FAULTS), max_size=6),
    length=st.integers(1, 3000),
    knows_hash=st.booleans(),
    knows_size=st.booleans(),
)
def test_any_faults_in_any_order(
    server: FaultServer, store: Store, script: list[faults.Fault], length: int, knows_hash: bool, knows_size: bool
) -> None:
    data = os.urandom(length)
    server.files = {"/x": data, "/other": data}
    server.faults["/x"] = list(script)
    digest = hashlib.sha256(data).hexdigest()
    seen: list[int] = []
    client = HttpClient(patience=QUICK._replace(pause=0.0, longest_pause=0.0))
    try:
        stored = client.download(
            f"{server.url}/x", store, digest if knows_hash else None, length if knows_size else None, seen.append
        )
    except WpmError as error:
        assert str(error).isprintable()
        assert verify_store(store).sound == 0
    else:
        assert sum(seen) == stored.size
        found = stored.path.read_bytes()
        # Without the hash another file is one like any other, but never a piece of each.
        flipped = bytes(byte ^ 1 for byte in data)
        assert found == data or (
            not knows_hash and (found == flipped or flipped.startswith(found) or data.startswith(found))
        )
    report = verify_store(store)
    assert report.clean
    assert not list((store.root / "tmp").iterdir())
    store.clean()
