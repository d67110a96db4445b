"""Status patches: the whole status, absent fields as null, so that what is over disappears (design 2.1, 2.2).

Must not decide what a status says.

The one idea a newcomer would miss: the resourceVersion in the patch is the only guard.  A patch of a status is accepted
with a wrong uid (measured), but never on another version than the one it was planned on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.messages import cut_message
from periodicbuild.core.reasons import ActiveState, ConditionReason, ConditionType, State
from periodicbuild.kube.render_build_status import stored_build_status
from periodicbuild.kube.render_gate import stored_gate_status
from periodicbuild.kube.render_values import reason_text, stored_instant
from periodicbuild.kube.wire_parts import StatusObject, if_any
from periodicbuild.kube.wire_status import AppServerStatusWire, ConditionWire, ResultWire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild, Result
    from periodicbuild.core.gate_status import GateStatus
    from periodicbuild.core.gates import Gate
    from periodicbuild.core.status import BuildStatus


def render_build_status_patch(build: PeriodicBuild, status: BuildStatus) -> bytes:
    """Render the JSON merge patch for /status that replaces what `build` has by `status`."""
    return _patch(build.resource_version, build.ref.uid, stored_build_status(status))


def render_app_server_status_patch(app_server: AppServer, status: AppServerStatus, now: datetime) -> bytes:
    """Render the JSON merge patch for /status; `now` is when conditions changed whose status is another than before."""
    stored = AppServerStatusWire(
        conditions=(
            _succeeded(app_server.status, status, now),
            _ready(app_server.status, status, now),
            *_active(app_server.status, status, now),
        ),
        pod=status.pod,
        start_time=if_any(stored_instant, status.pod_requested_at),
        pod_request_time=if_any(stored_instant, status.pod_requested_at),
        configuring_time=if_any(stored_instant, status.configuring_at),
        finish_time=if_any(stored_instant, status.finished_at),
        result=if_any(_result, status.result),
        node=status.node,
        image_digests=status.image_digests or None,
        log_tail=status.log_tail or None,
        output_digest=status.output_digest,
        termination_time=if_any(stored_instant, status.terminated_at),
    )
    return _patch(app_server.resource_version, app_server.ref.uid, stored)


def render_gate_status_patch(gate: Gate, status: GateStatus) -> bytes:
    """Render the JSON merge patch for /status of a BuildGate; without a resourceVersion for any version of it."""
    return _patch(gate.resource_version, gate.ref.uid, stored_gate_status(status))


def _patch(resource_version: str, uid: str, status: StatusObject) -> bytes:
    guard = {"resourceVersion": resource_version} if resource_version else {}
    return msgspec.json.encode({"metadata": {**guard, "uid": uid}, "status": status})


def _succeeded(was: AppServerStatus, status: AppServerStatus, now: datetime) -> ConditionWire:
    """Say the outcome; its reason is the state."""
    is_same = _outcome(was.state) == _outcome(status.state)
    return ConditionWire(
        type=ConditionType.SUCCEEDED,
        status=_outcome(status.state),
        reason=status.state,
        message=cut_message(status.message),
        last_transition_time=stored_instant((was.succeeded_changed_at if is_same else None) or now),
    )


def _outcome(state: State) -> str:
    if not state.is_finished:
        return "Unknown"
    return "True" if state.has_succeeded else "False"


_READY = {True: ConditionReason.POD_READY, False: ConditionReason.POD_NOT_READY, None: ConditionReason.NO_POD}


def _ready(was: AppServerStatus, status: AppServerStatus, now: datetime) -> ConditionWire:
    """Mirror the pod: without one, nothing is ready."""
    is_same = bool(was.is_ready) == bool(status.is_ready)
    return ConditionWire(
        type=ConditionType.READY,
        status=str(bool(status.is_ready)),
        reason=_READY[status.is_ready],
        message="",
        last_transition_time=stored_instant((was.ready_changed_at if is_same else None) or now),
    )


def _active(was: AppServerStatus, status: AppServerStatus, now: datetime) -> Iterator[ConditionWire]:
    """Say what the server is to the Service, where there is one (R28)."""
    if status.active is None:
        return
    is_same = was.active is not None and _is_serving(was.active) == _is_serving(status.active)
    yield ConditionWire(
        type=ConditionType.ACTIVE,
        status=str(_is_serving(status.active)),
        reason=status.active,
        message="",
        last_transition_time=stored_instant((was.active_changed_at if is_same else None) or now),
    )


def _is_serving(active: ActiveState) -> bool:
    return active == ActiveState.SERVING


def _result(result: Result) -> ResultWire:
    return ResultWire(
        failure_class=result.failure_class,
        reason=reason_text(result.reason),
        stage=result.stage or None,
        container=result.container,
        exit_code=result.exit_code,
        signal=result.signal,
        message=cut_message(result.message),
    )
