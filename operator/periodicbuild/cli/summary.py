"""One PeriodicBuild in one line: what a person wants to know at 3 a.m.

Must not know where the line is printed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import NOTHING, both, relative, span
from periodicbuild.core.reasons import ConditionType
from periodicbuild.core.status import Slots
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.status import LastFailure

OVERDUE_AFTER: Final = timedelta(seconds=60)
"""A slot that nobody has looked at for so long, after its spread, is late by the operator's own measure (R10)."""

COLUMNS: Final = ("NAME", "READY", "ENABLED", "SCHEDULE", "NEXT", "WAITING", "RUNNING", "LAST RUN", "MESSAGE")
WIDE_COLUMNS: Final = ("DUE", "STARTED", "SKIPPED", "MISSED", "FAILURES", "AGE")
"""Before the message, which has the room that is left."""

EMPTY: Final = Cell(NOTHING)
NOT_LOOKED_AT: Final = "not looked at yet"
"""There is a spec, or a newer one than the operator has answered."""


def summary_table(builds: Iterable[PeriodicBuild], now: datetime, *, with_namespace: bool, wide: bool) -> Table:
    """Give one row per PeriodicBuild."""
    columns = (*COLUMNS[:-1], *(WIDE_COLUMNS if wide else ()), COLUMNS[-1])
    rows = []
    for build in builds:
        more = _wide_cells(build, now) if wide else ()
        row = (*_cells(build, now), *more, Cell(message_of(build) or NOTHING))
        rows.append((Cell(build.ref.namespace), *row) if with_namespace else row)
    return Table(columns=("NAMESPACE", *columns) if with_namespace else columns, rows=tuple(rows))


def ready_cell(build: PeriodicBuild) -> Cell:
    """Say whether the spec is understood, by the operator's answer to this very spec."""
    if build.is_deleting:
        return Cell("being deleted", Mood.UNSURE)
    ready = build.status.condition(ConditionType.READY)
    if ready is None or not is_answered(build):
        return Cell(NOT_LOOKED_AT, Mood.UNSURE)
    if ready.status == "True":
        return Cell("True", Mood.GOOD)
    return Cell(f"{ready.status}: {ready.reason}", Mood.BAD if ready.status == "False" else Mood.UNSURE)


def is_answered(build: PeriodicBuild) -> bool:
    """Tell whether the operator has looked at this very spec."""
    ready = build.status.condition(ConditionType.READY)
    return ready is not None and ready.observed_generation >= build.generation


def enabled_cell(build: PeriodicBuild) -> Cell:
    """Say whether the schedule is on."""
    return Cell("true") if build.spec.schedule.enabled else Cell("false", Mood.UNSURE)


def next_cell(build: PeriodicBuild, now: datetime) -> Cell:
    """Give the slot that is open: one that waits, else the next."""
    status = build.status
    if status.waiting is not None:
        slot = status.waiting.slot
        return Cell(f"{instant_text(slot)} (due {relative(slot, now)})", Mood.UNSURE)
    spread, late = build.spec.starting.spread, overdue_for(build, now)
    if status.next_slot is not None and late is not None:
        return Cell(f"{instant_text(status.next_slot)} ({span(late)} overdue: is the operator up?)", Mood.BAD)
    if status.next_slot is not None and spread:
        return Cell(f"{both(status.next_slot, now)}, starts within {span(spread)}")
    return Cell(both(status.next_slot, now))


def overdue_for(build: PeriodicBuild, now: datetime) -> timedelta | None:
    """Tell for how long the next slot has been due without anybody looking at it; None = it is not overdue."""
    status = build.status
    if status.waiting is not None or status.next_slot is None:
        return None
    late = now - status.next_slot - build.spec.starting.spread
    return late if late > OVERDUE_AFTER else None


def waiting_cell(build: PeriodicBuild) -> Cell:
    """Say what the open slot waits for."""
    return EMPTY if build.status.waiting is None else Cell(build.status.waiting.reason.value, Mood.UNSURE)


def last_run_cell(build: PeriodicBuild, now: datetime) -> Cell:
    """Give the outcome of the last run that counts; cancelled ones do not."""
    verdict = build.status.condition(ConditionType.LAST_RUN_SUCCEEDED)
    success, failure = build.status.last_success, _failure_of_last_run(build)
    match verdict.status if verdict is not None else None:
        case "True":
            return Cell("Succeeded" if success is None else f"Succeeded {relative(success.at, now)}", Mood.GOOD)
        case "False":
            return Cell("Failed" if failure is None else f"Failed {relative(failure.at, now)}", Mood.BAD)
        case _:
            return Cell("none yet", Mood.QUIET)


def message_of(build: PeriodicBuild) -> str:
    """Give the sentence that explains what is wrong: with the spec first of all, else with the last run."""
    ready = build.status.condition(ConditionType.READY)
    if ready is not None and ready.status != "True" and ready.message:
        return ready.message
    verdict = build.status.condition(ConditionType.LAST_RUN_SUCCEEDED)
    if verdict is None or verdict.status != "False":
        return ""
    failure = _failure_of_last_run(build)
    if failure is None:
        return f"{verdict.reason}: {verdict.message}"
    return ": ".join(filter(None, (f"{failure.failure_class}/{failure.reason}", failure.message)))


def _failure_of_last_run(build: PeriodicBuild) -> LastFailure | None:
    """Give the last failure, if it is what `LastRunSucceeded=False` speaks of."""
    verdict, failure = build.status.condition(ConditionType.LAST_RUN_SUCCEEDED), build.status.last_failure
    is_meant = verdict is not None and failure is not None and verdict.reason == failure.failure_class
    return failure if is_meant else None


def _cells(build: PeriodicBuild, now: datetime) -> tuple[Cell, ...]:
    return (
        Cell(build.ref.name),
        ready_cell(build),
        enabled_cell(build),
        Cell(schedule_text(build)),
        next_cell(build, now),
        waiting_cell(build),
        _running_cell(build, now),
        last_run_cell(build, now),
    )


def schedule_text(build: PeriodicBuild) -> str:
    """Name the schedule in force; before there is one, the schedule of the spec."""
    return build.status.schedule_text or build.spec.schedule.text()


def _running_cell(build: PeriodicBuild, now: datetime) -> Cell:
    if not build.status.runs:
        return EMPTY
    run, *others = build.status.runs
    when = f"for {span(now - run.started_at)}" if run.next_attempt_at is None else relative(run.next_attempt_at, now)
    attempt = run.attempt if run.next_attempt_at is None else run.attempt + 1
    more = f" (and {len(others)} more)" if others else ""
    return Cell(f"attempt {attempt} {when}{more}")


def _wide_cells(build: PeriodicBuild, now: datetime) -> tuple[Cell, ...]:
    slots = build.status.slots or Slots()
    counts = (slots.due, slots.started, slots.skipped, slots.missed, build.status.consecutive_failures)
    return (*(Cell(str(count)) for count in counts), Cell(span(now - build.created_at)))
