"""The test images: an OCI layout that is the same each time."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import Any

from tests.cluster.images import PAUSE_IMAGE, render_images

BUSYBOX = b"\x7fELF stands for busybox"
TEST_IMAGE = "localhost/periodicbuild/busybox:test"


def files_of(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: extracted.read() for member in tar if (extracted := tar.extractfile(member))}


def images_of(archive: bytes) -> dict[str, Any]:
    index = json.loads(files_of(archive)["index.json"])
    return {entry["annotations"]["io.containerd.image.name"]: entry for entry in index["manifests"]}


def blob(archive: bytes, descriptor: Any) -> bytes:
    return files_of(archive)["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]


ARCHIVE = render_images(BUSYBOX, ["sh", "cat"], "amd64", TEST_IMAGE)


def test_equal_input_gives_equal_bytes_whatever_the_order_of_the_applets() -> None:
    assert render_images(BUSYBOX, ["cat", "sh"], "amd64", TEST_IMAGE) == ARCHIVE


def test_another_busybox_gives_another_image() -> None:
    other = render_images(BUSYBOX + b"!", ["sh", "cat"], "amd64", TEST_IMAGE)

    assert images_of(other)[TEST_IMAGE]["digest"] != images_of(ARCHIVE)[TEST_IMAGE]["digest"]


def test_the_archive_holds_the_test_image_and_the_one_for_pods() -> None:
    assert set(images_of(ARCHIVE)) == {TEST_IMAGE, PAUSE_IMAGE}


def test_every_blob_is_named_by_its_digest() -> None:
    blobs = {name: content for name, content in files_of(ARCHIVE).items() if name.startswith("blobs/")}

    assert blobs
    assert all(name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}" for name, content in blobs.items())


def test_the_layer_has_busybox_and_a_link_for_each_applet() -> None:
    manifest = json.loads(blob(ARCHIVE, images_of(ARCHIVE)[TEST_IMAGE]))
    with tarfile.open(fileobj=io.BytesIO(blob(ARCHIVE, manifest["layers"][0]))) as layer:
        members = {member.name: member for member in layer}

    assert members["bin/busybox"].mode == 0o755
    assert {name: members[name].linkname for name in ("bin/cat", "bin/sh")} == dict.fromkeys(
        ("bin/cat", "bin/sh"), "/bin/busybox"
    )
    assert members["tmp"].mode == 0o1777


def test_the_configuration_agrees_with_the_layer_and_does_not_run_as_root() -> None:
    manifest = json.loads(blob(ARCHIVE, images_of(ARCHIVE)[TEST_IMAGE]))
    config = json.loads(blob(ARCHIVE, manifest["config"]))

    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    assert config["config"]["User"] == "65534:65534"
    assert config["architecture"] == "amd64"
