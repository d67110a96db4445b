"""Show how far the build is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from tests.cluster.console import console, say

CORE_SECONDS_PER_PACKAGE = 0.53
"""Measured: 2,955 packages in 13 minutes on 2 cores, linking included."""

FIRST_GUESS_WEIGHS = 200
"""Packages after which the speed of this machine counts more than the figure above."""

LOG_LINE_EVERY_SECONDS = 15
"""Without a terminal: often enough that nobody thinks the run hangs."""


def estimated_seconds(to_go: int, total: int, elapsed_seconds: float, cores: int) -> float:
    """Estimate what is left from the measured figure, and more and more from the speed seen so far."""
    compiled = total - to_go
    guessed = CORE_SECONDS_PER_PACKAGE / cores
    return to_go * (elapsed_seconds + FIRST_GUESS_WEIGHS * guessed) / (compiled + FIRST_GUESS_WEIGHS)


def in_words(seconds: float) -> str:
    """Round a time to what the estimate is worth."""
    return "less than a minute" if seconds < 60 else f"about {round(seconds / 60)} min"


class BuildProgress:
    """Counts compiled packages and tells the person."""

    def __init__(self, total: int, cores: int) -> None:
        self._total = total
        self._cores = cores
        self._compiled = 0
        self._started = self._last_line = time.monotonic()
        self._stack = ExitStack()
        self._bar = Progress(
            TextColumn("compiling"), BarColumn(), MofNCompleteColumn(), TextColumn("packages"), TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"), console=console, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=total, left=self._left())

    def __enter__(self) -> BuildProgress:
        if console.is_terminal:
            self._stack.enter_context(self._bar)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if error is None:
            say(f"Built in {time.monotonic() - self._started:.0f} s.")

    def compiled_one_more(self) -> None:
        """Note that one more package is compiled."""
        self._compiled += 1
        self._bar.update(self._task, completed=self._compiled, left=self._left())
        now = time.monotonic()
        if not console.is_terminal and now - self._last_line >= LOG_LINE_EVERY_SECONDS:
            self._last_line = now
            say(f"{self._compiled} of {self._total} packages compiled, {self._left()}")

    def _left(self) -> str:
        if self._compiled == self._total:
            return "linking"
        elapsed = time.monotonic() - self._started
        seconds = estimated_seconds(self._total - self._compiled, self._total, elapsed, self._cores)
        return f"{in_words(seconds)} left"
