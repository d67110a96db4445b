"""Follow the pages on an empty machine: what README.md says, then what docs/start.md says, and take the times."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.figures import ROOT
from tests.cluster.console import say
from tests.cluster.paths import cache_folder
from tests.newcomer.machine import empty_machine
from tests.newcomer.reading import PageError, Section, named
from tests.newcomer.terminal import Step, Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

README: Final = "README.md"
START: Final = "docs/start.md"
DEBIAN: Final[Mapping[str, str]] = {"Python 3.11": "python3", "make": "make"}
"""What README.md asks for, by the Debian package that brings it."""

DEMO_WITHIN_SECONDS: Final = 3_600
"""It builds Kubernetes, in a quarter of an hour on two cores."""
IMAGE_WITHIN_SECONDS: Final = 1_200
STEP_WITHIN_SECONDS: Final = 600
GRANTED: Final = ".venv/bin/python -m tests.newcomer.granted"
WATCHES: Final = " --watch"
SUCCEEDED_IN_DEMO: Final = re.compile(r"AppServer +\S+: Completed")
SUCCEEDED_IN_TABLE: Final = re.compile(r"^\S+ +Completed ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """All that is read before anything is typed."""

    packages: tuple[str, ...]
    demo: str
    image: str
    install: tuple[str, ...]
    first_build: tuple[str, ...]

    @classmethod
    def of(cls, checkout: Path) -> Pages:
        """Read them; raises PageError where one does not say what is looked for."""
        two = Section.of(checkout, README, "Two commands")
        into = Section.of(checkout, README, "Install into a cluster")
        more = [one for one in Section.of(checkout, START, "Install").typed if one.startswith("helm ")]
        if tuple(more[: len(into.typed)]) != into.typed:
            raise PageError(f"{README} installs with {into.typed}, and {START} with {more}.")
        return cls(
            packages=tuple(map(_package, two.prerequisites)),
            demo=two.first_of_table,
            image=into.mentioned,
            install=tuple(more),
            first_build=_watched(named(Section.of(checkout, START, "The first build").typed, checkout)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds from the first key pressed."""

    first_success: float
    """Until the demo shows the first build that has succeeded."""
    demo: float
    """Until it has ended."""
    installed_success: float
    """From `helm install` until the first build has succeeded, in a cluster that has the image."""


def follow_pages(*, warm: bool = False) -> Times:
    """Follow them from an empty machine; a warm one has what was built before, which spares the quarter of an hour."""
    pages = Pages.of(ROOT)
    log = cache_folder() / "newcomer.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    say(f"All that is printed goes to {log}.")
    with empty_machine(pages.packages, is_warm=warm) as machine:
        if Pages.of(machine.outside(machine.checkout)) != pages:
            raise PageError("The pages were changed, and on the machine is what is committed: commit first.")
        terminal = Terminal(machine, log)
        step = Step(page=README, command=pages.demo, within_seconds=DEMO_WITHIN_SECONDS, until=SUCCEEDED_IN_DEMO)
        demo = terminal.type_in(step)
        say(f"The first build has succeeded after {demo.seen_after_seconds:.0f} s.")
        installed = _install(terminal, pages)
        say(f"The first build after `helm install` has succeeded after {installed:.0f} s.")
    return Times(first_success=demo.seen_after_seconds, demo=demo.seconds, installed_success=installed)


def _install(terminal: Terminal, pages: Pages) -> float:
    terminal.type_in(Step(page=README, command=pages.image, within_seconds=IMAGE_WITHIN_SECONDS))
    terminal.type_in(Step(page="taken for granted", command=GRANTED, within_seconds=STEP_WITHIN_SECONDS))
    begin = time.monotonic()
    for command in pages.install:
        terminal.type_in(Step(page=START, command=command, within_seconds=STEP_WITHIN_SECONDS))
    done: list[float] = []
    for command in pages.first_build:
        terminal.type_in(_first_build(command))
        if WATCHES in command:
            done.append(time.monotonic() - begin)
    return done[0]


def _first_build(command: str) -> Step:
    """Watch what is to be watched until it shows a success, as nothing else ends that."""
    watches = WATCHES in command
    return Step(
        page=START,
        command=command,
        within_seconds=STEP_WITHIN_SECONDS,
        until=SUCCEEDED_IN_TABLE if watches else None,
        stops_then=watches,
    )


def _watched(commands: tuple[str, ...]) -> tuple[str, ...]:
    if not any(WATCHES in command for command in commands):
        raise PageError(f"{START} has nobody watch the first build: {commands}.")
    return commands


def _package(asked_for: str) -> str:
    if asked_for not in DEBIAN:
        raise PageError(f"{README} asks for {asked_for!r}: DEBIAN in {__name__} must say which package brings it.")
    return DEBIAN[asked_for]
