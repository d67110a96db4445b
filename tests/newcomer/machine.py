"""An empty machine: Debian's smallest, with what a page asks for, the checkout, and nothing else.

The one idea: its first process has namespaces of its own for mounts and processes, and its files are its root there.
When that process is killed the kernel ends every other one, and with the last of them go all mounts.  So what is left
are files, and what a local cluster leaves outside of a mount: a network link and cgroups, which have known names.
"""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.figures import ROOT
from tests.cluster import processes
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.node import stop_node
from tests.cluster.packages import Need, ensure_packages
from tests.cluster.paths import StateFolder, cache_folder
from tests.cluster.waiting import wait_for
from tests.demo.stage import undisturbed
from tests.newcomer.supplies import environment_given, write_supplies
from tests.release.debian import ALONE, FILES, SUITE, bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NEED: Final = Need(
    purpose="An empty machine",
    files={**FILES, "util-linux": ("unshare", "nsenter", "setpriv", "pivot_root")},
)
SCRIPT: Final = Path(__file__).with_name("machine.sh")
MARK: Final = "periodicbuild-machine-"
"""Begins the name of a machine's folder; the id of the process that made it follows."""
FOLDER: Final = "/var/tmp"  # noqa: S108 - mkdtemp makes a folder of its own in it; /tmp may be memory
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PREPARED_WITHIN_SECONDS: Final = 60
ENDED_WITHIN_SECONDS: Final = 60
"""The kernel needs a moment for each pod."""
CLUSTERS: Final = Path(".local/state/periodicbuild/clusters")
PROGRAMS: Final = Path(".cache/periodicbuild/kubernetes")
"""Where a machine that is warm finds what was built before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """It runs until its context ends, or it is ended."""

    root: Path
    """Its files, as seen from outside."""
    home: Path
    """Of the person who sits at it, as seen from there."""
    holder: subprocess.Popen[bytes]
    """Its namespaces are those of the machine."""
    environment: Mapping[str, str]

    @property
    def checkout(self) -> Path:
        """Say where the project is, as seen from inside."""
        return self.home / "periodicbuild"

    def outside(self, inside: Path) -> Path:
        """Give the path from outside of what is inside."""
        return self.root / inside.relative_to("/")

    def enter(self, command: str) -> list[str]:
        """Give the command that has a shell inside do what is typed."""
        spaces = f"/proc/{self.holder.pid}/ns"
        return [
            "nsenter",
            f"--mount={spaces}/mnt",
            f"--pid={spaces}/pid_for_children",
            *("setpriv", "--pdeathsig=KILL"),
            *("env", "--ignore-environment", f"--chdir={self.checkout}"),
            *(f"{name}={value}" for name, value in self.environment.items()),
            *("/bin/sh", "-c", command),
        ]

    def end(self) -> None:
        """End every process in it, and wait until the last has gone."""
        if self.holder.poll() is not None:
            return
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text()
        handles = [os.pidfd_open(pid) for pid in map(int, children.split())]
        self.holder.kill()
        self.holder.wait()
        for handle in handles:  # of the first process, which the kernel lets end after all others
            select.select([handle], [], [], ENDED_WITHIN_SECONDS)
            os.close(handle)


@contextmanager
def empty_machine(packages: Sequence[str], *, is_warm: bool) -> Iterator[Machine]:
    """Give a machine with these Debian packages; a warm one also has our programs of Kubernetes."""
    ensure_packages(NEED)
    _remove_abandoned()
    root = Path(tempfile.mkdtemp(prefix=f"{MARK}{os.getpid()}-", dir=FOLDER))
    root.chmod(0o755)  # it is the root of a whole machine, where not everybody is root
    home = _home(os.getpid())
    try:
        _install(root, packages)
        write_supplies(root)
        _check_out(root / (home / "periodicbuild").relative_to("/"))
        with _running(root, home, is_warm=is_warm) as machine:
            yield machine
    finally:
        with undisturbed():
            _remove(root, home)


def _install(root: Path, packages: Sequence[str]) -> None:
    say(f"Making an empty machine: Debian {SUITE}, its smallest variant, with {', '.join(packages)}.")
    bootstrap(root, packages)


def _check_out(folder: Path) -> None:
    """Put what is committed there, and nothing that only lies about here."""
    folder.mkdir(parents=True)
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--extract", f"--directory={folder}"], input=packed, check=True)


@contextmanager
def _running(root: Path, home: Path, *, is_warm: bool) -> Iterator[Machine]:
    programs = str(cache_folder() / "kubernetes") if is_warm else ""
    arguments = (str(root), programs, str(home / PROGRAMS))
    holder = subprocess.Popen([*ALONE, "/bin/sh", "-eu", str(SCRIPT), *arguments], start_new_session=True)
    binaries = home / "periodicbuild" / ".venv" / "bin"
    # The last part is how the plug-in's page wants it: in an environment whose bin/ is on PATH.
    environment = {"HOME": str(home), "PATH": f"{PATH}:{binaries}", "TERM": "dumb", **environment_given()}
    machine = Machine(root=root, home=home, holder=holder, environment=environment)

    def is_prepared() -> bool:
        if holder.poll() is not None:
            raise ClusterError("The machine has not come up; its script has ended.")
        return (root / "prepared").exists()

    try:
        wait_for(is_prepared, within_seconds=PREPARED_WITHIN_SECONDS, what="the machine does not come up")
        yield machine
    finally:
        with undisturbed():
            machine.end()


def _home(pid: int) -> Path:
    """Give each machine another: clusters are told apart by their folders, and network and cgroups are shared."""
    return Path("/home") / f"newcomer-{pid}"


def _remove_abandoned() -> None:
    """Remove what is left of machines whose processes were killed together with the one that made them."""
    for root in Path(FOLDER).glob(f"{MARK}*"):
        pid = int(root.name.removeprefix(MARK).partition("-")[0])
        if processes.started_at(pid) is None:
            _remove(root, _home(pid))


def _remove(root: Path, home: Path) -> None:
    say(f"Removing the machine in {root}.")
    clusters = root / (home / CLUSTERS).relative_to("/")
    for cluster in clusters.iterdir() if clusters.exists() else ():
        stop_node(StateFolder(home / CLUSTERS / cluster.name))
    subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)
