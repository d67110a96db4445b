"""What comes next: the slots of the schedule in force, and what is special about them.

Must not know how they are printed.  The slots are found by the operator's own functions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from periodicbuild.cli.slot_times import local_text, slot_text, start_offset_of
from periodicbuild.cli.summary import OVERDUE_AFTER
from periodicbuild.cli.tables import Cell, Table
from periodicbuild.cli.times import absolute, relative, span
from periodicbuild.core.clock_changes import clock_changes
from periodicbuild.core.schedules import SECOND, due_slots, upcoming_slots
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.schedules import DueSlots
    from periodicbuild.core.status import ScheduleStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A slot that is to come, and when its build starts if nothing is in the way."""

    slot: datetime
    starts_at: datetime


def coming_starts(build: PeriodicBuild, now: datetime, count: int) -> tuple[Start, ...]:
    """Give the next ones, soonest first: of slots that nobody has looked at only the newest, as only that can start."""
    schedule = build.status.schedule
    if schedule is None or build.is_deleting:
        return ()
    due = _overdue(build, schedule, now)
    if due is not None:
        schedule = replace(schedule, cursor_at=due.newest - SECOND)
    offset = start_offset_of(build, schedule.in_force)
    slots = upcoming_slots(schedule, build.status.waiting if due is None else None, count=count)
    return tuple(Start(slot=slot, starts_at=slot + offset) for slot in slots)


def notes_ahead(build: PeriodicBuild, now: datetime) -> Iterator[str]:
    """Say what is special, in sentences."""
    schedule = build.status.schedule
    if build.is_deleting:
        yield "it is being deleted: nothing starts any more"
    elif schedule is None:
        yield "nobody has looked at it yet, so no schedule is in force: is the operator up?"
    else:
        yield from _notes_on(build, schedule, now)


def starts_table(build: PeriodicBuild, starts: tuple[Start, ...], now: datetime) -> Table:
    """Give a row per slot, with only the columns that say something."""
    schedule = build.status.schedule
    has_clock = schedule is not None and schedule.in_force.pattern is not None
    has_spread = any(one.starts_at != one.slot for one in starts)
    columns = ["SLOT", *(["BY ITS CLOCK"] if has_clock else []), *(["STARTS"] if has_spread else []), "WHEN"]
    rows = []
    for one in starts:
        clock = [local_text(one.slot, schedule.in_force)] if schedule is not None and has_clock else []
        texts = [absolute(one.slot), *clock, *([absolute(one.starts_at)] if has_spread else [])]
        rows.append((*map(Cell, texts), Cell(relative(one.starts_at, now))))
    return Table(columns=tuple(columns), rows=tuple(rows))


def starts_document(starts: tuple[Start, ...]) -> list[dict[str, Any]]:
    """Give them for programs."""
    return [{"slotTime": instant_text(one.slot), "startTime": instant_text(one.starts_at)} for one in starts]


def overdue_note(build: PeriodicBuild, now: datetime) -> str | None:
    """Say that slots are due and nobody looks at them, the operator's own minute allowed."""
    schedule = build.status.schedule
    due = _overdue(build, schedule, now) if schedule is not None else None
    if schedule is None or due is None:
        return None
    late = now - due.newest - start_offset_of(build, schedule.in_force)
    if late <= OVERDUE_AFTER and due.count == 1:
        return None
    what = "1 slot is" if due.count == 1 else f"{due.count} slots are"
    since = slot_text(due.first, schedule.in_force, now)
    return f"{what} due since {since} and nobody has looked: is the operator up, and does it watch this namespace?"


def _overdue(build: PeriodicBuild, schedule: ScheduleStatus, now: datetime) -> DueSlots | None:
    """Find slots that should have been looked at; while an interval's slot waits it has no other (R4)."""
    if build.status.waiting is not None and schedule.in_force.interval is not None:
        return None
    return due_slots(schedule, now - start_offset_of(build, schedule.in_force))


def _notes_on(build: PeriodicBuild, schedule: ScheduleStatus, now: datetime) -> Iterator[str]:
    waiting, in_force = build.status.waiting, schedule.in_force
    if build.spec.schedule_error is not None:
        yield f"the schedule is not understood, so nothing is due: {build.spec.schedule_error}"
    elif build.spec.schedule != in_force:
        yield f"the spec has another schedule ({build.spec.schedule.text()}), which the operator has not taken up yet"
    if not in_force.enabled:
        yield f"it is disabled, so nothing is due: kubectl periodicbuild enable {build.ref.name}"
    if waiting is not None:
        ahead = "; the next one follows from its start" if in_force.interval is not None else ""
        held = f"for {span(now - waiting.since_at)}: {waiting.reason}"
        yield f"the slot {slot_text(waiting.slot, in_force, now)} waits {held}{ahead}"
    if note := overdue_note(build, now):
        yield note
    if in_force.enabled and in_force.pattern is not None:
        if waiting is None and not upcoming_slots(schedule, None, count=1):
            yield f"{in_force.text()} never comes: no slot lies in the next 50 years"
        yield from clock_changes(in_force.pattern, now)
