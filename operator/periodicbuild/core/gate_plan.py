"""Plan one look at a BuildGate: what people are told of it, and when to look again (R34).

Must not know how it is found out which builds are in progress.

The one idea a newcomer would miss: a gate is safe only for what it was asked.  `Safe` carries the generation that it
was judged by, and while the gate is open it is False, so that nobody who waits for it is answered by an older closing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.gate_reasons import GateCondition, GateReason
from periodicbuild.core.gate_status import GateStatus, NextWindow
from periodicbuild.core.messages import cut_message
from periodicbuild.core.plans import Wake
from periodicbuild.core.status import Condition

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import Now
    from periodicbuild.core.gate_status import BlockingBuild
    from periodicbuild.core.gates import Closure, Gate, GateSpec

WRITES_EVERY = timedelta(seconds=5)
"""A status is written at most this often: each start and each end changes it (R34)."""
BLOCKING_SHOWN = 20
"""Blocking builds that are named; the others are counted."""

Verdict = tuple[str, str, str]
"""Status, reason and message of a condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """Everything one look at a gate may know."""

    gate: Gate
    blocking: tuple[BlockingBuild, ...] = ()
    """What is in progress in its scope, or is about to be, by namespace and name."""
    held_back: int = 0
    """PeriodicBuilds that wait for it."""
    has_scope: bool = True
    """There is a PeriodicBuild in its scope."""
    written_at: datetime | None = None
    """Steady clock: this process's last status write."""
    clock_is_trusted: bool = True
    """The wall clock, by which windows are judged, agrees with the API server's to a minute (R9)."""
    is_read: bool = True
    """Gates may be read; else what is known of this one may be out of date, and no build asks it any more (R35)."""
    problem: str | None = None
    """Why every build is held back, whatever this gate says (R35)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """What to do for one gate."""

    status: GateStatus | None = None
    """The status to write; None = nothing changed, or it is too soon."""
    wake: Wake = field(default_factory=Wake)


def plan_gate(facts: GateFacts, now: Now) -> GatePlan:
    """Return what to do for one gate at one instant."""
    if not facts.clock_is_trusted:
        return GatePlan(wake=Wake(steady=now.steady + WRITES_EVERY))
    status = _described(facts, now)
    wake = Wake(wall=facts.gate.spec.next_change(now.wall))
    if status == facts.gate.status:
        return GatePlan(wake=wake)
    if facts.written_at is not None and now.steady < facts.written_at + WRITES_EVERY:
        return GatePlan(wake=wake.earlier(Wake(steady=facts.written_at + WRITES_EVERY)))
    return GatePlan(status=status, wake=wake)


def _described(facts: GateFacts, now: Now) -> GateStatus:
    spec, closure = facts.gate.spec, facts.gate.spec.closure_at(now.wall)
    coming = spec.next_window(now.wall)
    blocking = facts.blocking if closure is not None and facts.is_read else ()
    status = replace(
        facts.gate.status,
        observed_generation=facts.gate.generation,
        next_window=None
        if coming is None
        else NextWindow(name=coming[0].name, start=coming[1].start, end=coming[1].end),
        held_back=facts.held_back if facts.is_read else 0,
        blocking_count=len(blocking),
        blocking_builds=blocking[:BLOCKING_SHOWN],
    )
    verdicts = {
        GateCondition.VALID: _valid(facts, now.wall),
        GateCondition.OPEN: _unread(facts) or _open(spec, closure, now.wall),
        GateCondition.SAFE: _safe(closure, len(blocking)) if facts.is_read else _UNKNOWN,
    }
    conditions = (_condition(facts.gate, type_, verdict, now.wall) for type_, verdict in verdicts.items())
    return replace(status, conditions=tuple(conditions))


def _condition(gate: Gate, type_: GateCondition, verdict: Verdict, at: datetime) -> Condition:
    """Make a condition; `lastTransitionTime` moves only with the condition's status."""
    old = gate.status.condition(type_)
    return Condition(
        type=type_,
        status=verdict[0],
        reason=verdict[1],
        message=cut_message(verdict[2]),
        observed_generation=gate.generation,
        changed_at=old.changed_at if old is not None and old.status == verdict[0] else at.replace(microsecond=0),
    )


def _valid(facts: GateFacts, now: datetime) -> Verdict:
    """Say whether the spec is understood, and warn of what cannot be meant."""
    spec = facts.gate.spec
    if spec.problem is not None:
        return "False", GateReason.INVALID_SPEC, spec.problem
    for window in spec.windows:
        if window.problem is not None:
            return "False", GateReason.INVALID_WINDOW, f"{window.problem}; until then the gate is closed"
    for window in spec.windows:
        if window.is_never_due(now):
            message = f"spec.windows[{window.name}] never begins: correct its cron expression, or remove it"
            return "False", GateReason.NEVER_DUE, message
    if not facts.has_scope:
        message = "there is no PeriodicBuild in its scope, so it holds nothing back: see spec.scope"
        return "True", GateReason.NOTHING_IN_SCOPE, message
    return "True", GateReason.ACCEPTED, "the spec is understood"


def _unread(facts: GateFacts) -> Verdict | None:
    """Say what becomes of builds when gates cannot be read; None = they ask this one (R35)."""
    if facts.problem is not None:
        return "False", GateReason.UNREADABLE, f"no build starts, since the operator cannot read gates: {facts.problem}"
    if not facts.is_read:
        message = "the operator may not read gates, so no build waits for this one: allow it to list and watch them"
        return "True", GateReason.UNREADABLE, message
    return None


def _open(spec: GateSpec, closure: Closure | None, now: datetime) -> Verdict:
    """Say whether builds may start."""
    if spec.has_expired(now):
        message = "spec.expireTime has passed, and it holds nothing back any more: delete it, or give it another time"
        return "True", GateReason.EXPIRED, message
    if closure is None:
        return "True", GateReason.OPEN, "builds may start, if they end before the next window"
    window = "" if closure.window is None else f" by window {closure.window}"
    until = "" if closure.until is None else f" until {closure.until:%Y-%m-%dT%H:%M:%SZ}"
    return "False", closure.reason, f"closed{window}{until}: no build in its scope starts"


_UNKNOWN: Verdict = (
    "False",
    GateReason.UNREADABLE,
    "the operator may not read gates, so it does not know what this one says: allow it to list and watch them",
)


def _safe(closure: Closure | None, blocking: int) -> Verdict:
    """Say whether nothing in the scope will change any more by a build (R34)."""
    if closure is None:
        return "False", GateReason.GATE_OPEN, "the gate is open, so builds may start at any time"
    if blocking:
        return "False", GateReason.BUILDS_IN_PROGRESS, "see status.blockingBuilds for what is still being built"
    return "True", GateReason.NOTHING_IN_PROGRESS, "the gate is closed, and nothing in its scope is in progress"
