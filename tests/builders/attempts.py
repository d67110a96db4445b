"""AppServers, their pods, and the runs they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders.builds import a_build
from tests.builders.values import A_TEMPLATE, DERIVED, SLOT, a_ref, at, at_if_any

from periodicbuild.core.facts import (
    AppServer,
    AppServerStatus,
    Container,
    PeriodicBuild,
    Pod,
    Result,
    TemplateJson,
)
from periodicbuild.core.names import app_server_name, manual_run_id, slot_run_id
from periodicbuild.core.reasons import FailureClass, Stage, State, Trigger
from periodicbuild.core.status import Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.builders.values import Instant

    from periodicbuild.core.inputs import Comparison


def a_run(
    of: AppServer, *, started: Instant | None = None, disruptions: int = 0, next_attempt: Instant | None = None
) -> Run:
    """Give the entry of `status.runs` whose newest attempt is that AppServer."""
    return Run(
        id=of.run or of.ref.name,
        trigger=of.trigger,
        slot=of.slot,
        started_at=of.created_at if started is None else at(started),
        attempt=of.attempt,
        app_server=of.ref.name,
        uid=of.ref.uid,
        disruptions=disruptions,
        next_attempt_at=at_if_any(next_attempt),
    )


def a_result(  # noqa: PLR0913 - keywords, each with a default
    *,
    failure_class: FailureClass = FailureClass.BUILD,
    reason: str = "NonZeroExit",
    stage: str = Stage.CONFIGURING,
    message: str = "",
    container: str | None = "main",
    exit_code: int | None = 1,
    signal: int | None = None,
) -> Result:
    """Give the result of a failed attempt: its container exited with 1."""
    return Result(
        failure_class=failure_class,
        reason=reason,
        stage=stage,
        message=message,
        container=container,
        exit_code=exit_code,
        signal=signal,
    )


def an_app_server(  # noqa: PLR0913 - keywords, each with a default
    of: PeriodicBuild | None = None,
    *,
    slot: Instant | None = SLOT,
    token: str | None = None,
    run: str | None = DERIVED,
    attempt: int = 1,
    trigger: Trigger | None = None,
    epoch: int = 1,
    name: str | None = None,
    uid: str | None = None,
    controller_uid: str | None = DERIVED,
    resource_version: str = "200",
    created: Instant | None = None,
    is_deleting: bool = False,
    cancelled: bool = False,
    template: bytes | None = A_TEMPLATE,
    has_own_template: bool = False,
    comparison: Comparison | None = None,
    given: Iterable[str] = (),
    state: State | None = None,
    status: AppServerStatus | None = None,
) -> AppServer:
    """Give an attempt of a scheduled run; with a `token`, or without a slot, of a manual one.

    `state` is short for a status with that state; without both there is no status yet.
    """
    build = of or a_build()
    slot_at = None if token is not None else at_if_any(slot)
    run_id = (slot_run_id(slot_at) if slot_at else manual_run_id(token or "")) if run == DERIVED else run
    return AppServer(
        ref=a_ref(
            "AppServer",
            name or app_server_name(build.ref.name, run_id or "by-hand", attempt),
            namespace=build.ref.namespace,
            uid=uid,
        ),
        resource_version=resource_version,
        created_at=at(created) if created is not None else slot_at or at(SLOT),
        is_deleting=is_deleting,
        build_name=build.ref.name,
        controller_uid=build.ref.uid if controller_uid == DERIVED else controller_uid,
        run=run_id,
        attempt=attempt,
        trigger=trigger or (Trigger.SCHEDULE if slot_at else Trigger.MANUAL),
        slot=slot_at,
        epoch=epoch,
        succeed_when=build.spec.succeed_when,
        timeouts=build.spec.timeouts,
        template=None if template is None else TemplateJson(template),
        cancelled=cancelled,
        token=token,
        has_own_template=has_own_template,
        comparison=comparison,
        given=frozenset(given),
        status=status or AppServerStatus(state=state or State.NEW),
        has_status=status is not None or state is not None,
    )


def by_hand(of: PeriodicBuild | None = None, *, name: str = "try-it", given: Iterable[str] = ()) -> AppServer:
    """Give an AppServer made by hand that the operator has not completed: no run, no controller, no template."""
    return an_app_server(of, slot=None, run=None, name=name, controller_uid=None, template=None, epoch=0, given=given)


def a_container(  # noqa: PLR0913 - keywords, each with a default
    name: str = "main",
    *,
    is_init: bool = False,
    is_sidecar: bool = False,
    has_run: bool | None = None,
    waiting_reason: str | None = None,
    waiting_message: str = "",
    exit_code: int | None = None,
    exit_reason: str | None = None,
    signal: int | None = None,
    is_terminated: bool | None = None,
) -> Container:
    """Give a container that runs; with a `waiting_reason` it waits, with an `exit_code` it has ended."""
    has_ended = exit_code is not None
    return Container(
        name=name,
        is_init=is_init or is_sidecar,
        is_sidecar=is_sidecar,
        has_run=(has_ended or waiting_reason is None) if has_run is None else has_run,
        waiting_reason=waiting_reason,
        waiting_message=waiting_message,
        exit_code=exit_code,
        exit_reason=exit_reason,
        signal=signal,
        is_terminated=(has_ended and waiting_reason is None) if is_terminated is None else is_terminated,
    )


def a_pod(  # noqa: PLR0913 - keywords, each with a default
    of: AppServer | None = None,
    *,
    name: str | None = None,
    uid: str | None = None,
    controller_uid: str | None = DERIVED,
    is_ours: bool = True,
    resource_version: str = "300",
    created: Instant | None = None,
    is_deleting: bool = False,
    is_gone: bool = False,
    phase: str = "Running",
    reason: str = "",
    message: str = "",
    is_ready: bool = False,
    unschedulable: str | None = None,
    disruption: str | None = None,
    node: str | None = "node-1",
    containers: Iterable[Container] | None = None,
    image_digests: Iterable[str] = (),
) -> Pod:
    """Give the pod of an AppServer: it runs one container and is not Ready; a Pending one has none."""
    server = of or an_app_server()
    default = () if phase == "Pending" else (a_container(),)
    return Pod(
        ref=a_ref(
            "Pod",
            name or server.ref.name,
            namespace=server.ref.namespace,
            uid=f"pod-{server.ref.uid}" if uid is None else uid,
        ),
        resource_version=resource_version,
        created_at=server.created_at if created is None else at(created),
        controller_uid=server.ref.uid if controller_uid == DERIVED else controller_uid,
        build_name=server.build_name,
        is_ours=is_ours,
        is_deleting=is_deleting,
        is_gone=is_gone,
        phase=phase,
        reason=reason,
        message=message,
        is_ready=is_ready,
        unschedulable=unschedulable,
        disruption=disruption,
        node=None if unschedulable else node,
        containers=default if containers is None else tuple(containers),
        image_digests=tuple(image_digests),
    )
