"""The ledger for people: one row per entry, neighbours that are one entry as first to last.

Must not know where the rows are printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import NOTHING, absolute
from periodicbuild.core.reasons import Decision, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.status import LedgerEntry

COLUMNS: Final = ("SLOT", "COUNT", "DECISION", "REASON", "OUTCOME", "RUN", "MESSAGE")
WIDE_COLUMNS: Final = ("DECIDED", "EPOCH")
"""Before the message, which has the room that is left."""

IN_PROGRESS: Final = "in progress"

DECISION_MOODS: Final[Mapping[StrEnum, Mood]] = {Decision.MISSED: Mood.BAD, Decision.SKIPPED: Mood.UNSURE}

_MOODS: Final[Mapping[StrEnum, Mood]] = {
    **DECISION_MOODS,
    Outcome.SUCCEEDED: Mood.GOOD,
    Outcome.FAILED: Mood.BAD,
}


def ledger_table(
    build: PeriodicBuild, entries: Iterable[LedgerEntry], app_servers: Iterable[AppServer], *, title: str, wide: bool
) -> Table:
    """Give entries in the order they come; a failure is told while the AppServer that knows it is there."""
    failures = failures_by_run(app_servers)
    in_progress = {run.id: run.attempt for run in build.status.runs}
    columns = (*COLUMNS[:-1], *(WIDE_COLUMNS if wide else ()), COLUMNS[-1])
    rows = []
    for entry in entries:
        failure = failures.get(entry.run or "") if entry.outcome is Outcome.FAILED else None
        more = (Cell(absolute(entry.decided_at)), Cell(str(entry.epoch))) if wide else ()
        rows.append((*_cells(entry, in_progress), *more, Cell(failure or entry.message or NOTHING)))
    return Table(title=title, columns=columns, rows=tuple(rows))


def failures_by_run(app_servers: Iterable[AppServer]) -> Mapping[str, str]:
    """Give the failure of each run's last attempt that is still on record; `app_servers` newest first."""
    failures: dict[str, str] = {}
    for one in app_servers:
        if one.run is not None:
            failures.setdefault(one.run, failure_text(one))
    return failures


def failure_text(app_server: AppServer) -> str:
    """Say why an attempt failed: class, reason and message."""
    result = app_server.status.result
    if result is None:
        return NOTHING
    return ": ".join(filter(None, (f"{result.failure_class}/{result.reason}", result.message)))


def _cells(entry: LedgerEntry, in_progress: Mapping[str, int]) -> tuple[Cell, ...]:
    slot = absolute(entry.slot)
    until = f" to {absolute(entry.until_slot)}" if entry.until_slot is not None else ""
    return (
        Cell(slot + until),
        Cell(str(entry.count)),
        Cell(entry.decision.value, _MOODS.get(entry.decision, Mood.PLAIN)),
        Cell(f"{entry.reason} ({entry.inputs})" if entry.inputs else entry.reason),
        _outcome_cell(entry, in_progress),
        Cell(entry.run or NOTHING),
    )


def _outcome_cell(entry: LedgerEntry, in_progress: Mapping[str, int]) -> Cell:
    if entry.outcome is not None:
        text = "/".join(filter(None, (entry.outcome.value, entry.outcome_reason)))
        return Cell(text, _MOODS.get(entry.outcome, Mood.PLAIN))
    if entry.run in in_progress:
        return Cell(f"{IN_PROGRESS} (attempt {in_progress[entry.run or '']})")
    return Cell(NOTHING)
