"""Instants, states and fates in the words and colours of the demo."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.text import Text
from tests.demo.observation import Attempt, Build, Fate, Notice, Slots

STYLES = {
    "New": "yellow",
    "WaitingForServer": "yellow",
    "ConfiguringServer": "yellow",
    "Running": "bold green",
    "Completed": "green",
    "ConfigurationFailed": "red",
    "Error": "red",
    "Cancelled": "magenta",
    "Terminated": "dim",
    "Succeeded": "green",
    "Failed": "red",
    "Started": "green",
    "Skipped": "yellow",
    "Missed": "bold red",
}
"""A word that is not here has no colour."""

NOTHING = Text("-", style="dim")


def clock(at: datetime) -> str:
    """Write a time of day, as UTC has it."""
    return f"{at:%H:%M:%S}"


def seconds(length: timedelta) -> str:
    """Write a length in whole seconds; rounded, as nobody counts fractions."""
    return f"{round(length.total_seconds())} s"


def coloured(word: str) -> Text:
    """Give a state, decision or outcome its colour."""
    return Text(word, style=STYLES.get(word, ""))


def next_slot(build: Build, now: datetime) -> Text:
    """Say when the next build is due."""
    if not build.enabled:
        return Text("switched off", style="dim")
    if build.waits_for:
        return Text(f"waits: {build.waits_for}", style="yellow")
    if build.next_slot is None:
        return NOTHING
    if build.next_slot <= now:
        return Text(f"{clock(build.next_slot)} is due", style="bold")
    return Text(f"{clock(build.next_slot)} in {seconds(build.next_slot - now)}")


def doing(build: Build, attempts: tuple[Attempt, ...], now: datetime) -> Text:
    """Say what a build does now: how far its run is, or that there is none."""
    if not build.runs:
        return NOTHING
    run = build.runs[0]
    if run.next_attempt_at is not None:
        wait = max(timedelta(0), run.next_attempt_at - now)
        return Text(f"attempt {run.attempt} failed, next in {seconds(wait)}", style="yellow")
    state = next((one.state for one in attempts if (one.run, one.number) == (run.id, run.attempt)), "New")
    of = f" of {build.attempts}" if build.attempts > 1 and not run.id.startswith("m-") else ""
    return Text.assemble(f"attempt {run.attempt}{of}: ", coloured(state))


def outcome(fate: Fate) -> Text:
    """Say how the run of a slot ended."""
    if not fate.outcome:
        return Text("in progress", style="yellow") if fate.run else NOTHING
    word = coloured(fate.outcome)
    return word.append(f" ({fate.outcome_reason})") if fate.outcome_reason else word


def last_outcome(build: Build) -> Text:
    """Say how the newest ended run of the schedule ended."""
    return next((coloured(fate.outcome) for fate in build.ledger if fate.outcome), NOTHING)


def sum_of(slots: Slots, *, one_waits: bool) -> str:
    """Write the promise of a ledger as a sum."""
    terms = f"{slots.started} started + {slots.skipped} skipped + {slots.missed} missed"
    return f"{slots.due} due = {terms}{' + 1 that waits' if one_waits else ''}"


def style_of(notice: Notice) -> str:
    """Give an Event its colour."""
    if notice.is_warning:
        return "red"
    return {"BuildSucceeded": "green", "ManualSpawnObserved": "bold magenta"}.get(notice.reason, "")
