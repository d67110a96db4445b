"""Build the programs with one `go build`, and show how far it is.

`go list` says beforehand which packages the build cache lacks, `go build -v` names each as it is compiled: so the bar
counts packages compiled of packages to compile, which is the truth and not a guess.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.progress import BuildProgress, estimated_seconds, in_words
from tests.cluster.toolchain import MODULE, find_go, go_environment

KEPT_LINES = 30
"""Of what the compiler said, for the error message."""


def build(packages: Mapping[str, str], folder: Path, flags: Sequence[str], *, keep_open: int) -> None:
    """Build each package into folder under its program's name.

    keep_open is the descriptor of the caller's lock: should we be killed, the compiler goes on and holds the lock.
    """
    go = find_go()
    say(f"Building {', '.join(packages)} once; counting what there is to compile (and fetching modules, if needed).")
    to_compile = _packages_to_compile(go, list(packages.values()), flags)
    expected = in_words(estimated_seconds(len(to_compile), len(to_compile), 0, os.cpu_count() or 1))
    say(f"{len(to_compile)} Go packages to compile, then to link: {expected} expected.")
    command = [str(go), "build", "-v", *flags, "-o", f"{folder}/", *packages.values()]
    _run(command, to_compile, keep_open)
    for name, package in packages.items():
        (folder / program_name(package)).rename(folder / name)


def program_name(package: str) -> str:
    """Return the name that `go build` gives a package's program: its last element that is no major version."""
    *rest, last = package.split("/")
    return rest[-1] if last.startswith("v") and last[1:].isdigit() else last


def _packages_to_compile(go: Path, packages: Sequence[str], flags: Sequence[str]) -> frozenset[str]:
    command = [str(go), "list", *flags, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *packages]
    answer = subprocess.run(
        command,
        cwd=MODULE,
        env=go_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise ClusterError(f"Go cannot load the modules of {MODULE}:\n{_tail(answer.stderr.splitlines())}")
    return frozenset(answer.stdout.split())


def _run(command: Sequence[str], to_compile: frozenset[str], keep_open: int) -> None:
    with (
        BuildProgress(len(to_compile), os.cpu_count() or 1) as progress,
        subprocess.Popen(
            command, cwd=MODULE, env=go_environment(), stderr=subprocess.PIPE, text=True, pass_fds=[keep_open]
        ) as go,
    ):
        other_lines = follow(go.stderr or (), to_compile, progress.compiled_one_more)
    if go.returncode:
        raise ClusterError(f"go build failed with {go.returncode}:\n{_tail(other_lines)}")


def follow(lines: Iterable[str], to_compile: frozenset[str], on_compiled: Callable[[], None]) -> list[str]:
    """Call on_compiled for each line of `go build -v` that names a package; return the others: errors, downloads."""
    others = []
    for line in lines:
        if line.strip() in to_compile:
            on_compiled()
        else:
            others.append(line)
    return others


def _tail(lines: Sequence[str]) -> str:
    return "\n".join(line.rstrip() for line in lines[-KEPT_LINES:])
