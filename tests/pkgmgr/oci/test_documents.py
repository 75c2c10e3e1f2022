"""The documents of images: the same bytes for the same, and what anybody wrote read or refused in one line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.oci.descriptors import Descriptor, ImageManifest, parse_document
from pkgmgr.oci.documents import (
    ImageDocument,
    Step,
    canonical_json,
    image_json,
    layer_compression,
    layer_media_type,
    manifest_json,
    parse_image,
)
from pkgmgr.oci.platforms import Platform
from pkgmgr.rootfs.image import ImageConfig

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.filter(lambda text: text != "" and "=" not in text)
MOMENTS = st.integers(0, 253402300799)
CONFIGS = st.builds(
    ImageConfig,
    st.dictionaries(NAMES, TEXTS, max_size=4),
    st.lists(TEXTS, max_size=3).map(tuple),
    st.lists(TEXTS, max_size=3).map(tuple),
    TEXTS.map(lambda text: "/" + text) | st.just(""),
    TEXTS,
    st.dictionaries(TEXTS, TEXTS, max_size=4),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=15,
)


@st.composite
def documents(draw: st.DrawFn) -> ImageDocument:
    diff_ids = tuple(draw(st.lists(DIGESTS, max_size=4)))
    steps = tuple(Step(draw(TEXTS), draw(MOMENTS)) for _ in diff_ids)
    return ImageDocument(Platform("linux", "wasm", draw(TEXTS)), draw(CONFIGS), draw(MOMENTS), diff_ids, steps)


@settings(max_examples=60)
@given(documents())
def test_a_configuration_comes_back(document: ImageDocument) -> None:
    assert parse_image(image_json(document)) == document


def test_the_bytes_of_a_configuration() -> None:
    config = ImageConfig({"B": "2", "A": "1"}, ("/bin/x",), labels={"z": "é", "a": ""})
    document = ImageDocument(
        Platform("linux", "wasm"), config, 1_700_000_000, ("sha256:" + "0" * 64,), (Step("wpm: x"),)
    )
    assert image_json(document) == (
        b'{"architecture":"wasm","config":{"Entrypoint":["/bin/x"],"Env":["A=1","B=2"],"Labels":{"a":"","z":"\\u00e9"}},'
        b'"created":"2023-11-14T22:13:20Z","history":[{"created":"1970-01-01T00:00:00Z","created_by":"wpm: x"}],'
        b'"os":"linux","rootfs":{"diff_ids":["sha256:' + b"0" * 64 + b'"],"type":"layers"}}'
    )


def test_a_year_that_no_date_has() -> None:
    with pytest.raises(WpmError, match="behind the year 9999"):
        image_json(ImageDocument(Platform("linux", "wasm"), created=1 << 40))


@settings(max_examples=40)
@given(
    DIGESTS,
    st.lists(st.tuples(DIGESTS, st.integers(0, 1 << 40)), max_size=4),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
)
def test_a_manifest_comes_back(config: str, layers: list[tuple[str, int]], annotations: dict[str, str]) -> None:
    written = [Descriptor(digest, size, layer_media_type("zstd")) for digest, size in layers]
    data = manifest_json(Descriptor(config, 7, "application/x"), written, annotations)
    assert parse_document(data) == ImageManifest(Descriptor(config, 7, "application/x"), tuple(written), annotations)


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_media_types_of_layers(compression: str) -> None:
    assert layer_compression(layer_media_type(compression)) == compression
    assert layer_compression("application/vnd.docker.image.rootfs.diff.tar.gzip") == "gzip"
    assert layer_compression("application/vnd.wasm.content.layer.v1+wasm") is None


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"rootfs": {"diff_ids": ["sha256:" + "0" * 63]}}, "digest"),
        ({"rootfs": {"diff_ids": ["md5:" + "0" * 32]}}, "sha256"),
        ({"rootfs": {"diff_ids": "sha256"}}, "rootfs.diff_ids"),
        ({"rootfs": []}, "rootfs"),
        ({"config": {"Env": ["=x"]}}, "config.Env"),
        ({"config": {"Env": [1]}}, "config.Env"),
        ({"config": {"Env": ["A=a\0b"]}}, "config.Env"),
        ({"config": {"Entrypoint": "/bin/sh"}}, "config.Entrypoint"),
        ({"config": {"Cmd": [None]}}, "config.Cmd"),
        ({"config": {"WorkingDir": "relative"}}, "config.WorkingDir"),
        ({"config": {"Labels": {"a": 1}}}, "config.Labels.a"),
        ({"config": {"Labels": ["a"]}}, "config.Labels"),
        ({"config": {"User": ["root"]}}, "config.User"),
        ({"created": "yesterday"}, "created"),
        ({"os": 3}, "os"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], key: str) -> None:
    with pytest.raises(WpmError, match=key):
        parse_image(json.dumps({"os": "linux", "architecture": "wasm", "rootfs": {"diff_ids": []}, **change}).encode())


def test_what_others_leave_out_or_add() -> None:
    document = parse_image(
        b'{"os":"linux","architecture":"amd64","config":{"Env":null,"Cmd":null,"Volumes":{"/x":{}}},"rootfs":{"diff_ids":null},'
        b'"created":"0001-01-01T00:00:00Z","history":[{"empty_layer":true,"created_by":"ENV"}],"docker_version":"1"}'
    )
    assert document == ImageDocument(Platform("linux", "amd64"))
    with_fraction = parse_image(b'{"created":"2023-11-14T23:13:20.123456789+01:00"}')
    assert with_fraction.created == 1_700_000_000


@settings(max_examples=150)
@given(ANYTHING)
def test_anything_is_read_or_refused(value: object) -> None:
    for data in (json.dumps(value).encode(), json.dumps({"config": value, "rootfs": value, "history": value}).encode()):
        try:
            parse_image(data)
        except WpmError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff", b"1" * 10_000, b'{"os":"\\ud800"}'])
def test_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(WpmError):
        parse_image(data)


def test_canonical_json_does_not_depend_on_order() -> None:
    assert canonical_json({"b": [1, {"d": 1, "c": 2}], "a": "é"}) == b'{"a":"\\u00e9","b":[1,{"c":2,"d":1}]}'
