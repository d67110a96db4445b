"""The checks that a slot has to pass, in the operator's order, with what each of them saw (R14).

Must not know the order: it is taken from the operator's own chain, asked as if everything were in the way.

The one idea a newcomer would miss: only a build in progress can be seen from outside.  Of the other checks one knows
what the operator last wrote, and since it shows the first that blocks, those before it had passed by then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from periodicbuild.cli.sentences import BLOCKERS
from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.core.facts import Now
from periodicbuild.core.holds import GATED, Hold
from periodicbuild.core.inputs import ChangeDetection, Source, SourceKind
from periodicbuild.core.look import BuildFacts, Draft
from periodicbuild.core.plans import Refusal, Refused
from periodicbuild.core.reasons import Blocker
from periodicbuild.core.slots import blockers_of
from periodicbuild.core.status import OpenBreaker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from periodicbuild.cli.in_progress import Seen
    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.status import Waiting

REFUSALS: Final = (Blocker.FORBIDDEN, Blocker.INVALID, Blocker.API_ERROR, Blocker.NAME_STILL_IN_USE)
"""Different words for one check: the API server refuses to create the AppServer."""

CHANGES: Final = (Blocker.LOOKING_UP_SOURCES, Blocker.NO_CHANGES)
"""Likewise: whether there is anything new to build."""

TITLES: Final = {
    Blocker.BREAKER_OPEN: "breaker",
    Blocker.GATE_CLOSED: "gate",
    Blocker.BUILD_IN_PROGRESS: "build in progress",
    Blocker.API_ERROR: "API refusal",
    Blocker.LOOKING_UP_SOURCES: "changes",
    Blocker.POOL_FULL: "pool",
    Blocker.START_RATE: "start rate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check, and what it saw."""

    blocker: Blocker
    title: str
    blocks: bool | None
    """None = it cannot be seen from outside, and was not written."""
    saw: str


def checks_on(build: PeriodicBuild, waiting: Waiting, seen: Seen, now: datetime) -> tuple[Check, ...]:
    """Give the checks in order."""
    order = _order(build, waiting, now)
    written = order.index(_check_of(waiting.reason))
    return tuple(_check(waiting, blocker, position - written, seen) for position, blocker in enumerate(order))


def checks_table(checks: Sequence[Check]) -> Table:
    """Give a row per check."""
    words = {True: Cell("blocks", Mood.BAD), False: Cell("passes", Mood.GOOD), None: Cell("unknown", Mood.QUIET)}
    rows = tuple((Cell(one.title), words[one.blocks], Cell(one.saw)) for one in checks)
    return Table(title="What is asked before it may start, in this order:", columns=("CHECK", "NOW", "SAW"), rows=rows)


def check_document(check: Check) -> dict[str, Any]:
    """Give one check for programs."""
    return {"check": check.title, "reason": check.blocker.value, "blocks": check.blocks, "saw": check.saw}


def _check(waiting: Waiting, blocker: Blocker, distance: int, seen: Seen) -> Check:
    """`distance`: how many checks after the one that was last written to block."""
    own = waiting.reason if distance == 0 else blocker
    title = TITLES.get(blocker, blocker.value)
    if blocker is Blocker.BUILD_IN_PROGRESS and (seen.sentences or not seen.is_blind):
        saw = "; ".join(seen.sentences) or "nothing is in progress now"
        return Check(blocker=own, title=title, blocks=bool(seen.sentences), saw=saw)
    if distance == 0:
        text = waiting.message or BLOCKERS[own].text
        return Check(blocker=own, title=title, blocks=True, saw=f"{own}, as last written: {text}")
    if distance < 0:
        return Check(blocker=own, title=title, blocks=False, saw="it did not block when this was last written")
    return Check(blocker=own, title=title, blocks=None, saw="asked after what blocks; cannot be seen from outside")


def _order(build: PeriodicBuild, waiting: Waiting, now: datetime) -> list[Blocker]:
    """Ask the operator's chain with everything in the way."""
    soon = now + timedelta(seconds=1)
    is_compared = build.spec.change_detection is not None or waiting.reason in CHANGES
    detection = ChangeDetection(sources=(Source("", SourceKind.UNKNOWN, ""),)) if is_compared else None
    asked = replace(build, spec=replace(build.spec, change_detection=detection))
    facts = BuildFacts(build=asked, has_place=False, may_start=False)
    status = replace(build.status, breaker=OpenBreaker(opened_at=now, next_probe_at=soon, digest=""))
    draft = Draft(facts=facts, now=Now(wall=now, steady=now), status=status)
    refusal = Refusal(name="", kind=Refused.API_ERROR, message="", retry_at=soon, since_at=now)
    hold = Hold(gate="", blocker=Blocker.GATE_CLOSED, text="")
    return list(blockers_of(draft, waiting.slot, hold, refusal, is_busy=True))


def _check_of(reason: Blocker) -> Blocker:
    if reason in GATED:
        return Blocker.GATE_CLOSED
    if reason in CHANGES:
        return Blocker.LOOKING_UP_SOURCES
    return Blocker.API_ERROR if reason in REFUSALS else reason
