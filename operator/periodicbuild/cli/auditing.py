"""The recount on demand: whether the counters of a PeriodicBuild say what its schedule says (R12).

Must not know where objects come from.

The one idea a newcomer would miss: `status.schedule.cursorTime` is the newest slot that was counted.  Counted up to
there the recount must match in both directions, also for a slot that has fallen due this very second; only what lies
after it is given its two minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import NOTHING, absolute, span
from periodicbuild.core.calendars import Calendar
from periodicbuild.core.crons import Cron
from periodicbuild.core.ledger import equation_holds
from periodicbuild.core.recount import GRACE, expected_slots, unaccounted_slots
from periodicbuild.core.status import Slots
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.status import ScheduleStatus


class State(StrEnum):
    """Whether an object can be judged."""

    JUDGED = "judged"
    DISABLED = "disabled"
    """It has no slots (R1)."""
    FROZEN = "frozen"
    """Its schedule or zone is not understood by this version, so it has no slots."""
    NOT_SEEN = "not looked at yet"
    DELETED = "being deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the recount of one object has found."""

    namespace: str
    name: str
    state: State
    since_at: datetime | None = None
    """Begin of the epoch: what lies before was judged under another schedule."""
    epoch: int | None = None
    until_at: datetime | None = None
    """Slots up to here are judged."""
    expected: int | None = None
    counted: int | None = None
    waiting: int = 0
    equation_holds: bool = True

    @property
    def difference(self) -> int:
        """Slots too many in the counters; negative: so many are missing there."""
        return 0 if self.expected is None or self.counted is None else self.counted - self.expected

    @property
    def adds_up(self) -> bool:
        """Whether nothing is wrong."""
        return not self.difference and self.equation_holds

    def sentence(self) -> str:
        """Say what is wrong."""
        parts = []
        if self.difference:
            what = "missing from its counters" if self.difference < 0 else "too many in its counters"
            parts.append(f"{abs(self.difference)} {'slot' if abs(self.difference) == 1 else 'slots'} {what}")
        if not self.equation_holds:
            parts.append("due is not started + skipped + missed + waiting")
        return f"{self.namespace}/{self.name}: {', and '.join(parts)}"


def recounted(build: PeriodicBuild, now: datetime) -> Finding:
    """Judge one object."""
    status, schedule = build.status, build.status.schedule
    state = _state(build)
    if schedule is None or state is State.NOT_SEEN:
        return Finding(namespace=build.ref.namespace, name=build.ref.name, state=state)
    until, expected, counted = None, None, (status.slots or Slots()).due - schedule.due_at_since
    if state is State.JUDGED:
        until = max(now - GRACE - build.spec.starting.spread, schedule.since_at)
        expected, until = _expected(build, schedule, now, until)
    return Finding(
        namespace=build.ref.namespace,
        name=build.ref.name,
        state=state,
        since_at=schedule.since_at,
        epoch=schedule.epoch,
        until_at=until,
        expected=expected,
        counted=counted,
        waiting=int(status.waiting is not None),
        equation_holds=equation_holds(status),
    )


def findings_table(findings: Sequence[Finding], *, with_namespace: bool) -> Table:
    """Give a row per object."""
    columns = ("NAME", "STATE", "EPOCH", "SINCE", "UNTIL", "EXPECTED", "COUNTED", "WAITING", "DIFFERENCE", "EQUATION")
    rows = (((Cell(one.namespace),) if with_namespace else ()) + _cells(one) for one in findings)
    return Table(columns=("NAMESPACE", *columns) if with_namespace else columns, rows=tuple(rows))


def audit_summary(findings: Sequence[Finding]) -> str:
    """Say how many were judged, and that what is younger than UNTIL is not."""
    judged = sum(one.state is State.JUDGED for one in findings)
    others = len(findings) - judged
    right = sum(one.adds_up for one in findings if one.state is State.JUDGED)
    apart = f", {others} {'is' if others == 1 else 'are'} not judged" if others else ""
    grace = f"{span(GRACE)} (and the spread)"
    return f"{right} of {judged} judged add up{apart}. Judged until UNTIL: a slot has {grace} to get into the counters."


def findings_document(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Give them for programs."""
    return [
        {
            "namespace": one.namespace,
            "name": one.name,
            "state": one.state.value,
            "epoch": one.epoch,
            "sinceTime": None if one.since_at is None else instant_text(one.since_at),
            "untilTime": None if one.until_at is None else instant_text(one.until_at),
            "expected": one.expected,
            "counted": one.counted,
            "waiting": one.waiting,
            "difference": one.difference,
            "equationHolds": one.equation_holds,
        }
        for one in findings
    ]


def _state(build: PeriodicBuild) -> State:
    schedule = build.status.schedule
    if build.is_deleting:
        return State.DELETED
    if schedule is None:
        return State.NOT_SEEN
    if not schedule.in_force.enabled:
        return State.DISABLED
    return State.JUDGED if schedule.in_force.spawns else State.FROZEN


def _expected(build: PeriodicBuild, schedule: ScheduleStatus, now: datetime, until: datetime) -> tuple[int, datetime]:
    """Return how many slots there should be, and until when that was judged."""
    timing = schedule.in_force.timing
    if isinstance(timing, Calendar | Cron):
        horizon = max(until, schedule.cursor_at or until)
        return expected_slots(schedule, timing, horizon), horizon
    counted = (build.status.slots or Slots()).due - schedule.due_at_since
    return max(counted, 0) + unaccounted_slots(build.status, now), until


def _cells(one: Finding) -> tuple[Cell, ...]:
    counts = (one.expected, one.counted)
    difference = f"{one.difference:+d}" if one.difference else "0"
    return (
        Cell(one.name),
        Cell(one.state.value, Mood.PLAIN if one.state is State.JUDGED else Mood.QUIET),
        Cell(NOTHING if one.epoch is None else str(one.epoch)),
        Cell(absolute(one.since_at)),
        Cell(absolute(one.until_at)),
        *(Cell(NOTHING if count is None else str(count)) for count in counts),
        Cell(str(one.waiting)),
        Cell(NOTHING if one.expected is None else difference, Mood.BAD if one.difference else Mood.PLAIN),
        Cell("holds") if one.equation_holds else Cell("broken", Mood.BAD),
    )
