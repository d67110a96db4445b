"""A command that does not do what its page says is named, with what it printed at last."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.cluster.waiting import wait_for
from tests.newcomer.reading import PageError
from tests.newcomer.terminal import Step, Terminal

if TYPE_CHECKING:
    from pathlib import Path

LONG = 20.0
"""Seconds that no test here takes."""


@dataclass(slots=True)
class Here:
    """This very machine, of which one process can be ended."""

    note: Path
    """Which one."""

    def enter(self, command: str) -> list[str]:
        """Note the process before it does anything."""
        return ["sh", "-c", f"echo $$ >{self.note}; {command}"]

    def end(self) -> None:
        """End it, which may be only just starting."""
        pid = wait_for(self._noted, within_seconds=LONG, what="no process")
        os.kill(pid, signal.SIGKILL)

    def _noted(self) -> int | None:
        return int(self.note.read_text() or 0) or None if self.note.exists() else None


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(Here(tmp_path / "pid"), tmp_path / "log")


def a_step(command: str, *, within: float = LONG, until: str | None = None, stops_then: bool = False) -> Step:
    pattern = None if until is None else re.compile(until)
    return Step(page="README.md", command=command, within_seconds=within, until=pattern, stops_then=stops_then)


def test_what_is_printed_is_in_the_log(terminal: Terminal) -> None:
    terminal.type_in(a_step("echo one; echo two >&2"))

    assert re.sub(r"(?m)^ *[\d.]+  ", "", terminal.log.read_text()) == ("README.md: echo one; echo two >&2\none\ntwo\n")


def test_it_is_known_when_something_was_printed_first(terminal: Terminal) -> None:
    answer = terminal.type_in(a_step("echo built; echo built; echo over", until="built"))

    assert 0 < answer.seen_after_seconds <= answer.seconds < LONG


def test_what_never_ends_is_stopped_once_it_has_printed_what_it_is_for(terminal: Terminal) -> None:
    answer = terminal.type_in(a_step("echo built; exec sleep 600", until="built", stops_then=True))

    assert answer.seconds < LONG


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (
            a_step("echo last words; exit 3"),
            r"README\.md says `echo last .*`, and .* it ends with 3\. See .*\nlast words",
        ),
        (a_step("echo other", until="built"), r"says `echo other`, and nothing it prints looks like 'built'"),
        (a_step("no-such-program"), r"says `no-such-program`, and .* ends with 127(?s:.*)not found"),
        (a_step("exec sleep 600", within=0.2), r"says `exec sleep 600`, and .* not come to its end within 0\.2 s"),
    ],
    ids=["it fails", "it lacks something", "there is no such thing", "it takes too long"],
)
def test_a_command_that_cannot_be_followed_is_named(terminal: Terminal, step: Step, complaint: str) -> None:
    with pytest.raises(PageError, match=complaint):
        terminal.type_in(step)
