"""Run all tests in three groups at the same time: all mostly wait, and take about as long as each other.

Usage: python -m tests.side_by_side REPORT

The one idea a newcomer would miss: each group is a pytest run in a session of its own, so that Ctrl-C reaches it once
and through us, whoever is interrupted: it then takes its clusters down.  What a group has to say beyond its progress
comes when all are over, so that no traceback is torn apart.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OUTAGE = "tests/integration/test_operator_outage.py"
"""As long as a fifth of all others of its name, so it goes with those that are done sooner."""
OPERATOR = sorted(set(map(str, Path().glob("tests/integration/test_operator_*.py"))) - {OUTAGE})
GROUPS = {
    "nodes": ("tests/e2e", "tests/crash", "tests/chart"),
    "operator": OPERATOR,
    "others": (
        "tests/unit",
        "tests/property",
        "tests/integration",
        "tests/monitoring",
        "tests/release",
        "tests/docs",
        *(f"--ignore={path}" for path in OPERATOR),
    ),
}
"""By name: what pytest is told to run."""

SILENT_FOR_SECONDS = 50
"""Then a group says where it still is: a run without output for minutes looks as if it hung."""

PROGRESS = re.compile(r"\[ *\d+%\]$")
"""How pytest ends the line of a file all of whose tests have run."""


@dataclass(slots=True)
class Group:
    """One run, and what it has said."""

    name: str
    process: subprocess.Popen[bytes]
    begun: str = ""
    """The line that is not complete: where it is."""
    rest: list[str] = field(default_factory=list)
    """All that is not progress."""
    shown_at: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, name: str, command: Sequence[str]) -> Group:
        """Start it; its output is ours to read."""
        pipe, nothing, same = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
        process = subprocess.Popen(command, stdin=nothing, stdout=pipe, stderr=same, start_new_session=True)
        return cls(name, process)

    @property
    def output(self) -> IO[bytes]:
        """Give what it says."""
        assert self.process.stdout is not None
        return self.process.stdout

    def end(self) -> int:
        """Wait for its end and give its exit code."""
        self.output.close()
        return self.process.wait()

    def read(self) -> bool:
        """Take what it has said since, and show its progress; False if it will say no more."""
        said = os.read(self.output.fileno(), 1 << 16)
        *lines, self.begun = (self.begun + said.decode(errors="replace")).split("\n")
        for line in lines:
            if PROGRESS.search(line):
                self.show(line)
            else:
                self.rest.append(line)
        return bool(said)

    def show(self, line: str) -> None:
        """Print a line, and say whose it is."""
        say(f"{self.name:>8} | {line}")
        self.shown_at = time.monotonic()

    def show_if_silent(self) -> None:
        """Say where it is, if it has said nothing for long."""
        if time.monotonic() - self.shown_at >= SILENT_FOR_SECONDS:
            self.show(self.begun)


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(commands: Mapping[str, Sequence[str]]) -> int:
    """Run commands at the same time; return 0 if all have succeeded, else an exit code of one that has not."""
    groups: list[Group] = []
    with _interruptions_passed_on_to(groups):
        groups.extend(Group.start(name, command) for name, command in commands.items())
        _follow(groups)
        codes = [group.end() for group in groups]
    for group in groups:
        say("\n".join(("", f"{group.name}:", *group.rest, group.begun)))
    return next((abs(code) for code in codes if code), 0)


@contextmanager
def _interruptions_passed_on_to(groups: Sequence[Group]) -> Iterator[None]:
    """Ask each for an orderly end when we are asked for ours; a second time is passed on as well."""

    def interrupt(*_: object) -> None:
        for group in groups:
            group.process.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _follow(groups: Sequence[Group]) -> None:
    """Show the progress of all until none says anything more."""
    with selectors.DefaultSelector() as selector:
        for group in groups:
            selector.register(group.output, selectors.EVENT_READ, group)
        while selector.get_map():
            for key, _ in selector.select(timeout=1):
                if not key.data.read():
                    selector.unregister(key.fileobj)
            for key in selector.get_map().values():
                key.data.show_if_silent()


def main() -> int:
    """Run all groups; their JUnit reports are REPORT.nodes, REPORT.operator and REPORT.others."""
    pytest = (sys.executable, "-m", "pytest", "--durations=15")
    return run({name: (*pytest, *what, f"--junit-xml={sys.argv[1]}.{name}") for name, what in GROUPS.items()})


if __name__ == "__main__":
    sys.exit(main())
