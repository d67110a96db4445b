"""Type commands into a machine and read what they print, into a log, with a deadline."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from tests.cluster.console import say
from tests.newcomer.reading import PageError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from pathlib import Path

SAID_EVERY_SECONDS: Final = 30.0
"""Often enough that nobody thinks it hangs; everything is in the log."""
LAST_WORDS: Final = 15
"""Lines of a command that failed which are shown."""


class Place(Protocol):
    """Where commands run."""

    def enter(self, command: str) -> list[str]:
        """Give the command that has a shell there do what is typed."""

    def end(self) -> None:
        """End everything there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to type."""

    page: str
    """That says so."""
    command: str
    within_seconds: float
    until: re.Pattern[str] | None = None
    """What it is to print."""
    stops_then: bool = False
    """Whether it is stopped as soon as it has printed that, since it never ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it."""

    seconds: float
    seen_after_seconds: float
    """When that was printed which was looked for, and otherwise its end."""


@dataclass(slots=True)
class Terminal:
    """Where a newcomer types."""

    place: Place
    log: Path
    _said_at: float = field(default_factory=time.monotonic)

    def type_in(self, step: Step) -> Answer:
        """Do it and wait for its end; raises PageError if that is no good one, or does not come in time."""
        say(f"{step.page}: {step.command}")
        begin = time.monotonic()
        seen: float | None = None
        last: deque[str] = deque(maxlen=LAST_WORDS)
        with self._started(step) as running:
            for line in running.stdout or ():
                seconds = time.monotonic() - begin
                self._note(line, seconds)
                last.append(line)
                if seen is None and step.until is not None and step.until.search(line):
                    seen = seconds
                    if step.stops_then:
                        return Answer(seconds=seconds, seen_after_seconds=seconds)
            status = running.wait()
        seconds = time.monotonic() - begin
        if why := _complaint(step, status, seconds, was_seen=seen is not None):
            raise PageError(
                f"{step.page} says `{step.command}`, and {why}. See {self.log}, which ends so:\n{''.join(last)}"
            )
        return Answer(seconds=seconds, seen_after_seconds=seconds if seen is None else seen)

    @contextmanager
    def _started(self, step: Step) -> Iterator[subprocess.Popen[str]]:
        self._note(f"{step.page}: {step.command}\n", 0)
        command = self.place.enter(step.command)
        # What it has started may outlive it and hold its output open; the end of the place leaves nobody.
        bell = threading.Timer(step.within_seconds, self.place.end)
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as running:
            bell.start()
            try:
                yield running
            finally:
                bell.cancel()
                running.kill()

    def _note(self, line: str, seconds: float) -> None:
        with self.log.open("a") as log:
            log.write(f"{seconds:8.1f}  {line}")
        if line.strip() and time.monotonic() - self._said_at >= SAID_EVERY_SECONDS:
            self._said_at = time.monotonic()
            say(f"  after {seconds:.0f} s: {line.strip()}")


def _complaint(step: Step, status: int, seconds: float, *, was_seen: bool) -> str:
    """Say what is wrong with how it ended, if anything."""
    if seconds >= step.within_seconds:
        return f"on an empty machine it has not come to its end within {step.within_seconds:g} s"
    if status != 0:
        return f"on an empty machine it ends with {status}"
    if step.until is not None and not was_seen:
        return f"nothing it prints looks like {step.until.pattern!r}"
    return ""
