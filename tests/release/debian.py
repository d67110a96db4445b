"""Debian's smallest variant in a folder, for whoever needs a machine's files and has no registry to fetch them from.

The one idea: what is started in namespaces of its own for mounts and processes ends with whoever started it, and its
mounts end with it.  The machine itself never sees them.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUITE: Final = "bookworm"
SOURCES: Final = Path("/etc/apt/sources.list.d/debian.sources")
MIRROR: Final = "http://deb.debian.org/debian"
"""Unless the machine has another."""
ALONE: Final = ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child")
"""Whatever it starts ends with this process, also when that is killed, and takes its mounts along."""
FILES: Final[Mapping[str, tuple[str, ...]]] = {"debootstrap": ("debootstrap",), "util-linux": ("unshare", "setpriv")}
"""What `bootstrap` needs, by package."""


def bootstrap(root: Path, packages: Sequence[str]) -> None:
    """Fill a folder with Debian and these packages; raises ClusterError with the last words of what failed."""
    # debootstrap mounts too, and forgets it when it is killed.
    alone = (*ALONE, "--mount-proc")
    include = f"--include={','.join(packages)}"
    command = [*alone, "debootstrap", "--variant=minbase", include, SUITE, str(root), mirror()]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    if answer.returncode:
        raise ClusterError(f"debootstrap failed: {(answer.stdout + answer.stderr).strip()[-2000:]}")


def mirror() -> str:
    """Give the address that this machine has Debian's packages from."""
    text = SOURCES.read_text() if SOURCES.exists() else ""
    found = re.search(r"^URIs: *(\S+)", text, re.MULTILINE)
    return found.group(1) if found else MIRROR
