"""Make container images from Debian's busybox-static, byte for byte the same each time: no registry is needed.

The archive is an OCI layout with two images of one layer: the test image and the one that holds a pod's namespaces.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.errors import ClusterError

BUSYBOX = Path("/bin/busybox")
PAUSE_IMAGE = "localhost/periodicbuild/pause:test"

NOBODY = 65534
"""Images run as this user, so that pods with runAsNonRoot need not say who."""

SLEEP_SECONDS = "2147483647"
"""For ever, in every version of busybox."""

PASSWD = f"root:x:0:0:root:/:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}:nobody:/tmp:/bin/sh\n"
GROUP = f"root:x:0:\nnogroup:x:{NOBODY}:\n"

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME_FOR_CONTAINERD = "io.containerd.image.name"
"""The annotation by which containerd names what it imports."""

Descriptor = dict[str, Any]


def write_images(path: Path, architecture: str, test_image: str) -> None:
    """Write the archive of both images to path."""
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    path.write_bytes(render_images(busybox_program(), applets, architecture, test_image))


def busybox_program() -> bytes:
    """Return busybox; raise where it is the one that needs shared libraries, which no image of ours has."""
    program = BUSYBOX.read_bytes()
    if b"/ld-linux" in program[:4096]:
        raise ClusterError(f"{BUSYBOX} is not statically linked: apt-get install busybox-static")
    return program


def render_images(busybox: bytes, applets: Sequence[str], architecture: str, test_image: str) -> bytes:
    """Return the archive: equal for equal arguments."""
    layout = _Layout(architecture)
    layer = layout.add(_root_filesystem(busybox, applets), LAYER)
    layout.add_image(test_image, layer, {"Cmd": ["/bin/sh"], "User": f"{NOBODY}:{NOBODY}"})
    layout.add_image(PAUSE_IMAGE, layer, {"Entrypoint": ["/bin/busybox", "sleep", SLEEP_SECONDS], "User": str(NOBODY)})
    return layout.render()


@dataclass(slots=True)
class _Layout:
    """An OCI layout that grows."""

    architecture: str
    blobs: dict[str, bytes] = field(default_factory=dict)
    images: list[Descriptor] = field(default_factory=list)

    def add(self, content: bytes, media_type: str) -> Descriptor:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def add_image(self, name: str, layer: Descriptor, config: Mapping[str, object]) -> None:
        image = {
            "architecture": self.architecture,
            "os": "linux",
            "config": {"Env": ["PATH=/bin"], **config},
            # The layer is not compressed, so its digest is that of its content too.
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._add_json(image, CONFIG),
            "layers": [layer],
        }
        self.images.append(self._add_json(manifest, MANIFEST) | {"annotations": {NAME_FOR_CONTAINERD: name}})

    def render(self) -> bytes:
        index = {"schemaVersion": 2, "manifests": self.images}
        files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": _json(index)}
        files |= {f"blobs/sha256/{digest}": content for digest, content in self.blobs.items()}
        return _tar([_file(name, content) for name, content in sorted(files.items())])

    def _add_json(self, value: object, media_type: str) -> Descriptor:
        return self.add(_json(value), media_type)


Entry = tuple[tarfile.TarInfo, bytes]


def _root_filesystem(busybox: bytes, applets: Sequence[str]) -> bytes:
    links = [_link(f"bin/{applet}", "/bin/busybox") for applet in sorted(set(applets) - {"busybox"})]
    folders = [_folder("bin", 0o755), _folder("etc", 0o755), _folder("tmp", 0o1777)]
    files = [
        _file("bin/busybox", busybox, 0o755),
        _file("etc/passwd", PASSWD.encode()),
        _file("etc/group", GROUP.encode()),
    ]
    return _tar([*folders, *files, *links])


def _file(name: str, content: bytes, mode: int = 0o644) -> Entry:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size = mode, len(content)
    return entry, content


def _folder(name: str, mode: int) -> Entry:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    return entry, b""


def _link(name: str, target: str) -> Entry:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
    return entry, b""


def _tar(entries: Sequence[Entry]) -> bytes:
    buffer = io.BytesIO()
    # TarInfo's defaults are what makes it the same each time: no owner and the time 0.
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry, content in entries:
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
