"""Start the programs of a cluster and find them again, also after the run that started them was killed.

The one idea: each process carries its cluster's state folder and its component's name in its environment, which the
kernel keeps. So nothing is lost between a start and a note of it, children (a containerd shim, a mount helper) are
found as well, and a recycled process id is never mistaken: it has no such mark, and signals go through a pidfd
that was opened before the mark was read.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.waiting import wait_for

CLUSTER_MARK = "PERIODICBUILD_CLUSTER_STATE"
COMPONENT_MARK = "PERIODICBUILD_CLUSTER_COMPONENT"

KILL_ROUNDS = 10
"""A process may start a child while we look, so one round does not do; each waits for those it killed."""


def start(
    component: str, command: Sequence[str], *, state: Path, log: Path, environment: Mapping[str, str] | None = None
) -> int:
    """Start a program that outlives this one, with its output appended to log; return its process id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    marks = {CLUSTER_MARK: str(state), COMPONENT_MARK: component}
    # posix_spawnp and not Popen: the process is meant to outlive us, and Popen warns about that when collected.
    pid = os.posix_spawnp(
        command[0],
        list(command),
        {**_base_environment(state), **(environment or {}), **marks},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )

    def is_found_or_gone() -> bool:
        return component_of(pid, state) is not None or started_at(pid) is None

    # The kernel returns to us an instant before the new program's environment can be read.
    wait_for(is_found_or_gone, within_seconds=10, what=f"{component} never became {command[0]}")
    return pid


def _base_environment(state: Path) -> dict[str, str]:
    """Pass on next to nothing: above all no proxy, which would get what is meant for the cluster."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(state), "LANG": "C.UTF-8"}


def running(state: Path) -> dict[int, str]:
    """Map process id to component for every living process of the cluster in state, oldest id first."""
    found = {pid: component_of(pid, state) for pid in all_pids()}
    return {pid: component for pid, component in sorted(found.items()) if component is not None}


def component_of(pid: int, state: Path) -> str | None:
    """Return which component of the cluster a process is; None if it is none of it, dead or not ours to read."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    if os.fsencode(f"{CLUSTER_MARK}={state}") not in environment:
        return None
    prefix = os.fsencode(f"{COMPONENT_MARK}=")
    return next((os.fsdecode(entry.removeprefix(prefix)) for entry in environment if entry.startswith(prefix)), "")


def stop(state: Path, components: Iterable[str] | None = None, *, grace_seconds: float = 0) -> None:
    """End the processes of these components (all when None), politely for grace_seconds, then for certain."""
    wanted = None if components is None else set(components)
    if grace_seconds:
        _signal_and_wait(state, wanted, signal.SIGTERM, grace_seconds)
    for _ in range(KILL_ROUNDS):
        if not _signal_and_wait(state, wanted, signal.SIGKILL, wait_seconds=10):
            return
    raise ClusterError(f"These processes of {state} do not end, not even by SIGKILL: {running(state)}.")


def _signal_and_wait(state: Path, components: set[str] | None, number: signal.Signals, wait_seconds: float) -> bool:
    """Signal all, then wait for all; tell whether there was any."""
    pids = [pid for pid, name in running(state).items() if components is None or name in components]
    handles = [handle for pid in pids if (handle := _signalled(pid, state, number)) is not None]
    deadline = time.monotonic() + wait_seconds
    try:
        for handle in handles:
            _wait_for_end(handle, deadline)
    finally:
        for handle in handles:
            os.close(handle)
    for pid in pids:
        _reap(pid)
    return bool(pids)


def _signalled(pid: int, state: Path, number: signal.Signals) -> int | None:
    """Signal a process if it still is one of the cluster's; return its pidfd."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if component_of(pid, state) is None:
        os.close(handle)
        return None
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)
    return handle


def _wait_for_end(handle: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(max(0, (deadline - time.monotonic()) * 1000))


def _reap(pid: int) -> None:
    """Collect a process that was our own child, so that no zombie stays for as long as we live."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def all_pids() -> list[int]:
    """Return the ids of all processes that this one can see."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def identities(pids: Iterable[int]) -> dict[int, int]:
    """Map to its start each process that lives: the kernel uses an id again, but not with the same start."""
    found = {pid: started_at(pid) for pid in pids}
    return {pid: start for pid, start in found.items() if start is not None}


def started_at(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot: with its id it names a process for ever."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in brackets and may itself hold spaces and brackets.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else int(fields[18])
