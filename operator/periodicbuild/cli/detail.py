"""One PeriodicBuild on one page.

Must not know where the page is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from periodicbuild.cli.ledger_rows import failure_text, ledger_table
from periodicbuild.cli.summary import (
    enabled_cell,
    last_run_cell,
    message_of,
    next_cell,
    ready_cell,
    schedule_text,
)
from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import NOTHING, absolute, both, span
from periodicbuild.core.status import Slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.status import Activation, Condition, Run

ENTRIES: Final = 5
"""Of the ledger; `history` has them all."""

_MOODS: Final = {"True": Mood.GOOD, "False": Mood.BAD}


def detail_tables(build: PeriodicBuild, app_servers: Sequence[AppServer], now: datetime) -> tuple[Table, ...]:
    """Give the page's parts; `app_servers` are its own, newest first."""
    fields = [(Cell(f"{label}:"), value) for label, value in _fields(build, now)]
    ledger = build.status.ledger
    title = f"Ledger, newest {min(ENTRIES, len(ledger))} of {len(ledger)} entries:"
    tables = (
        Table(columns=("", ""), rows=tuple(fields)),
        _conditions(build.status.conditions, now),
        _runs(build.status.runs, app_servers, now),
        ledger_table(build, ledger[:ENTRIES], app_servers, title=title, wide=False),
    )
    return tuple(table for table in tables if table.rows)


def _fields(build: PeriodicBuild, now: datetime) -> Iterator[tuple[str, Cell]]:
    status = build.status
    yield "PeriodicBuild", Cell(f"{build.ref.namespace}/{build.ref.name}")
    yield "Ready", ready_cell(build)
    yield "Enabled", enabled_cell(build)
    yield "Schedule", Cell(schedule_text(build))
    yield "Next slot", next_cell(build, now)
    if status.waiting is not None:
        since = f"{status.waiting.reason} for {span(now - status.waiting.since_at)}"
        since = f"{since}: {status.waiting.message}" if status.waiting.message else since
        yield "Waiting", Cell(since, Mood.UNSURE)
    yield "Last run", last_run_cell(build, now)
    if message := message_of(build):
        yield "Message", Cell(message)
    if status.last_success is not None:
        yield "Last success", Cell(f"{both(status.last_success.at, now)}, AppServer {status.last_success.app_server}")
    if status.last_failure is not None:
        yield "Last failure", Cell(f"{both(status.last_failure.at, now)}, AppServer {status.last_failure.app_server}")
    if status.activation is not None:
        yield "Serves", Cell(serving_text(status.activation, now))
    yield "Failures in a row", Cell(str(status.consecutive_failures))
    yield "Slots", Cell(slots_text(build))


def serving_text(activation: Activation, now: datetime) -> str:
    """Say which server is active since when, and which one would take over."""
    parts = [f"AppServer {activation.app_server} since {both(activation.at, now)}"]
    if activation.rolled_back is not None:
        parts.append(f"switched back from {activation.rolled_back}")
    if activation.previous is not None and activation.fallback_until is not None:
        parts.append(f"fallback {activation.previous} until {absolute(activation.fallback_until)}")
    return "; ".join(parts)


def slots_text(build: PeriodicBuild) -> str:
    """Write the counters as the equation that they keep (R12)."""
    slots = build.status.slots or Slots()
    waiting = 1 if build.status.waiting is not None else 0
    parts = {"started": slots.started, "skipped": slots.skipped, "missed": slots.missed, "waiting": waiting}
    return f"{slots.due} due = " + " + ".join(f"{count} {name}" for name, count in parts.items())


def _conditions(conditions: Sequence[Condition], now: datetime) -> Table:
    rows = [
        (
            Cell(one.type),
            Cell(one.status, _MOODS.get(one.status, Mood.PLAIN)),
            Cell(one.reason),
            Cell(span(now - one.changed_at)),
            Cell(one.message or NOTHING),
        )
        for one in conditions
    ]
    return Table(title="Conditions:", columns=("TYPE", "STATUS", "REASON", "FOR", "MESSAGE"), rows=tuple(rows))


def _runs(runs: Sequence[Run], app_servers: Sequence[AppServer], now: datetime) -> Table:
    attempts = {one.ref.uid: one for one in app_servers}
    return Table(
        title="Runs in progress:",
        columns=("RUN", "TRIGGER", "ATTEMPT", "STARTED", "APPSERVER", "STATE", "MESSAGE"),
        rows=tuple(_run_cells(run, attempts.get(run.uid), now) for run in runs),
    )


def _run_cells(run: Run, attempt: AppServer | None, now: datetime) -> tuple[Cell, ...]:
    return (
        Cell(run.id),
        Cell(run.trigger.value),
        Cell(str(run.attempt)),
        Cell(absolute(run.started_at)),
        Cell(run.app_server),
        Cell(NOTHING if attempt is None else attempt.state.value),
        Cell(_standing(run, attempt, now)),
    )


def _standing(run: Run, attempt: AppServer | None, now: datetime) -> str:
    """Say what the attempt does, or why it failed and when the next one is due."""
    parts = []
    if attempt is not None:
        parts.append(attempt.status.message if attempt.status.result is None else failure_text(attempt))
    if run.next_attempt_at is not None:
        parts.append(f"attempt {run.attempt + 1} is due {both(run.next_attempt_at, now)}")
    return "; ".join(filter(None, parts)) or NOTHING
