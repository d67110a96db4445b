"""Bring clusters up and down, and clean up after runs that were killed.

`down` never trusts the record: it looks for what carries the mark of the state folder, so it also ends what a killed
`up` left half done. `up` begins with the same cleaning.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace

from tests.cluster import processes
from tests.cluster.certificates import Authority
from tests.cluster.cluster import LocalCluster
from tests.cluster.console import say
from tests.cluster.control_plane import start_control_plane, start_scheduler
from tests.cluster.errors import ClusterError
from tests.cluster.levels import Level
from tests.cluster.locks import locked
from tests.cluster.node import open_namespaces, start_node, stop_node
from tests.cluster.packages import ensure_node_packages
from tests.cluster.paths import StateFolder, clusters_folder
from tests.cluster.programs import find_programs
from tests.cluster.record import Owner, Record, read_record, write_record
from tests.cluster.simulation import start_simulation
from tests.cluster.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What `up` is asked for."""

    name: str
    level: Level
    has_audit_log: bool = True
    ends_with_this_process: bool = False
    """Whether the cluster is of no use to anybody once this process is gone; the next `up` of any name clears it."""


def up(wish: Wish) -> LocalCluster:
    """Return the wished cluster, ready: the one that runs already, or a new one."""
    if not sys.platform.startswith("linux"):
        raise ClusterError("The local cluster needs Linux; elsewhere set KUBECONFIG to a cluster for tests.")
    state = StateFolder.of(wish.name)
    remove_abandoned(but=wish.name)
    with locked(state.lock, on_wait=lambda: say(f"Another run works on the cluster {wish.name}; waiting for it.")):
        existing = find(wish.name)
        if existing and existing.level == wish.level and existing.record.is_complete:
            if not existing.missing_components():
                return existing
            say(f"The cluster {wish.name} lacks {', '.join(existing.missing_components())}: it is started anew.")
        _remove(state)
        return _create(state, wish)


def down(name: str) -> None:
    """End everything of a cluster and forget it; do nothing where there is nothing."""
    state = StateFolder.of(name)
    with locked(state.lock):
        _remove(state)
        # A lock file in use by nobody else may go; who waits on the removed one finds an empty place and starts anew.
        state.lock.unlink(missing_ok=True)


def find(name: str) -> LocalCluster | None:
    """Return the cluster called name, whatever state it is in; None where `up` never got as far as an address."""
    state = StateFolder.of(name)
    record = read_record(state)
    return LocalCluster.of(state, record) if record and record.server else None


def names() -> list[str]:
    """Name all clusters of this user."""
    folder = clusters_folder()
    found = folder.iterdir() if folder.exists() else ()
    return sorted(path.name for path in found if path.is_dir())


def remove_abandoned(but: str) -> None:
    """Remove the clusters whose owner is gone: sessions and `up`s that were killed."""
    for name in names():
        record = read_record(StateFolder.of(name))
        if name != but and record and record.is_abandoned:
            say(f"Removing the cluster {name}: the run that started it is gone.")
            down(name)


def _create(state: StateFolder, wish: Wish) -> LocalCluster:
    owner = Owner.this_process()
    # Before anything is started: whoever comes after a kill must be able to tell that this was unfinished.
    write_record(state, Record(level=wish.level, owner=owner, programs={}))
    if wish.level is Level.NODE:
        ensure_node_packages()
    programs = {name: str(path) for name, path in find_programs(wish.level.programs).items()}
    record = Record(level=wish.level, owner=owner, programs=programs)
    site = Site(state=state, authority=Authority.create(), record=record, has_audit_log=wish.has_audit_log)
    try:
        _start(site)
    except BaseException:
        processes.stop(state.root)  # the files stay, for the person who reads the error
        raise
    site.note(replace(site.record, owner=owner if wish.ends_with_this_process else None, is_complete=True))
    return LocalCluster.of(state, site.record)


def _start(site: Site) -> None:
    """Start what the level has, in the order in which one needs the other."""
    match site.level:
        case Level.CONTROL_PLANE:
            start_control_plane(site)
        case Level.SIMULATED:
            start_control_plane(site)
            start_scheduler(site)
            start_simulation(site)
        case Level.NODE:
            namespaces = open_namespaces(site)
            start_control_plane(site)
            start_scheduler(site)
            start_node(site, namespaces)


def _remove(state: StateFolder) -> None:
    processes.stop(state.root)
    if os.geteuid() == 0:  # nobody else can have made what a node leaves
        stop_node(state)
    if state.root.exists():
        shutil.rmtree(state.root)
