"""One run of mutmut over the whole core, and what it found."""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from tests.cluster.console import say
from tests.mutation.survivors import Change
from tests.mutation.workspace import environment, make_workspace, mutmut

if TYPE_CHECKING:
    from pathlib import Path

SAID_EVERY_SECONDS: Final = 60.0
LASTS_AT_MOST_SECONDS: Final = 3_600.0
PROGRESS: Final = re.compile(r"(\d+)/(\d+)")


class MutationError(RuntimeError):
    """mutmut has not come to its end; its output says why."""


class Counts(msgspec.Struct, frozen=True):
    """How many changes ended how, by mutmut's own words."""

    total: int
    killed: int
    timeout: int
    """A change that makes a test run for ever is noticed, too."""

    @property
    def killed_percent(self) -> float:
        """Give the share that the tests notice."""
        return 100 * (self.killed + self.timeout) / self.total


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of all changes."""

    counts: Counts
    survivors: tuple[Change, ...]


def mutate() -> Findings:
    """Change the core in every way that mutmut knows, and run its tests against each; raises MutationError."""
    place = make_workspace()
    _run_all(place)
    return findings_in(place)


def findings_in(place: Path) -> Findings:
    """Read what a run has found."""
    _ask(place, "export-cicd-stats")
    counts = msgspec.json.decode((place / "mutants" / "mutmut-cicd-stats.json").read_bytes(), type=Counts)
    results = (line.strip().rpartition(": ") for line in _ask(place, "results").splitlines())
    names = [name for name, _, status in results if status != "timeout" and name]
    return Findings(counts, tuple(Change.of(name, _ask(place, "show", name)) for name in names))


def _run_all(place: Path) -> None:
    log = place / "mutmut.log"
    begin = time.monotonic()
    with log.open("wb") as output:
        running = subprocess.Popen(
            mutmut("run"), cwd=place, env=environment(os.environ.items()), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while running.poll() is None:
                if time.monotonic() - begin > LASTS_AT_MOST_SECONDS:
                    raise MutationError(f"mutmut has run for an hour and has not ended; see {log}")
                _wait(running)
                _say_progress(log)
        finally:
            running.terminate()
            running.wait()
    if running.returncode != 0:
        raise MutationError(f"mutmut ended with {running.returncode}; the end of {log} says why:\n{_tail(log)}")


def _wait(running: subprocess.Popen[bytes]) -> None:
    try:
        running.wait(SAID_EVERY_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _say_progress(log: Path) -> None:
    found = PROGRESS.findall(_tail(log))
    if found:
        done, total = found[-1]
        say(f"{int(done):,} of {int(total):,} changes were tried.")


def _tail(log: Path) -> str:
    return log.read_bytes()[-2_000:].decode(errors="replace")


def _ask(place: Path, *arguments: str) -> str:
    """Run a short command of mutmut and return what it prints."""
    return subprocess.run(
        mutmut(*arguments),
        cwd=place,
        env=environment(os.environ.items()),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
