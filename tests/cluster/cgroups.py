"""The cgroups of one cluster: a folder of its own in every hierarchy, version 1 or 2."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.cluster.addresses import mark_of
from tests.cluster.waiting import wait_for

ROOT = Path("/sys/fs/cgroup")

EMPTY_WITHIN_SECONDS = 30
"""The kernel takes a moment to take killed processes out of their cgroup."""


def cgroup_of(state: Path) -> str:
    """Return the name of the cluster's cgroup."""
    return f"periodicbuild-{mark_of(state)}"


def create_cgroups(state: Path) -> None:
    """Create the cluster's cgroup wherever the kubelet looks for it."""
    for hierarchy in _hierarchies():
        (hierarchy / cgroup_of(state)).mkdir(exist_ok=True)


def remove_cgroups(state: Path) -> None:
    """Remove the cluster's cgroups and all below; its processes must have ended."""
    for hierarchy in _hierarchies():
        top = hierarchy / cgroup_of(state)
        wait_for(partial(_is_removed, top), within_seconds=EMPTY_WITHIN_SECONDS, what=f"{top} still has processes")


def _hierarchies() -> list[Path]:
    """Return the one of version 2, or each of version 1 (where ROOT is only a folder of them)."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    # Controllers mounted together also have links by their single names.
    return [path for path in sorted(ROOT.iterdir()) if path.is_dir() and not path.is_symlink()] if ROOT.exists() else []


def _is_removed(top: Path) -> bool:
    if not top.exists():
        return True
    try:
        folders = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for folder in (*folders, top):  # children before their parents
            folder.rmdir()
    except OSError:
        return False
    return True
