"""One ledger entry in plain words: what became of a slot, why, what its run came to, and what one can do.

Must not know who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from periodicbuild.cli.comparisons import comparison_document, comparison_facts
from periodicbuild.cli.ledger_rows import DECISION_MOODS, failure_text
from periodicbuild.cli.sentences import FATES, OUTCOMES, meaning_of
from periodicbuild.cli.tables import Cell, Mood
from periodicbuild.cli.times import both
from periodicbuild.core.reasons import Decision, Outcome
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from periodicbuild.cli.tables import Fact
    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.status import LedgerEntry


def fate_sentence(build: PeriodicBuild, entry: LedgerEntry, app_servers: Sequence[AppServer]) -> str:
    """Say in one sentence whether it ran, and why not or how it ended."""
    why = f"{entry.reason}: {entry.message or meaning_of(entry.reason, FATES, build.ref.name).text}"
    if entry.decision is not Decision.STARTED:
        return f"it was {entry.decision.lower()} ({why})"
    if entry.outcome is None:
        is_going = any(run.id == entry.run for run in build.status.runs)
        return "it was started, and its run is in progress" if is_going else "it was started"
    if entry.outcome is not Outcome.FAILED:
        verb = "has succeeded" if entry.outcome is Outcome.SUCCEEDED else f"was cancelled ({entry.outcome_reason})"
        return f"it was started, and its run {verb}"
    return f"it was started, and its run has failed: {_last_failure(build, entry, app_servers)}"


def fate_facts(
    build: PeriodicBuild, entry: LedgerEntry, app_servers: Sequence[AppServer], now: datetime
) -> Iterator[Fact]:
    """Give the details, a line each; `app_servers` newest first."""
    meaning = meaning_of(entry.reason, FATES, build.ref.name)
    mood = DECISION_MOODS.get(entry.decision, Mood.PLAIN)
    yield "Decision", Cell(f"{entry.decision}/{entry.reason}, {both(entry.decided_at, now)}", mood)
    if entry.count > 1:
        yield "Slots with it", Cell(f"{entry.count}, {instant_text(entry.slot)} to {_last(entry)}")
    if entry.message:
        yield "Because", Cell(entry.message)
    yield "It means", Cell(meaning.text)
    if meaning.remedy:
        yield "What helps", Cell(meaning.remedy)
    yield from comparison_facts(build.status.changes, entry)
    if entry.run is not None:
        yield from _run_facts(build, entry, app_servers, now)


def fate_document(build: PeriodicBuild, entry: LedgerEntry, app_servers: Sequence[AppServer]) -> dict[str, Any]:
    """Give an entry for programs, as in `status.ledger`, with its meaning and the attempts on record."""
    meaning = meaning_of(entry.reason, FATES, build.ref.name)
    outcome = meaning_of(entry.outcome_reason, OUTCOMES, build.ref.name) if entry.outcome_reason else None
    return {
        "slotTime": instant_text(entry.slot),
        "untilSlotTime": None if entry.until_slot is None else instant_text(entry.until_slot),
        "count": entry.count,
        "epoch": entry.epoch,
        "decision": entry.decision.value,
        "reason": str(entry.reason),
        "time": instant_text(entry.decided_at),
        "message": entry.message or None,
        "meaning": meaning.text,
        "remedy": meaning.remedy or None,
        "run": entry.run,
        "outcome": entry.outcome and entry.outcome.value,
        "outcomeReason": entry.outcome_reason and str(entry.outcome_reason),
        "outcomeMeaning": outcome and outcome.text,
        "comparison": comparison_document(build.status.changes, entry),
        "attempts": [_attempt_document(one) for one in attempts_of(entry, app_servers)],
    }


def attempts_of(entry: LedgerEntry, app_servers: Sequence[AppServer]) -> list[AppServer]:
    """Give the attempts of its run that are on record, first one first."""
    return sorted((one for one in app_servers if one.run and one.run == entry.run), key=lambda one: one.attempt)


def _run_facts(
    build: PeriodicBuild, entry: LedgerEntry, app_servers: Sequence[AppServer], now: datetime
) -> Iterator[Fact]:
    yield "Run", Cell(entry.run or "")
    yield "Outcome", _outcome_cell(build, entry, now)
    if entry.outcome_reason:
        meaning = meaning_of(entry.outcome_reason, OUTCOMES, build.ref.name)
        yield "It means", Cell(meaning.text)
        if meaning.remedy:
            yield "What helps", Cell(meaning.remedy)
    attempts = attempts_of(entry, app_servers)
    for one in attempts:
        yield f"Attempt {one.attempt}", Cell(f"AppServer {one.ref.name}, {_attempt_text(one)}")
    if not attempts:
        yield "Attempts", Cell("their AppServers are no longer kept (spec.history)", Mood.QUIET)


def _outcome_cell(build: PeriodicBuild, entry: LedgerEntry, now: datetime) -> Cell:
    if entry.outcome is not None:
        moods = {Outcome.SUCCEEDED: Mood.GOOD, Outcome.FAILED: Mood.BAD}
        text = "/".join(filter(None, (entry.outcome.value, entry.outcome_reason)))
        return Cell(text, moods.get(entry.outcome, Mood.PLAIN))
    run = next((run for run in build.status.runs if run.id == entry.run), None)
    if run is None:
        return Cell("not known yet")
    if run.next_attempt_at is not None:
        return Cell(f"in progress (attempt {run.attempt + 1} is due {both(run.next_attempt_at, now)})")
    return Cell(f"in progress (attempt {run.attempt})")


def _attempt_text(app_server: AppServer) -> str:
    """Say how an attempt stands: for a failed one who ended it, and with what."""
    status, result = app_server.status, app_server.status.result
    if result is None:
        return f"{app_server.state}{f': {status.message}' if status.message else ''}"
    details = {"container": result.container, "exit code": result.exit_code, "signal": result.signal}
    told = [f"{name} {value}" for name, value in details.items() if value is not None]
    where = ", ".join((f"{app_server.state} while {result.stage}", *told))
    return f"{where}: {failure_text(app_server)}"


def _attempt_document(app_server: AppServer) -> dict[str, Any]:
    status, result = app_server.status, app_server.status.result
    return {
        "appServer": app_server.ref.name,
        "attempt": app_server.attempt,
        "state": app_server.state.value,
        "finishTime": None if status.finished_at is None else instant_text(status.finished_at),
        "failureClass": result and result.failure_class.value,
        "reason": result and result.reason,
        "stage": result and result.stage,
        "container": result and result.container,
        "exitCode": result and result.exit_code,
        "signal": result and result.signal,
        "message": result.message if result is not None else status.message,
    }


def _last_failure(build: PeriodicBuild, entry: LedgerEntry, app_servers: Sequence[AppServer]) -> str:
    """Give the cause as far as anything still knows it."""
    failed = [one for one in attempts_of(entry, app_servers) if one.status.result is not None]
    if failed:
        return failure_text(failed[-1])
    failure = build.status.last_failure
    if failure is not None and failure.run == entry.run:
        return ": ".join(filter(None, (f"{failure.failure_class}/{failure.reason}", failure.message)))
    return str(entry.outcome_reason or "the cause is no longer known")


def _last(entry: LedgerEntry) -> str:
    return instant_text(entry.last_slot)
