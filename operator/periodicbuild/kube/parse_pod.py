"""A pod, from a list, a watch or an answer of the API to a fact.

Must not know what an exit code means for the build: it says only what the kubelet and the scheduler said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from periodicbuild.core.facts import Container, Pod
from periodicbuild.core.redaction import redact
from periodicbuild.kube.kinds import APP_SERVER, POD, PODS, is_of_our_group
from periodicbuild.kube.parse_changes import output_digest_in
from periodicbuild.kube.parse_values import controller_of, controller_uid, created_at, object_ref
from periodicbuild.kube.wire import ContainerStateWire, LabelsWire, PodWire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from periodicbuild.kube.wire import ContainerStatusWire, MetaWire, PodConditionWire, PodStatusWire, TerminatedWire

SIGNAL_CODES: Final = range(129, 160)
"""Exit codes by which a shell and most container runtimes say "ended by signal N - 128"."""

MOST_DIGESTS: Final = 10
"""`status.imageDigests` of an AppServer holds no more."""
LONGEST_DIGEST: Final = 256
"""Characters, likewise."""

_decode = msgspec.json.Decoder(PodWire).decode


def pod_from_json(raw: bytes | msgspec.Raw) -> Pod:
    """Read a pod; raises msgspec.DecodeError for what is none."""
    wire = _decode(raw)
    metadata, status = wire.metadata, wire.status
    conditions = {condition.type: condition for condition in status.conditions or ()}
    labels = metadata.labels or LabelsWire()
    return Pod(
        ref=object_ref(PODS.api_version, POD, metadata),
        resource_version=metadata.resource_version,
        created_at=created_at(metadata),
        controller_uid=controller_uid(metadata),
        build_name=labels.build or "",
        is_ours=_is_ours(metadata),
        is_deleting=metadata.deletion_timestamp is not None,
        is_gone=False,
        phase=status.phase,
        reason=status.reason,
        message=redact(status.message),
        is_ready=_is_true(conditions.get("Ready")),
        unschedulable=_unschedulable(conditions.get("PodScheduled")),
        disruption=_disruption(conditions.get("DisruptionTarget")),
        node=wire.spec.node_name or None,
        containers=_containers(wire),
        image_digests=_digests(status),
        output_digest=_output_digest(status),
    )


def _is_ours(metadata: MetaWire) -> bool:
    labels, controller = metadata.labels or LabelsWire(), controller_of(metadata)
    if not (labels.build and labels.run and labels.app_server == metadata.name):
        return False
    return controller is None or (controller.kind == APP_SERVER and is_of_our_group(controller.api_version))


def _is_true(condition: PodConditionWire | None) -> bool:
    return condition is not None and condition.status == "True"


def _unschedulable(scheduled: PodConditionWire | None) -> str | None:
    if scheduled is None or scheduled.status != "False" or scheduled.reason != "Unschedulable":
        return None
    return scheduled.message or scheduled.reason


def _disruption(target: PodConditionWire | None) -> str | None:
    return target.reason or target.type if target is not None and _is_true(target) else None


def _containers(wire: PodWire) -> tuple[Container, ...]:
    """Give init containers first, in the order in which they run."""
    sidecars = {one.name for one in wire.spec.init_containers or () if one.restart_policy == "Always"}
    init = (
        _container(status, is_init=True, is_sidecar=status.name in sidecars)
        for status in wire.status.init_container_statuses or ()
    )
    main = (_container(status, is_init=False, is_sidecar=False) for status in wire.status.container_statuses or ())
    return (*init, *main)


def _container(status: ContainerStatusWire, *, is_init: bool, is_sidecar: bool) -> Container:
    """Read one container; one that was restarted has failed before, so its last termination counts until the next."""
    state = status.state or ContainerStateWire()
    ended = state.terminated or (status.last_state.terminated if status.last_state else None)
    return Container(
        name=status.name,
        is_init=is_init,
        is_sidecar=is_sidecar,
        has_run=state.running is not None or ended is not None,
        waiting_reason=(state.waiting.reason or None) if state.waiting else None,
        waiting_message=redact(state.waiting.message) if state.waiting else "",
        exit_code=ended.exit_code if ended else None,
        exit_reason=(ended.reason or None) if ended else None,
        signal=_signal(ended) if ended else None,
        is_terminated=state.terminated is not None,
    )


def _signal(ended: TerminatedWire) -> int | None:
    if ended.signal:
        return ended.signal
    return ended.exit_code - 128 if ended.exit_code in SIGNAL_CODES else None


def _output_digest(status: PodStatusWire) -> str | None:
    """Find what the build says that it has made: main containers first, since what they say comes last."""
    containers = (*(status.container_statuses or ()), *(status.init_container_statuses or ()))
    ended = (one.state.terminated for one in containers if one.state is not None and one.state.terminated is not None)
    return next((digest for one in ended if (digest := output_digest_in(one.message)) is not None), None)


def _digests(status: PodStatusWire) -> tuple[str, ...]:
    ids: Iterable[str] = (one.image_id[:LONGEST_DIGEST] for one in status.container_statuses or () if one.image_id)
    return tuple(dict.fromkeys(ids))[:MOST_DIGESTS]
