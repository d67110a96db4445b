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
from tests.cluster.packages import NODE, ensure_packages
from tests.cluster.paths import NAME_PATTERN, StateFolder, clusters_folder
from tests.cluster.programs import find_programs
from tests.cluster.record import Owner, Record, read_record, write_record
from tests.cluster.simulation import start_simulation
from tests.cluster.site import CONTROLLER_QPS, Site, check_alive


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What `up` is asked for."""

    name: str
    level: Level
    has_audit_log: bool = True
    collects_garbage: bool = True
    """Whether the API server does so by itself; otherwise when it is asked to (`LocalCluster.collect_garbage`)."""
    controller_qps: int = CONTROLLER_QPS
    """Requests a second that each controller of kube-controller-manager may send."""
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
        programs = _prepare_machine(wish.level)  # before a cluster of another level is given up for nothing
        _remove(state)
        return _create(state, wish, programs)


def down(name: str) -> None:
    """End everything of a cluster and forget it; do nothing where there is nothing."""
    state = StateFolder.of(name)
    with locked(state.lock):
        _remove(state)
        state.lock.unlink()  # who waits for it notices


def find(name: str) -> LocalCluster | None:
    """Return the cluster called name, whatever state it is in; None where `up` never got as far as an address."""
    state = StateFolder.of(name)
    record = read_record(state)
    return LocalCluster.of(state, record) if record and record.server else None


def names() -> list[str]:
    """Name all clusters of this user."""
    folder = clusters_folder()
    found = folder.iterdir() if folder.exists() else ()
    return sorted(path.name for path in found if path.is_dir() and NAME_PATTERN.fullmatch(path.name))


def remove_abandoned(but: str) -> None:
    """Remove the clusters whose owner is gone: sessions and `up`s that were killed."""
    for state in (StateFolder.of(name) for name in names() if name != but):
        if not _is_abandoned(state):
            continue
        with locked(state.lock):
            if _is_abandoned(state):  # and not meanwhile removed, or started anew, by another run
                say(f"Removing the cluster {state.name}: the run that started it is gone.")
                _remove(state)
                state.lock.unlink()


def _is_abandoned(state: StateFolder) -> bool:
    record = read_record(state)
    return record is not None and record.is_abandoned


def _prepare_machine(level: Level) -> dict[str, str]:
    """Get everything that does not belong to one cluster; return where the programs are."""
    if level is Level.NODE:
        ensure_packages(NODE)
    return {name: str(path) for name, path in find_programs(level.programs).items()}


def _create(state: StateFolder, wish: Wish, programs: dict[str, str]) -> LocalCluster:
    owner = Owner.this_process()
    record = Record(level=wish.level, owner=owner, programs=programs)
    # Before anything is started: whoever comes after a kill must be able to tell that this was unfinished.
    write_record(state, record)
    site = Site(
        state=state,
        authority=Authority.create(),
        record=record,
        has_audit_log=wish.has_audit_log,
        collects_garbage=wish.collects_garbage,
        controller_qps=wish.controller_qps,
    )
    try:
        _start(site)
        check_alive(state, *site.record.components)
    except BaseException:
        _end(state)  # the files stay, for the person who reads the error
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


def _end(state: StateFolder) -> None:
    processes.stop(state.root)
    if os.geteuid() == 0:  # nobody else can have made what a node leaves
        stop_node(state)


def _remove(state: StateFolder) -> None:
    _end(state)
    if state.root.exists():
        shutil.rmtree(state.root)
