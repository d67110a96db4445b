"""Two ways to show what happens: a live screen on a terminal, and lines where there is none (a log, a pipe)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text
from tests.demo.observation import Attempt, Notice
from tests.demo.view import Frame, screen
from tests.demo.words import clock, coloured, style_of

LOG_WIDTH = 132
"""Columns where there is no terminal to ask: a whole line of a ledger or an Event."""


class Showing(Protocol):
    """Where frames go."""

    def show(self, frame: Frame) -> None:
        """Show the newest."""


@contextmanager
def showing(console: Console) -> Iterator[Showing]:
    """Choose by what the console is; a live screen gives the terminal back as it was."""
    if not console.is_terminal:
        yield Lines(console)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        yield Screen(console, live)


class Screen:
    """Draws each frame over the one before."""

    def __init__(self, console: Console, live: Live) -> None:
        self._console = console
        self._live = live

    def show(self, frame: Frame) -> None:
        """Draw it."""
        self._live.update(screen(frame, self._console.width, self._console.height), refresh=True)


class Lines:
    """Prints what a frame has that the ones before had not."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._words = ""
        self._states: dict[str, str] = {}
        self._told: set[str] = set()

    def show(self, frame: Frame) -> None:
        """Print what is new."""
        if frame.words.plain != self._words:
            self._words = frame.words.plain
            self._print(Text.assemble("\n", frame.words, "\n"))
        for attempt in reversed(frame.seen.attempts):
            if self._states.get(attempt.name) != attempt.state:
                self._states[attempt.name] = attempt.state
                self._print(attempt_line(attempt, clock(frame.now)))
        for notice in frame.seen.notices:
            if notice.key not in self._told:
                self._told.add(notice.key)
                self._print(notice_line(notice))

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


def attempt_line(attempt: Attempt, time: str) -> Text:
    """Say that an attempt has reached a state."""
    why = f"  {attempt.failure}" if attempt.failure else ""
    return Text.assemble(f"{time}  AppServer  {attempt.name}: ", coloured(attempt.state), why)


def notice_line(notice: Notice) -> Text:
    """Say what an Event says."""
    reason = Text(notice.reason, style=style_of(notice))
    return Text.assemble(f"{clock(notice.at)}  Event      {notice.about}: ", reason, f": {notice.note}")
