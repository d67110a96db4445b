"""See to it that the machine has what a real node needs, or say in one sentence what is missing and what works without.

The package containerd would start a service of its own; nobody asked for that, so it is kept from starting.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.console import say
from tests.cluster.errors import ClusterError, LevelUnavailableError

CNI_FOLDER = Path("/usr/lib/cni")
"""Where Debian puts the plug-ins, which it keeps off PATH."""

FILES_OF_PACKAGES = {
    "containerd": ("containerd", "ctr"),
    "runc": ("runc",),
    "containernetworking-plugins": (f"{CNI_FOLDER}/bridge", f"{CNI_FOLDER}/host-local", f"{CNI_FOLDER}/loopback"),
    "busybox-static": ("/bin/busybox",),
    "iproute2": ("ip",),
    "util-linux": ("unshare", "nsenter"),
}
"""Debian package to what a node uses of it: programs on PATH, or files."""

POLICY = Path("/usr/sbin/policy-rc.d")
NO_SERVICES = (
    "#!/bin/sh\n# For the time of one apt-get (local cluster of periodicbuild): no service starts.\nexit 101\n"
)

WITHOUT = "Without it, `--level simulated` works: pods are scheduled and complete there, but nothing runs in them."


def ensure_node_packages() -> None:
    """Install what is missing, on Debian as root; raise the one sentence elsewhere."""
    missing = missing_packages()
    if os.geteuid() != 0:
        needed = f" and the packages {', '.join(missing)}" if missing else ""
        raise LevelUnavailableError(f"A real node needs root{needed}. {WITHOUT}")
    if not missing:
        return
    if not (Path("/etc/debian_version").exists() and shutil.which("apt-get")):
        raise LevelUnavailableError(
            f"A real node needs what Debian calls {', '.join(missing)}: install it by hand. {WITHOUT}"
        )
    _install(missing)
    if still := missing_packages():
        raise ClusterError(f"{', '.join(still)} is installed but its programs are not found: is /usr/sbin on PATH?")


def missing_packages() -> list[str]:
    """Name the packages of which a file is missing."""
    return [
        package
        for package, files in FILES_OF_PACKAGES.items()
        if not all(Path(file).exists() if "/" in file else shutil.which(file) for file in files)
    ]


def _install(packages: list[str]) -> None:
    say(f"Installing Debian's {', '.join(packages)} for the real node.")
    with _no_services_started():
        _apt_get("update", "-q")
        # --no-remove: busybox-static replaces busybox, and what else that would take away is the person's to decide.
        _apt_get("install", "-q", "-y", "--no-install-recommends", "--no-remove", *packages)
    if "containerd" in packages and Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "disable", "--now", "containerd"], capture_output=True, check=False)
        say("Its own containerd service stays off; to have it: systemctl enable --now containerd")


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", *arguments]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise LevelUnavailableError(
            f"{' '.join(command)} failed: {(answer.stderr or answer.stdout).strip()}\n{WITHOUT}"
        )


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
