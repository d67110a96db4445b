"""The live screen: pure functions from what was observed to what rich can draw.

The one idea a newcomer would miss: the screen has a fixed height, so every part says how many rows it takes, and the
attempts and Events share what is left. A small terminal gets the same tables without what explains them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from tests.demo.observation import Attempt, Observation
from tests.demo.words import NOTHING, clock, coloured, doing, last_outcome, next_slot, style_of

WORDS_ROWS = 5
"""Of the panel that tells what happens, borders included: three lines of words."""

OTHER_ROWS = 13
"""Title, headings and blank lines, and the heads of three tables."""

SMALL_OTHER_ROWS = 13
"""On a small terminal: title, five lines of words without a border, a blank one, three heads."""

FULL_SIZE = (110, 34)
"""Columns and rows below which the explanations give way."""

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


def screen(frame: Frame, width: int, height: int) -> RenderableType:
    """Draw one picture for a terminal of so many columns and rows."""
    if width < FULL_SIZE[0] or height < FULL_SIZE[1]:
        return _small_screen(frame, height)
    first, second = _shares(height - OTHER_ROWS - WORDS_ROWS - len(frame.seen.builds))
    return Group(
        title_line(frame),
        Panel(frame.words, height=WORDS_ROWS, border_style="cyan", padding=(0, 1)),
        *_heading("PeriodicBuilds", "one schedule each; every slot that comes due gets exactly one fate"),
        builds_table(frame.seen, frame.now),
        *_heading("AppServers", "one attempt each, one pod each, always from scratch; newest first"),
        attempts_table(frame.seen, first),
        *_heading("Events", "what the operator says about it; newest last"),
        events_table(frame.seen, second),
    )


def _small_screen(frame: Frame, height: int) -> RenderableType:
    first, second = _shares(height - SMALL_OTHER_ROWS - len(frame.seen.builds))
    return Group(
        title_line(frame),
        frame.words,
        "",
        builds_table(frame.seen, frame.now, small=True),
        attempts_table(frame.seen, first, small=True),
        events_table(frame.seen, second),
    )


def _shares(rows: int) -> tuple[int, int]:
    """Divide rows between the attempts and the Events."""
    rows = max(2 * FEWEST_ROWS, rows)
    return rows - rows // 2, rows // 2


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


def builds_table(seen: Observation, now: datetime, *, small: bool = False) -> Table:
    """Draw one row per PeriodicBuild; a small one without what is written in the example files."""
    table = _table("build" if small else "name", *(() if small else ("schedule",)), "next slot")
    for counter in ("due", "started", "skipped", "missed"):
        table.add_column(counter, justify="right", no_wrap=True)
    if not small:
        table.add_column("now", no_wrap=True, ratio=1)
    table.add_column("last run", no_wrap=True)
    for build in seen.builds:
        slots = build.slots
        table.add_row(
            Text(build.name, style="bold" if build.enabled else "dim"),
            *(() if small else (build.schedule or "-",)),
            next_slot(build, now),
            *map(str, (slots.due, slots.started, slots.skipped, slots.missed)),
            *(() if small else (doing(build, seen.attempts, now),)),
            last_outcome(build),
        )
    return table


def attempts_table(seen: Observation, rows: int, *, small: bool = False) -> Table:
    """Draw the newest attempts; in a small table the name has to tell the trigger."""
    table = _table("attempt" if small else "name", *(() if small else ("trigger", "attempt")))
    table.add_column("state", no_wrap=True, min_width=len("ConfigurationFailed"))
    table.add_column("why", no_wrap=True, ratio=1)
    for attempt in seen.attempts[:rows]:
        trigger = Text(attempt.trigger, style="magenta" if attempt.trigger == "Manual" else "")
        more = () if small else (trigger, str(attempt.number))
        table.add_row(attempt.name, *more, coloured(attempt.state), _why(attempt))
    _fill(table, rows)
    return table


def events_table(seen: Observation, rows: int) -> Table:
    """Draw the newest Events; those of an attempt under the name of its build, as the note has the number."""
    build_of = {attempt.name: attempt.build for attempt in seen.attempts}
    table = _table("time", "event", "about")
    table.add_column("note", no_wrap=True, ratio=1)
    for notice in seen.notices[-rows:]:
        reason = Text(notice.reason, style=style_of(notice))
        table.add_row(clock(notice.at), reason, build_of.get(notice.about, notice.about), notice.note)
    _fill(table, rows)
    return table


def _heading(name: str, explanation: str) -> tuple[RenderableType, RenderableType]:
    """Draw the lines above a table."""
    return "", Text.assemble((name, "bold"), "  ", (explanation, "dim"), no_wrap=True, overflow="ellipsis")


def _why(attempt: Attempt) -> Text:
    if attempt.failure:
        return Text(attempt.failure, style="red")
    return Text(attempt.why, style="dim") if attempt.why else NOTHING


def _table(*columns: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        expand=True,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
        header_style="dim",
    )
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _fill(table: Table, rows: int) -> None:
    """Keep the height, so that nothing jumps while there is little to show."""
    for _ in range(rows - table.row_count):
        table.add_row()
