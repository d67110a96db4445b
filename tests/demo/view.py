"""The live screen: pure functions from what was observed to what rich can draw.

The one idea a newcomer would miss: the screen has a fixed height, so every part says how many rows it takes, and the
attempts and Events share what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from tests.demo.observation import Attempt, Notice, Observation
from tests.demo.words import NOTHING, clock, coloured, doing, last_outcome, next_slot

WORDS_ROWS = 5
"""Of the panel that tells what happens, borders included: three lines of words."""

OTHER_ROWS = 13
"""Title, progress, headings and blank lines, and the table of builds without its rows."""

FEWEST_ROWS = 3
"""Attempts and Events that are shown however small the terminal is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of the demo."""

    seen: Observation
    now: datetime
    elapsed_seconds: float
    total_seconds: float
    title: str
    words: Text
    """What happens, for somebody who sees it for the first time."""


def screen(frame: Frame, height: int) -> RenderableType:
    """Draw one picture for a terminal of so many rows."""
    spare = max(2 * FEWEST_ROWS, height - OTHER_ROWS - WORDS_ROWS - len(frame.seen.builds))
    return Group(
        title_line(frame),
        Panel(frame.words, height=WORDS_ROWS, border_style="cyan", padding=(0, 1)),
        heading("PeriodicBuilds", "one schedule each; every slot that comes due gets exactly one fate"),
        builds_table(frame.seen, frame.now),
        heading("AppServers", "one attempt each, one pod each, always from scratch; newest first"),
        attempts_table(frame.seen, spare - spare // 2),
        heading("Events", "what the operator says about it; newest last"),
        events_table(frame.seen, spare // 2),
    )


def title_line(frame: Frame) -> RenderableType:
    """Draw the first line: where this is, and how far."""
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1, no_wrap=True)
    line.add_column(width=30)
    line.add_column(justify="right", no_wrap=True)
    bar = ProgressBar(
        total=frame.total_seconds,
        completed=min(frame.elapsed_seconds, frame.total_seconds),
        width=30,
        complete_style="cyan",
        finished_style="cyan",
    )
    line.add_row(Text(frame.title, style="bold cyan"), bar, f"{clock(frame.now)} UTC")
    return line


def heading(name: str, explanation: str) -> RenderableType:
    """Draw the line above a table."""
    return Padding(Text.assemble((name, "bold"), "  ", (explanation, "dim")), (1, 0, 0, 0))


def builds_table(seen: Observation, now: datetime) -> Table:
    """Draw one row per PeriodicBuild."""
    table = _table("name", "schedule", "next slot")
    for counter in ("due", "started", "skipped", "missed"):
        table.add_column(counter, justify="right", no_wrap=True)
    table.add_column("now", no_wrap=True, ratio=1)
    table.add_column("last run", no_wrap=True)
    for build in seen.builds:
        slots = build.slots
        table.add_row(
            Text(build.name, style="bold" if build.enabled else "dim"),
            build.schedule or "-",
            next_slot(build, now),
            *map(str, (slots.due, slots.started, slots.skipped, slots.missed)),
            doing(build, seen.attempts, now),
            last_outcome(build),
        )
    return table


def attempts_table(seen: Observation, rows: int) -> Table:
    """Draw the newest attempts."""
    table = _table("name", "trigger")
    table.add_column("attempt", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True, min_width=len("ConfigurationFailed"))
    table.add_column("why", no_wrap=True, ratio=1)
    for attempt in seen.attempts[:rows]:
        style = "magenta" if attempt.trigger == "Manual" else ""
        table.add_row(
            attempt.name,
            Text(attempt.trigger, style=style),
            str(attempt.number),
            coloured(attempt.state),
            _why(attempt),
        )
    _fill(table, rows)
    return table


def events_table(seen: Observation, rows: int) -> Table:
    """Draw the newest Events; those of an attempt under the name of its build, as the note has the number."""
    build_of = {attempt.name: attempt.build for attempt in seen.attempts}
    table = _table("time", "reason", "about")
    table.add_column("note", no_wrap=True, ratio=1)
    for notice in seen.notices[-rows:]:
        reason = Text(notice.reason, style=style_of(notice))
        table.add_row(clock(notice.at), reason, build_of.get(notice.about, notice.about), notice.note)
    _fill(table, rows)
    return table


def style_of(notice: Notice) -> str:
    """Give an Event its colour."""
    if notice.is_warning:
        return "red"
    return {"BuildSucceeded": "green", "ManualSpawnObserved": "bold magenta"}.get(notice.reason, "")


def _why(attempt: Attempt) -> Text:
    if attempt.failure:
        return Text(attempt.failure, style="red")
    return Text(attempt.why, style="dim") if attempt.why else NOTHING


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), pad_edge=False, show_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _fill(table: Table, rows: int) -> None:
    """Keep the height, so that nothing jumps while there is little to show."""
    for _ in range(rows - table.row_count):
        table.add_row()
