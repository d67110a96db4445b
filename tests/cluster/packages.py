"""See to it that the machine has what Debian packages bring, or say in one sentence what is missing.

Some packages would start a service of their own; nobody asked for that, so it is kept from starting.  Two groups of
tests may want packages at the same time: the second one waits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.console import say
from tests.cluster.errors import ClusterError, LevelUnavailableError
from tests.cluster.locks import locked
from tests.cluster.paths import cache_folder

CNI_FOLDER = Path("/usr/lib/cni")
"""Where Debian puts the plug-ins, which it keeps off PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is needed for what."""

    purpose: str
    """As in `A real node`, which then needs root, or packages."""
    files: Mapping[str, tuple[str, ...]]
    """Debian package to what is used of it: programs on PATH, or files."""
    otherwise: str = ""
    """What works without."""

    @property
    def missing(self) -> list[str]:
        """Name the packages of which a file is missing."""
        return [package for package, files in self.files.items() if not all(map(_is_there, files))]


NODE = Need(
    purpose="A real node",
    files={
        "containerd": ("containerd", "ctr"),
        "runc": ("runc",),
        "containernetworking-plugins": (f"{CNI_FOLDER}/bridge", f"{CNI_FOLDER}/host-local", f"{CNI_FOLDER}/loopback"),
        "busybox-static": ("/bin/busybox",),
        "iproute2": ("ip",),
        "iptables": ("iptables",),
        "util-linux": ("unshare", "nsenter"),
    },
    otherwise=(
        "Without it, `--level simulated` works: pods are scheduled and complete there, but nothing runs in them."
    ),
)

POLICY = Path("/usr/sbin/policy-rc.d")
NO_SERVICES = "#!/bin/sh\n# For the time of one apt-get (tests of periodicbuild): no service starts.\nexit 101\n"


def ensure_packages(need: Need) -> None:
    """Install what is missing, on Debian as root; raises LevelUnavailableError, whose sentence says what it lacks."""
    missing = need.missing
    if os.geteuid() != 0:
        needed = f" and the packages {', '.join(missing)}" if missing else ""
        raise _unavailable(need, f"{need.purpose} needs root{needed}.")
    if not missing:
        return
    if not (Path("/etc/debian_version").exists() and shutil.which("apt-get")):
        raise _unavailable(need, f"{need.purpose} needs what Debian calls {', '.join(missing)}: install it by hand.")
    with locked(cache_folder() / ".packages.lock"):
        _install(need)
    if still := need.missing:
        raise ClusterError(f"{', '.join(still)} is installed but its programs are not found: is /usr/sbin on PATH?")


def _is_there(file: str) -> bool:
    return Path(file).exists() if "/" in file else shutil.which(file) is not None


def _unavailable(need: Need, sentence: str) -> LevelUnavailableError:
    return LevelUnavailableError(f"{sentence} {need.otherwise}".strip())


def _install(need: Need) -> None:
    packages = need.missing  # who was here before may have installed some
    if not packages:
        return
    say(f"{need.purpose} needs Debian's {', '.join(packages)}: installing.")
    with _no_services_started():
        _apt_get(need, "update", "-q")
        # --no-remove: busybox-static replaces busybox, and what else that would take away is the person's to decide.
        _apt_get(need, "install", "-q", "-y", "--no-install-recommends", "--no-remove", *packages)
    if "containerd" in packages and Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "disable", "--now", "containerd"], capture_output=True, check=False)
        say("Its own containerd service stays off; to have it: systemctl enable --now containerd")


def _apt_get(need: Need, *arguments: str) -> None:
    command = ["apt-get", *arguments]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise _unavailable(need, f"{' '.join(command)} failed: {(answer.stderr or answer.stdout).strip()}\n")


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Let Debian's own switch forbid services meanwhile, unless the machine has set it already."""
    if POLICY.exists() and POLICY.read_text() != NO_SERVICES:
        yield
        return
    POLICY.write_text(NO_SERVICES)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
