"""Make everything that is handed out, the same each time: `python -m tests.release.release`, or `make release`.

The one idea a newcomer would miss: equal sources make equal files, byte for byte, so that anybody can check that a
release is of the commit it says.  Times are the commit's, owners are nobody, order is the alphabet's.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.figures import ROOT
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.release import image
from tests.release.version import source_date, version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DIST: Final = ROOT / "dist"
CHART: Final = ROOT / "charts" / "periodicbuild"
PLAIN: Final = ("crds", "manifests")
"""Folders that kubectl applies."""


def make(folder: Path, *, with_image: bool) -> list[Path]:
    """Make everything, and give the files; the last one has the hashes of the others."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"periodicbuild-{version()}"
    files = [
        _wheel(folder),
        write_archive(folder / f"{name}-chart.tgz", {path: f"periodicbuild/{at}" for path, at in _files(CHART)}),
        write_archive(
            folder / f"{name}-manifests.tgz",
            {path: f"{name}/{part}/{at}" for part in PLAIN for path, at in _files(ROOT / part)},
        ),
        _materials(folder / f"{name}-sbom.cdx.json"),
    ]
    if with_image:
        archive = folder / f"{name}-image.tar"
        image.build(archive)
        files.append(archive)
    sums = folder / f"{name}-sha256.txt"
    sums.write_text("".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files))
    return [*files, sums]


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    _run([*command, "--wheel-dir", str(folder), str(ROOT)])
    return folder / f"periodicbuild-{version()}-py3-none-any.whl"


def _materials(file: Path) -> Path:
    """List what the image is made of, from its lock file (CycloneDX)."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    lock = ROOT / "requirements-image.lock"
    options = ["--output-reproducible", "--spec-version=1.6", f"--pyproject={ROOT / 'pyproject.toml'}"]
    _run([str(program), "requirements", str(lock), *options, f"--output-file={file}"])
    return file


def _run(command: Sequence[str]) -> None:
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(source_date())}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command[:4])} failed: {(answer.stderr or answer.stdout).strip()}")


def _files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Give every file below a folder with its place in it."""
    return ((path, path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())


def write_archive(file: Path, members: dict[Path, str]) -> Path:
    """Write an archive of files under other names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, name in sorted(members.items(), key=lambda member: member[1]):
            entry, content = tarfile.TarInfo(name), path.read_bytes()
            entry.size, entry.mtime, entry.mode = len(content), source_date(), 0o644
            archive.addfile(entry, io.BytesIO(content))
    file.write_bytes(gzip.compress(buffer.getvalue(), mtime=source_date()))
    return file


def main(arguments: Sequence[str] | None = None) -> int:
    """Make everything, and say what there is."""
    parser = argparse.ArgumentParser(prog="python -m tests.release.release", description="Make a release.")
    parser.add_argument("--folder", type=Path, default=DIST)
    parser.add_argument("--without-image", action="store_true", help="for a look at the rest, in seconds")
    options = parser.parse_args(arguments)
    try:
        for file in make(options.folder, with_image=not options.without_image):
            say(f"{file.stat().st_size / 1e6:8.2f} MB  {file}")
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
