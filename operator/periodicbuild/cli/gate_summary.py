"""Gates in a line each, and whether one is safe.

Must not know how they were read.

The one idea a newcomer would miss: whether a gate is open is told by its spec and the clock, as the operator itself
tells it.  Whether it is safe only the operator knows, and only if it has answered this very spec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import NOTHING, absolute, both
from periodicbuild.core.gate_reasons import GateCondition, GateReason
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from periodicbuild.core.gate_status import BlockingBuild
    from periodicbuild.core.gates import Gate


class Safety(NamedTuple):
    """Whether it is safe to go on."""

    is_safe: bool
    reason: str
    sentence: str


def safety_of(gate: Gate, now: datetime) -> Safety:
    """Read the operator's answer, if it is one to this spec; one to a gate that has opened since is none."""
    found = gate.status.condition(GateCondition.SAFE)
    if found is None or found.observed_generation != gate.generation:
        sentence = f"the operator has not answered this spec of gate {gate.ref.name} yet: is it up?"
        return Safety(is_safe=False, reason="NotObserved", sentence=sentence)
    if gate.spec.problem is None and gate.spec.closure_at(now) is None:
        sentence = f"gate {gate.ref.name} is open, so builds may start at any time"
        return Safety(is_safe=False, reason=GateReason.GATE_OPEN, sentence=sentence)
    count = gate.status.blocking_count
    still = ", ".join(map(_blocking_text, gate.status.blocking_builds))
    more = count - len(gate.status.blocking_builds)
    builds = f" ({count} PeriodicBuilds: {still}{f' and {more} more' if more > 0 else ''})" if count else ""
    return Safety(
        is_safe=found.status == "True",
        reason=found.reason,
        sentence=f"gate {gate.ref.name}: {found.message}{builds}",
    )


def safety_document(gate: Gate, safety: Safety) -> dict[str, Any]:
    """Give it for programs."""
    return {
        "gate": gate.ref.name,
        "safe": safety.is_safe,
        "reason": safety.reason,
        "message": safety.sentence,
        "blockingCount": gate.status.blocking_count,
        "blockingBuilds": [
            {
                "namespace": one.namespace,
                "name": one.name,
                "appServer": one.app_server,
                "estimatedEndTime": None if one.estimated_end_at is None else instant_text(one.estimated_end_at),
            }
            for one in gate.status.blocking_builds
        ],
    }


def gates_table(gates: Iterable[Gate], now: datetime) -> Table:
    """Give a row for each."""
    columns = ("NAME", "NOW", "UNTIL", "SAFE", "HELD", "BLOCKING", "NEXT WINDOW", "OWNER", "REASON")
    return Table(columns=columns, rows=tuple(_row(gate, now) for gate in gates))


def _row(gate: Gate, now: datetime) -> tuple[Cell, ...]:
    closure, coming = gate.spec.closure_at(now), gate.spec.next_window(now)
    safety = safety_of(gate, now)
    return (
        Cell(gate.ref.name),
        _now_cell(gate, now),
        Cell(absolute(closure.until) if closure is not None else NOTHING),
        Cell("yes", Mood.GOOD) if safety.is_safe else Cell("no", Mood.QUIET),
        Cell(str(gate.status.held_back)),
        Cell(str(gate.status.blocking_count)),
        Cell(both(coming[1].start, now) if coming is not None else NOTHING),
        Cell(gate.spec.owner or NOTHING),
        Cell(gate.spec.problem or gate.spec.reason),
    )


def _now_cell(gate: Gate, now: datetime) -> Cell:
    if gate.spec.problem is not None:
        return Cell("not understood", Mood.BAD)
    if gate.spec.has_expired(now):
        return Cell("expired", Mood.QUIET)
    closure = gate.spec.closure_at(now)
    if closure is None:
        return Cell("open", Mood.GOOD)
    return Cell("closed" if closure.window is None else f"closed by {closure.window}", Mood.BAD)


def _blocking_text(one: BlockingBuild) -> str:
    until = "" if one.estimated_end_at is None else f" until about {instant_text(one.estimated_end_at)}"
    return f"{one.namespace}/{one.name}{until}"
