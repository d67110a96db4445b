"""Build the image from the Dockerfile: `python -m tests.release.image`.

Where a registry can be reached `docker build .` does the same.  Where none can, there is no base either: then one is
made of Debian packages, with the Python that Debian has, and handed to the Dockerfile in the place of its default.

The one idea a newcomer would miss: buildah needs neither a daemon nor a registry, and all that it keeps lies in a
folder of the cache.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.figures import ROOT
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.locks import locked
from tests.cluster.packages import Need, ensure_packages
from tests.cluster.paths import cache_folder
from tests.release.debian import FILES, SUITE, bootstrap
from tests.release.version import revision, source_date, version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME: Final = "periodicbuild/periodicbuild"
BASE: Final = "localhost/periodicbuild/base"
PACKAGES: Final = ("ca-certificates", "python3", "python3-venv")
AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
NEED: Final = Need(
    purpose="Building the image",
    files={"buildah": ("buildah",), **FILES},
    otherwise="Where a registry can be reached, `docker build .` does the same.",
)


@dataclass(frozen=True, slots=True)
class Buildah:
    """Buildah, with all that it keeps in one folder."""

    folder: Path = field(default_factory=lambda: cache_folder() / "images")

    def run(self, *arguments: str | Path, cwd: Path = ROOT) -> str:
        """Run it and give what it says; raises ClusterError with its last words."""
        storage = (f"--root={self.folder}/root", f"--runroot={self.folder}/run", "--storage-driver=vfs")
        command = ["buildah", *storage, *map(str, arguments)]
        answer = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        if answer.returncode:
            said = (answer.stderr or answer.stdout).strip()
            raise ClusterError(f"buildah {arguments[0]} failed: {said[-2000:]}")
        return answer.stdout.strip()

    def has(self, image: str) -> bool:
        """Tell whether an image is there."""
        return bool(self.run("images", "--quiet", "--filter", f"reference={image}"))


def build(archive: Path, *, base: str | None = None) -> str:
    """Build the image into an OCI archive and give its name; `base` is one of the Dockerfile's kind, None = our own."""
    ensure_packages(NEED)
    buildah, name = Buildah(), f"{NAME}:{version()}"
    with locked(buildah.folder / ".lock", on_wait=lambda: say("Somebody else builds an image; waiting.")):
        if base is None:
            base = f"{BASE}:{SUITE}"
            if not buildah.has(base):
                _make_base(buildah, base)
        say(f"Building {name} on {base}.")
        _build(buildah, name, base)
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.unlink(missing_ok=True)
        buildah.run("push", "--quiet", f"localhost/{name}", f"oci-archive:{archive}:localhost/{name}")
        buildah.run("rmi", f"localhost/{name}")
    return name


def _build(buildah: Buildah, name: str, base: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(pip_settings(os.environ))
        settings.flush()
        buildah.run(
            "bud",
            "--quiet",
            "--isolation=chroot",
            "--no-cache",
            f"--timestamp={source_date()}",
            f"--build-arg=BASE={base}",
            f"--build-arg=VERSION={version()}",
            f"--build-arg=REVISION={revision()}",
            f"--secret=id=pip.conf,src={settings.name}",
            *([f"--volume={AUTHORITIES}:{AUTHORITIES}:ro"] if AUTHORITIES.exists() else []),
            f"--tag=localhost/{name}",
            ".",
        )


def _make_base(buildah: Buildah, base: str) -> None:
    """Make an image of Debian with its Python: half the work of an image that somebody else would have made."""
    say(f"Making a base image of Debian {SUITE} with its Python; this takes a minute.")
    with tempfile.TemporaryDirectory(prefix="periodicbuild-base-") as folder:
        tree = Path(folder) / "tree"
        bootstrap(tree, PACKAGES)
        for what in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
            subprocess.run(["rm", "-rf", "--one-file-system", tree / what], check=True)
        container = buildah.run("from", "scratch")
        try:
            buildah.run("add", "--quiet", container, tree, "/")
            buildah.run("commit", "--quiet", f"--timestamp={source_date()}", container, base)
        finally:
            buildah.run("rm", container)


def pip_settings(environment: Mapping[str, str]) -> str:
    """Give pip's settings of the environment as a file: an index of one's own counts for a build too."""
    prefix = "PIP_"
    settings = {
        name.removeprefix(prefix).lower().replace("_", "-"): value
        for name, value in sorted(environment.items())
        if name.startswith(prefix)
    }
    return "\n".join(("[global]", *(f"{name} = {value}" for name, value in settings.items()), ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build it, and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.release.image", description="Build the image.")
    parser.add_argument("--archive", type=Path, default=ROOT / "dist" / f"periodicbuild-{version()}-image.tar")
    parser.add_argument("--base", help="in place of one made of Debian's packages")
    options = parser.parse_args(arguments)
    try:
        name = build(options.archive, base=options.base)
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    say(f"{name} is in {options.archive}: {options.archive.stat().st_size / 1e6:.0f} MB to pull.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
