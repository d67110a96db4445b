"""What gates say of one PeriodicBuild that wants to start: nothing, or who holds it back and why (R32, R33).

Must not know what wants to start: a slot and a run by hand are asked alike.

The one idea a newcomer would miss: what is said has no "now" in it.  It stands in a status, and is written once for as
long as nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.core.durations import format_duration
from periodicbuild.core.estimates import estimate_of
from periodicbuild.core.gate_reasons import GateReason
from periodicbuild.core.messages import cut_message
from periodicbuild.core.reasons import Blocker

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.gates import Closure, Gate, Gates
    from periodicbuild.core.look import Draft
    from periodicbuild.core.status import Waiting
    from periodicbuild.core.windows import Span, Window


GATED: Final = frozenset({Blocker.GATE_CLOSED, Blocker.ROLLOUT_IMMINENT})
"""What a slot waits for while a gate holds it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One gate that holds a build back."""

    gate: str
    """Its name; empty if gates cannot be read at all."""
    blocker: Blocker
    text: str
    """A sentence without its full stop: gate, owner, reason, and until when."""
    until: datetime | None = None
    """When it says something else by itself; None = nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all gates say together."""

    hold: Hold | None = None
    """The one that is shown; None = it may start."""
    overridden: tuple[str, ...] = ()
    """Gates that would hold it, and were named in its override annotation."""


def ask_gates(gates: Gates, build: PeriodicBuild, now: datetime) -> Verdict:
    """Ask every gate; closed ones are shown before those that will be, and else the first by name."""
    if gates.problem is not None:
        text = f"the operator cannot read the gates, and holds builds back for it: {gates.problem}"
        return Verdict(hold=Hold(gate="", blocker=Blocker.GATE_CLOSED, text=cut_message(text)))
    holds = [hold for gate in gates.known if (hold := hold_of(gate, build, now)) is not None]
    standing = [hold for hold in holds if hold.gate not in build.overrides]
    order = (Blocker.GATE_CLOSED, Blocker.ROLLOUT_IMMINENT)
    return Verdict(
        hold=min(standing, key=lambda hold: (order.index(hold.blocker), hold.gate), default=None),
        overridden=tuple(sorted(hold.gate for hold in holds if hold.gate in build.overrides)),
    )


def hold_of(gate: Gate, build: PeriodicBuild, now: datetime) -> Hold | None:
    """Say whether one gate holds a build back, whether that is overridden or not."""
    spec = gate.spec
    if spec.problem is not None or not spec.scope.has(build):
        return None
    closure = spec.closure_at(now)
    if closure is not None:
        text = cut_message(f"{_named(gate)} is closed{_since_when(closure)}")
        return Hold(gate=gate.ref.name, blocker=Blocker.GATE_CLOSED, text=text, until=closure.until)
    coming = spec.next_window(now)
    if coming is None or now + estimate_of(build) + spec.margin <= coming[1].start:
        return None
    text = cut_message(_imminent(gate, build, *coming))
    return Hold(gate=gate.ref.name, blocker=Blocker.ROLLOUT_IMMINENT, text=text, until=coming[1].start)


def is_gated(waiting: Waiting | None) -> bool:
    """Tell whether a slot was last seen to wait for a gate: so it is late by intention."""
    return waiting is not None and waiting.reason in GATED


def in_spite_of(overridden: tuple[str, ...]) -> str:
    """Say which gates a build was started in spite of; empty = of none."""
    return cut_message(f"in spite of gate {' and gate '.join(overridden)}") if overridden else ""


def is_held(draft: Draft) -> bool:
    """Tell whether a gate holds back what wants to start now."""
    return lasts(draft, verdict_on(draft).hold)


def lasts(draft: Draft, hold: Hold | None) -> bool:
    """Tell whether there is a hold, and ask to look again when it says something else by itself."""
    if hold is not None:
        draft.wake_at(wall=hold.until)
    return hold is not None


def verdict_on(draft: Draft) -> Verdict:
    """Ask the gates about the PeriodicBuild that is looked at."""
    return ask_gates(draft.facts.gates, draft.build, draft.now.wall)


def _named(gate: Gate) -> str:
    owner = f"{gate.spec.owner}: " if gate.spec.owner else ""
    return f"gate {gate.ref.name} ({owner}{gate.spec.reason})"


def _since_when(closure: Closure) -> str:
    window = "" if closure.window is None else f" by window {closure.window}"
    if closure.reason == GateReason.INVALID_WINDOW:
        window += ", which cannot be understood,"
    return window.rstrip(",") if closure.until is None else f"{window} until {_instant(closure.until)}"


def _imminent(gate: Gate, build: PeriodicBuild, window: Window, span: Span) -> str:
    margin = f", with a margin of {format_duration(gate.spec.margin)}" if gate.spec.margin else ""
    return (
        f"{_named(gate)} closes at {_instant(span.start)} by window {window.name},"
        f" and the build is estimated to take {format_duration(estimate_of(build))}{margin}"
    )


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
