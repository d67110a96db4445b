"""What a node and the scheduler make of a pod, one step at a time; a person with `kubectl delete pod --force`, too."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.builders import a_container

if TYPE_CHECKING:
    from collections.abc import Callable

    from periodicbuild.core.facts import Container, Pod


class Move(StrEnum):
    """What may happen to a pod that is not being deleted; to one that is, only its end."""

    UNSCHEDULABLE = "finds no node"
    PULL_FAILS = "cannot pull its image yet"
    NEVER_IMAGE = "may never pull its image"
    INIT_RUNS = "runs its init container"
    RUNS = "runs"
    READY = "is ready"
    NOT_READY = "is not ready any more"
    COMPLETES = "ends with exit code 0"
    FAILS = "ends with exit code 3"
    CRASHES_AND_RESTARTS = "is killed and restarts"
    DISRUPTED = "is disrupted by a drain"
    EVICTED = "is evicted"
    TERMINATES = "is deleted with grace"
    VANISHES = "vanishes at once"


def moved(pod: Pod, move: Move, version: str) -> Pod | None:
    """Give the pod after one step; None = it does not exist any more."""
    if move == Move.VANISHES or (pod.is_deleting and move in {Move.COMPLETES, Move.FAILS, Move.RUNS}):
        return None
    if pod.is_deleting or pod.phase in {"Failed", "Succeeded"}:
        return pod
    return replace(_moved(pod, move), resource_version=version)


def _moved(pod: Pod, move: Move) -> Pod:
    has_run = any(container.has_run for container in pod.containers)
    return pod if has_run and move in BEFORE_ANYTHING_RUNS else _MOVES[move](pod)


def _with(pod: Pod, *containers: Container) -> Pod:
    return replace(pod, unschedulable=None, containers=containers)


def _pulls_in_vain(pod: Pod) -> Pod:
    return _with(pod, a_container(waiting_reason="ImagePullBackOff", waiting_message="not found"))


def _runs_init_container(pod: Pod) -> Pod:
    return _with(pod, a_container("init", is_init=True), a_container(waiting_reason="PodInitializing"))


def _completes(pod: Pod) -> Pod:
    return replace(_with(pod, a_container(exit_code=0)), phase="Succeeded", is_ready=False)


def _fails(pod: Pod) -> Pod:
    return replace(_with(pod, a_container(exit_code=3, exit_reason="Error")), phase="Failed", is_ready=False)


def _crashes(pod: Pod) -> Pod:
    crashed = a_container(exit_code=137, exit_reason="OOMKilled", waiting_reason="CrashLoopBackOff")
    return replace(_with(pod, replace(crashed, has_run=True)), phase="Running", is_ready=False)


BEFORE_ANYTHING_RUNS = {Move.UNSCHEDULABLE, Move.PULL_FAILS, Move.NEVER_IMAGE, Move.INIT_RUNS}

_MOVES: dict[Move, Callable[[Pod], Pod]] = {
    Move.UNSCHEDULABLE: lambda pod: replace(pod, unschedulable="0/3 nodes are available"),
    Move.PULL_FAILS: _pulls_in_vain,
    Move.NEVER_IMAGE: lambda pod: _with(pod, a_container(waiting_reason="ErrImageNeverPull")),
    Move.INIT_RUNS: _runs_init_container,
    Move.RUNS: lambda pod: replace(_with(pod, a_container()), phase="Running"),
    Move.READY: lambda pod: replace(_with(pod, a_container()), phase="Running", is_ready=True),
    Move.NOT_READY: lambda pod: replace(pod, is_ready=False),
    Move.COMPLETES: _completes,
    Move.FAILS: _fails,
    Move.CRASHES_AND_RESTARTS: _crashes,
    Move.DISRUPTED: lambda pod: replace(pod, disruption="DeletionByTaintManager", is_deleting=True, is_ready=False),
    Move.EVICTED: lambda pod: replace(pod, phase="Failed", reason="Evicted", is_ready=False),
    Move.TERMINATES: lambda pod: replace(pod, is_deleting=True, is_ready=False),
}
