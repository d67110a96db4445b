"""What a node and the scheduler make of a pod, one step at a time; a person with `kubectl delete pod --force`, too."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.builders import a_container

if TYPE_CHECKING:
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
    match move:
        case Move.UNSCHEDULABLE if not has_run:
            return replace(pod, unschedulable="0/3 nodes are available")
        case Move.PULL_FAILS if not has_run:
            return _with(pod, a_container(waiting_reason="ImagePullBackOff", waiting_message="not found"))
        case Move.NEVER_IMAGE if not has_run:
            return _with(pod, a_container(waiting_reason="ErrImageNeverPull"))
        case Move.INIT_RUNS if not has_run:
            init = a_container("init", is_init=True)
            return _with(pod, init, a_container(waiting_reason="PodInitializing"))
        case Move.RUNS:
            return replace(_with(pod, a_container()), phase="Running")
        case Move.READY:
            return replace(_with(pod, a_container()), phase="Running", is_ready=True)
        case Move.NOT_READY:
            return replace(pod, is_ready=False)
        case Move.COMPLETES:
            return replace(_with(pod, a_container(exit_code=0)), phase="Succeeded", is_ready=False)
        case Move.FAILS:
            failed = a_container(exit_code=3, exit_reason="Error")
            return replace(_with(pod, failed), phase="Failed", is_ready=False)
        case Move.CRASHES_AND_RESTARTS:
            crashed = a_container(exit_code=137, exit_reason="OOMKilled", waiting_reason="CrashLoopBackOff")
            return replace(_with(pod, replace(crashed, has_run=True)), phase="Running", is_ready=False)
        case Move.DISRUPTED:
            return replace(pod, disruption="DeletionByTaintManager", is_deleting=True, is_ready=False)
        case Move.EVICTED:
            return replace(pod, phase="Failed", reason="Evicted", is_ready=False)
        case Move.TERMINATES:
            return replace(pod, is_deleting=True, is_ready=False)
        case _:
            return pod


def _with(pod: Pod, *containers: Container) -> Pod:
    return replace(pod, unschedulable=None, containers=containers)
