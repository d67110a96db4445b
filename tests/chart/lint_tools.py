"""Two linters that are too large for the virtual environment: each test run shares one installation in the cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.locks import locked
from tests.cluster.paths import cache_folder

LOCK: Final = Path(__file__).with_name("lint.lock")


def lint_tools() -> Path:
    """Give the folder of the programs, installing them if they are not there; raises ClusterError."""
    key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = cache_folder() / "lint" / f"{key}-{sys.version_info.major}.{sys.version_info.minor}"
    with locked(folder.parent / ".lock"):
        if not folder.exists():
            say(f"Installing checkov and kubernetes-validate into {folder}.")
            _install(folder)
    return folder / "bin"


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    uv = (sys.executable, "-m", "uv", "--quiet")
    for command in (
        [*uv, "venv", "--python", sys.executable, str(folder)],
        [*uv, "pip", "install", "--python", str(folder), "--require-hashes", "--no-deps", "-r", str(LOCK)],
    ):
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise ClusterError(f"The linters cannot be installed: {answer.stderr.strip()}")
