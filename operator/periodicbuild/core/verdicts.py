"""What a pod says about its attempt: success, failure with its class, or the cause it is still waiting for (R19, R20).

A pure reading of one pod.  It knows nothing of retries, schedules or time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.facts import Result
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import FailureClass, FailureReason, Stage

if TYPE_CHECKING:
    from periodicbuild.core.facts import Container, Pod

DISRUPTIONS = frozenset({"Evicted", "Preempting", "NodeLost", "NodeShutdown", "Shutdown", "Terminated"})
"""Reasons of a failed pod that mean the node or the cluster took it away."""
NEVER_STARTS = frozenset({"InvalidImageName", "ErrImageNeverPull"})
"""Waiting reasons that no amount of time can heal."""
JUST_STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
"""Waiting reasons that are no cause of anything."""


def stage_of(pod: Pod) -> Stage:
    """Return Configuring as soon as any container, init containers included, has run."""
    return Stage.CONFIGURING if any(container.has_run for container in pod.containers) else Stage.WAITING


def container_with_log(pod: Pod, result: Result | None) -> str | None:
    """Return the container whose log says most: the one that failed, else the last one that has run."""
    have_run = [container.name for container in pod.containers if container.has_run]
    failed = result.container if result is not None else None
    return failed if failed in have_run else next(reversed(have_run), None)


def has_succeeded(pod: Pod, succeed_when: SucceedWhen) -> bool:
    """Tell whether the pod has done what `succeedWhen` asks for."""
    if succeed_when == SucceedWhen.READY:
        return pod.is_ready and not (pod.is_deleting or pod.is_gone)
    mains = [container for container in pod.containers if not container.is_init]
    return bool(mains) and all(container.is_terminated and container.exit_code == 0 for container in mains)


def failure_of(pod: Pod, succeed_when: SucceedWhen) -> Result | None:
    """Return why the attempt has failed, None while it has not.

    A pod that is being deleted is no verdict until it is gone: its containers die of the deletion, not of the build.
    """
    if pod.disruption is not None or (pod.phase == "Failed" and pod.reason in DISRUPTIONS):
        return _result(pod, FailureClass.DISRUPTION, pod.disruption or pod.reason, pod.message)
    if pod.is_deleting and not pod.is_gone:
        return None
    if pod.is_gone:
        message = f"pod {pod.ref.name} was deleted before the build had ended"
        return _result(pod, FailureClass.INFRASTRUCTURE, FailureReason.POD_GONE, message)
    # A reason of the pod says why its containers were ended; their exit codes then say only how.
    of_pod, of_container = _pod_failure(pod), _exit_failure(pod, succeed_when)
    return (of_pod if pod.reason else None) or of_container or of_pod or _image_failure(pod)


def waiting_cause(pod: Pod) -> tuple[str, str]:
    """Return what a pending pod is waiting for, as reason and message."""
    if pod.unschedulable is not None:
        return FailureReason.UNSCHEDULABLE, pod.unschedulable
    for container in pod.containers:
        if container.waiting_reason and container.waiting_reason not in JUST_STARTING:
            return container.waiting_reason, f"container {container.name}: {container.waiting_message}".rstrip(": ")
    return FailureReason.NOT_STARTED, "no container has started"


def _exit_failure(pod: Pod, succeed_when: SucceedWhen) -> Result | None:
    for container in pod.containers:
        if container.is_sidecar or container.exit_code is None:
            continue
        if container.exit_code != 0:
            return _non_zero_exit(pod, container)
        if succeed_when == SucceedWhen.READY and not container.is_init:
            message = f"container {container.name} ended with exit code 0 before the server was ready"
            return _result(pod, FailureClass.BUILD, FailureReason.EXITED_EARLY, message, container)
    return None


def _non_zero_exit(pod: Pod, container: Container) -> Result:
    reason = container.exit_reason
    by = f"signal {container.signal}" if container.signal else f"exit code {container.exit_code}"
    message = f"container {container.name} ended with {by}"
    if reason in {None, "", "Error"}:
        return _result(pod, FailureClass.BUILD, FailureReason.NON_ZERO_EXIT, message, container)
    return _result(pod, FailureClass.BUILD, reason or "", f"{message} ({reason})", container)


def _pod_failure(pod: Pod) -> Result | None:
    if pod.phase != "Failed":
        return None
    failure_class = FailureClass.TIMEOUT if pod.reason == "DeadlineExceeded" else FailureClass.INFRASTRUCTURE
    return _result(pod, failure_class, pod.reason or FailureReason.POD_FAILED, pod.message)


def _image_failure(pod: Pod) -> Result | None:
    for container in pod.containers:
        if container.waiting_reason in NEVER_STARTS:
            message = f"container {container.name}: {container.waiting_message}".rstrip(": ")
            return _result(pod, FailureClass.INFRASTRUCTURE, container.waiting_reason or "", message, container)
    return None


def _result(
    pod: Pod, failure_class: FailureClass, reason: str, message: str, container: Container | None = None
) -> Result:
    return Result(
        failure_class=failure_class,
        reason=reason,
        stage=stage_of(pod),
        message=message,
        container=container.name if container is not None else None,
        exit_code=container.exit_code if container is not None else None,
        signal=container.signal if container is not None else None,
    )
