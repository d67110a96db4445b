"""The cluster that the demo plays on: one of its own, or the one of an explicit KUBECONFIG; and its end."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cluster import lifecycle
from tests.cluster.cluster import Cluster, LocalCluster
from tests.cluster.errors import ClusterError
from tests.cluster.external import ExternalCluster, explicit_kubeconfig
from tests.cluster.levels import Level
from tests.cluster.paths import StateFolder
from tests.cluster.record import read_record, write_record

Say = Callable[[str], None]

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""By which a person, a supervisor or a closed terminal ends the demo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person asked for."""

    name: str
    """Of the cluster that is started."""
    level: Level | None
    """None: a real node, or simulated ones where there can be no real one."""
    keep: bool


@contextmanager
def a_cluster(wishes: Wishes, say: Say) -> Iterator[Cluster]:
    """Give a cluster; afterwards one that was started is gone, unless it is to be kept and nothing went wrong."""
    kubeconfig = explicit_kubeconfig()
    if kubeconfig is None:
        yield from _own_cluster(wishes, say)
        return
    with tempfile.TemporaryDirectory(prefix="periodicbuild-demo-") as folder:
        cluster = ExternalCluster.of(kubeconfig, Level.NODE, Path(folder))
        say(f"Because KUBECONFIG is set, this plays on the cluster at {cluster.server}; unset it for one of its own.")
        yield cluster


def _own_cluster(wishes: Wishes, say: Say) -> Iterator[Cluster]:
    _refuse_if_in_use(wishes.name)
    try:
        lifecycle.down(wishes.name)  # what an earlier --keep has left
        yield _up(wishes, say)
    except BaseException:
        _down(wishes, say)
        raise
    if not wishes.keep:
        _down(wishes, say)


def _refuse_if_in_use(name: str) -> None:
    record = read_record(StateFolder.of(name))
    if record and record.owner and record.owner.is_alive:
        raise ClusterError(f"Another demo (process {record.owner.pid}) plays on the cluster {name}: wait for its end.")


def _up(wishes: Wishes, say: Say) -> LocalCluster:
    say("Starting a Kubernetes cluster on this machine; the first time its programs are built, which takes a while.")
    try:
        return _start(wishes.name, wishes.level or Level.NODE)
    except ClusterError as error:
        if wishes.level is not None:
            raise
        say(f"{error}\nSo the demo plays on simulated nodes.")
    return _start(wishes.name, Level.SIMULATED)


def _start(name: str, level: Level) -> LocalCluster:
    # Until the demo has ended well, the cluster is of no use to anybody without it, also where it is to be kept.
    return lifecycle.up(lifecycle.Wish(name=name, level=level, ends_with_this_process=True))


def _down(wishes: Wishes, say: Say) -> None:
    with undisturbed():
        say(f"Removing the cluster {wishes.name}.")
        lifecycle.down(wishes.name)


def let_stay(cluster: LocalCluster) -> None:
    """Let the cluster outlive this process."""
    write_record(cluster.state, replace(cluster.record, owner=None))


def end_once() -> None:
    """Let the first Ctrl-C, or what is like it, end the demo, and an impatient second one not stop the cleaning."""

    def end(_number: int, _frame: object) -> None:
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in ENDING_SIGNALS:
        signal.signal(number, end)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C not stop the cleaning after a demo that has come to its end."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
