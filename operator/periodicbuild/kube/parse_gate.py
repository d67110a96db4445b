"""A BuildGate, from a list, a watch or an answer of the API to a fact.

Must not know whether a gate is closed.

The one idea a newcomer would miss: what cannot be read is never simply left out.  A window then counts as closed, and
whose scope or switch cannot be read is a gate with a problem: both are said, and neither hides the others (R35).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from periodicbuild.core.crons import Cron, CronError, normal_expression
from periodicbuild.core.gate_status import BlockingBuild, GateStatus, NextWindow
from periodicbuild.core.gates import Gate, GateSpec
from periodicbuild.core.scopes import Operator, Requirement, Scope
from periodicbuild.core.windows import Recurring, Span, Unreadable, Window
from periodicbuild.core.zones import ZoneError, check_zone
from periodicbuild.kube.kinds import BUILD_GATE, BUILD_GATES
from periodicbuild.kube.parse_salvage import read_object
from periodicbuild.kube.parse_status import condition
from periodicbuild.kube.parse_timing import DEFAULT_ZONE, UnreadableScheduleError, read_duration
from periodicbuild.kube.parse_values import UNREADABLE, instant_of, member, object_ref, text_of, utc
from periodicbuild.kube.wire_gate import BuildGateWire, GateSpecWire, GateStatusWire
from periodicbuild.kube.wire_parts import if_any

if TYPE_CHECKING:
    from datetime import datetime

_decode = msgspec.json.Decoder(BuildGateWire).decode
_STATUS: Final = msgspec.json.Decoder(GateStatusWire)


def gate_from_json(raw: bytes | msgspec.Raw) -> Gate:
    """Read whatever was sent; raises msgspec.DecodeError for what is no object at all."""
    wire = _decode(raw)
    return Gate(
        ref=object_ref(BUILD_GATES.api_version, BUILD_GATE, wire.metadata),
        resource_version=wire.metadata.resource_version,
        generation=wire.metadata.generation,
        spec=_spec(wire.spec if isinstance(wire.spec, GateSpecWire) else GateSpecWire()),
        status=_status(read_object(_STATUS, wire.status) or GateStatusWire()),
    )


def _spec(stored: GateSpecWire) -> GateSpec:
    reason, owner = text_of(stored.reason) or "", text_of(stored.owner) or ""
    try:
        return GateSpec(
            scope=_scope(_object("spec.scope", stored.scope)),
            closed=_closed(stored.closed),
            windows=tuple(map(_window, _listed("spec.windows", stored.windows))),
            margin=read_duration("spec.margin", stored.margin) or timedelta(),
            reason=reason,
            owner=owner,
            expires_at=if_any(partial(_instant, "spec.expireTime"), stored.expire_time),
        )
    except UNREADABLE as error:
        return GateSpec(reason=reason, owner=owner, problem=str(error))


def _scope(fields: dict[str, Any]) -> Scope:
    selector = _object("spec.scope.selector", fields.get("selector"))
    equal = _object("spec.scope.selector.matchLabels", selector.get("matchLabels"))
    namespaces = fields.get("namespaces")
    return Scope(
        namespaces=None if namespaces is None else frozenset(map(str, _listed("spec.scope.namespaces", namespaces))),
        requirements=(
            *(Requirement(key=key, operator=Operator.IN, values=frozenset({str(equal[key])})) for key in sorted(equal)),
            *map(_requirement, _listed("spec.scope.selector.matchExpressions", selector.get("matchExpressions"))),
        ),
    )


def _requirement(value: Any) -> Requirement:
    field = "spec.scope.selector.matchExpressions"
    fields = _object(field, value)
    operator = member(Operator, fields.get("operator"))
    if operator is None:
        message = f"{field}: operator {fields.get('operator')!r} is not known: write some of {', '.join(Operator)}"
        raise UnreadableScheduleError(message)
    values = _listed(f"{field}.values", fields.get("values"))
    return Requirement(key=str(fields.get("key")), operator=operator, values=frozenset(map(str, values)))


def _closed(value: Any) -> bool:
    if not isinstance(value, bool | None):
        raise UnreadableScheduleError(f"spec.closed: {value!r} is neither true nor false: write one of them")
    return value is True


def _window(value: Any) -> Window:
    name = str(value.get("name")) if isinstance(value, dict) else ""
    field = f"spec.windows[{name}]"
    try:
        return Window(name=name, when=_when(field, _object(field, value)))
    except UNREADABLE as error:
        return Window(name=name, when=Unreadable(why=str(error)))


def _when(field: str, fields: dict[str, Any]) -> Span | Recurring:
    once, recurring = fields.get("once"), fields.get("recurring")
    if (once is None) == (recurring is None):
        message = f"{field}: exactly one of once and recurring has to be given: add one, or remove what is not known"
        raise UnreadableScheduleError(message)
    if once is not None:
        return _span(f"{field}.once", _object(f"{field}.once", once))
    return _recurring(f"{field}.recurring", _object(f"{field}.recurring", recurring))


def _span(field: str, fields: dict[str, Any]) -> Span:
    start = _instant(f"{field}.startTime", fields.get("startTime"))
    end = _instant(f"{field}.endTime", fields.get("endTime"))
    if end <= start:
        raise UnreadableScheduleError(f"{field}: endTime is not after startTime: exchange them, or correct one")
    return Span(start=start, end=end)


def _recurring(field: str, fields: dict[str, Any]) -> Recurring:
    expression, zone = fields.get("cron"), fields.get("timeZone", DEFAULT_ZONE)
    lasts = read_duration(f"{field}.duration", fields.get("duration"))
    if lasts is None:
        raise UnreadableScheduleError(f"{field}.duration: it is missing: write how long the window lasts, as in '8h'")
    try:
        cron = Cron(expression=normal_expression(str(expression)), time_zone=check_zone(str(zone)))
    except CronError as error:
        raise UnreadableScheduleError(f"{field}.cron: {error}") from error
    except ZoneError as error:
        raise UnreadableScheduleError(f"{field}.timeZone: {error}") from error
    return Recurring(cron=cron, lasts=lasts)


def _instant(field: str, value: Any) -> datetime:
    instant = instant_of(value)
    if instant is None:
        message = f"{field}: {value!r} is no instant: write date, time and zone as in '2026-12-01T00:00:00Z'"
        raise UnreadableScheduleError(message)
    return instant


def _object(field: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableScheduleError(f"{field}: {value!r} has no fields: see kubectl explain buildgate.spec")
    return value


def _listed(field: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableScheduleError(f"{field}: {value!r} is no list: write it as in [apps]")
    return value


def _status(stored: GateStatusWire) -> GateStatus:
    coming = stored.next_window
    return GateStatus(
        observed_generation=stored.observed_generation or 0,
        next_window=None
        if coming is None
        else NextWindow(name=coming.name, start=utc(coming.start_time), end=utc(coming.end_time)),
        held_back=stored.held_back or 0,
        blocking_count=stored.blocking_count or 0,
        blocking_builds=tuple(
            BlockingBuild(
                namespace=one.namespace,
                name=one.name,
                app_server=one.app_server,
                estimated_end_at=if_any(utc, one.estimated_end_time),
            )
            for one in stored.blocking_builds or ()
        ),
        conditions=tuple(map(condition, stored.conditions or ())),
    )
