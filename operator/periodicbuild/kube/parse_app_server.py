"""An AppServer, from a list, a watch or an answer of the API to a fact.

Must not know what is done with it.

The one idea a newcomer would miss: a state that only a newer operator knows is read by the condition's status, so that
an outcome stays an outcome.  A success counts as Running or Completed, never as Terminated: its server may still serve,
and the next look finds out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from periodicbuild.core.facts import AppServer, AppServerStatus, Result
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import ActiveState, ConditionReason, ConditionType, FailureClass, State, Trigger
from periodicbuild.kube.kinds import APP_SERVER, APP_SERVERS
from periodicbuild.kube.parse_build import gate_names, run_token
from periodicbuild.kube.parse_changes import read_comparison
from periodicbuild.kube.parse_policies import read_timeouts
from periodicbuild.kube.parse_salvage import read_object
from periodicbuild.kube.parse_template import shared_template
from periodicbuild.kube.parse_values import (
    controller_uid,
    count_of,
    created_at,
    instant_of,
    known,
    member,
    object_ref,
    text_of,
    utc,
)
from periodicbuild.kube.wire import ABSENT, AppServerSpecWire, AppServerWire, MetaWire
from periodicbuild.kube.wire_parts import if_any
from periodicbuild.kube.wire_status import AppServerStatusWire, ConditionWire, ResultWire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

OWN_TEMPLATE: Final = "true"

_STATUS: Final = msgspec.json.Decoder(AppServerStatusWire)
_decode = msgspec.json.Decoder(AppServerWire).decode


def app_server_from_json(raw: bytes | msgspec.Raw) -> AppServer:
    """Read whatever was sent; what does not fit counts as left out.

    Raises msgspec.DecodeError for what is no object at all.
    """
    wire = _decode(raw)
    metadata = wire.metadata
    spec = wire.spec if isinstance(wire.spec, AppServerSpecWire) else AppServerSpecWire()
    slot, run = instant_of(spec.slot_time), text_of(spec.run)
    succeed_when = known(SucceedWhen, spec.succeed_when, otherwise=SucceedWhen.READY)
    annotations = metadata.annotations
    trigger = known(Trigger, spec.trigger, otherwise=Trigger.SCHEDULE if slot else Trigger.MANUAL)
    return AppServer(
        ref=object_ref(APP_SERVERS.api_version, APP_SERVER, metadata),
        resource_version=metadata.resource_version,
        created_at=created_at(metadata),
        is_deleting=metadata.deletion_timestamp is not None,
        build_name=_build_name(spec, metadata),
        controller_uid=controller_uid(metadata),
        run=run,
        attempt=count_of(spec.attempt, default=0) or 1,
        trigger=trigger,
        slot=slot,
        epoch=count_of(spec.epoch, default=0),
        succeed_when=succeed_when,
        timeouts=read_timeouts(msgspec.json.encode(spec.timeouts)),
        template=None if spec.template == ABSENT else shared_template(bytes(spec.template)),
        cancelled=spec.cancelled is True,
        token=run_token(annotations),
        overridden=gate_names(None if annotations is None else annotations.overridden),
        has_own_template=annotations is not None and annotations.own_template == OWN_TEMPLATE,
        comparison=read_comparison(annotations.inputs if annotations and trigger == Trigger.SCHEDULE else None),
        given=frozenset() if run else frozenset(_given(spec, metadata)),
        status=read_app_server_status(wire.status, succeed_when),
        has_status=bytes(wire.status) not in (b"null", b"{}"),
    )


def read_app_server_status(raw: msgspec.Raw | bytes, succeed_when: SucceedWhen) -> AppServerStatus:
    """Read the status part by part; `succeed_when` tells what an unknown success is."""
    stored = read_object(_STATUS, raw) or AppServerStatusWire()
    conditions = {condition.type: condition for condition in stored.conditions or ()}
    succeeded, ready = conditions.get(ConditionType.SUCCEEDED), conditions.get(ConditionType.READY)
    active = conditions.get(ConditionType.ACTIVE)
    return AppServerStatus(
        state=_state(succeeded, succeed_when),
        message=succeeded.message if succeeded else "",
        is_ready=None if ready is None or ready.reason == ConditionReason.NO_POD else ready.status == "True",
        pod=stored.pod or None,
        pod_requested_at=if_any(utc, stored.pod_request_time),
        configuring_at=if_any(utc, stored.configuring_time),
        finished_at=if_any(utc, stored.finish_time),
        result=if_any(_result, stored.result),
        node=stored.node or None,
        image_digests=stored.image_digests or (),
        log_tail=stored.log_tail or "",
        output_digest=stored.output_digest or None,
        terminated_at=if_any(utc, stored.termination_time),
        active=member(ActiveState, active.reason) if active else None,
        succeeded_changed_at=if_any(_changed_at, succeeded),
        ready_changed_at=if_any(_changed_at, ready),
        active_changed_at=if_any(_changed_at, active),
    )


def _changed_at(condition: ConditionWire) -> datetime:
    return utc(condition.last_transition_time)


def _state(succeeded: ConditionWire | None, succeed_when: SucceedWhen) -> State:
    if succeeded is None:
        return State.NEW
    state = member(State, succeeded.reason)
    if state is not None:
        return state
    match succeeded.status:
        case "True":
            return State.COMPLETED if succeed_when == SucceedWhen.COMPLETED else State.RUNNING
        case "False":
            return State.ERROR
        case _:
            return State.NEW


def _result(stored: ResultWire) -> Result:
    """Read why it failed; a class that is not known counts as the build's own."""
    return Result(
        failure_class=known(FailureClass, stored.failure_class, otherwise=FailureClass.BUILD),
        reason=stored.reason,
        stage=stored.stage or "",
        message=stored.message or "",
        container=stored.container or None,
        exit_code=stored.exit_code,
        signal=stored.signal,
    )


def _build_name(spec: AppServerSpecWire, metadata: MetaWire) -> str:
    reference = spec.periodic_build_ref
    name = text_of(reference.get("name")) if isinstance(reference, dict) else None
    return name or (metadata.labels and metadata.labels.build) or ""


def _given(spec: AppServerSpecWire, metadata: MetaWire) -> Iterator[str]:
    """List what its author wrote, as JSON pointers: adoption must not touch it, and a JSON patch must know (R26)."""
    yield from _pointers("/metadata", {name: getattr(metadata, field) for name, field in _METADATA.items()})
    yield from _pointers("/spec", {name: getattr(spec, field) for name, field in _SPEC.items()})
    if isinstance(spec.timeouts, dict):
        yield from _pointers("/spec/timeouts", spec.timeouts)
    if spec.template != ABSENT:
        yield "/spec/template"


_METADATA: Final = {"labels": "labels", "annotations": "annotations", "ownerReferences": "owner_references"}
_SPEC: Final = {
    "trigger": "trigger",
    "attempt": "attempt",
    "epoch": "epoch",
    "succeedWhen": "succeed_when",
    "timeouts": "timeouts",
}


def _pointers(parent: str, fields: dict[str, Any]) -> Iterator[str]:
    return (f"{parent}/{name}" for name, value in fields.items() if value is not None)
