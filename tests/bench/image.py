"""How large the image is, and whether it is the same each time it is built."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from pathlib import Path

from tests.release.image import build


def measure_image() -> dict[str, float]:
    """Build it twice, and give the figures."""
    with tempfile.TemporaryDirectory(prefix="periodicbuild-image-") as folder:
        first, second = Path(folder) / "first.tar", Path(folder) / "second.tar"
        for archive in (first, second):
            build(archive)
        return {
            "image-mb": first.stat().st_size / 1e6,
            "image-differences": len(blobs(first).items() ^ blobs(second).items()),
        }


def blobs(archive: Path) -> dict[str, str]:
    """Give what an OCI archive is made of: name to digest.  Blobs are named by their own."""
    with tarfile.open(archive) as tar:
        files = {one.name: tar.extractfile(one) for one in tar if one.isfile()}
        return {name: hashlib.sha256(file.read()).hexdigest() for name, file in files.items() if file is not None}
