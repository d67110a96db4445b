"""What the demo sees and draws, in examples: one build that failed, one that is switched off, one Event."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console, RenderableType
from rich.text import Text
from tests.demo.closing import Ending
from tests.demo.observation import Attempt, Build, Fate, Notice, Observation, Slots
from tests.demo.view import Frame

SLOT = datetime(2026, 11, 25, 4, 35, 0, tzinfo=UTC)
NOW = SLOT + timedelta(seconds=20)
NEXT = SLOT + timedelta(seconds=40)
RUN = "20261125-043500"

STARTED = Fate(slot=SLOT, decision="Started", reason="Due", run=RUN, outcome="", outcome_reason="", count=1)
FAILED = replace(STARTED, outcome="Failed", outcome_reason="RetriesUsedUp")

BUILD = Build(
    name="nightly",
    enabled=True,
    schedule="every 40s",
    attempts=3,
    next_slot=NEXT,
    anchor_at=SLOT,
    slots=Slots(due=1, started=1),
    waits_for="",
    runs=(),
    ledger=(FAILED,),
    handled_token="",
)
OFF = replace(
    BUILD, name="off", enabled=False, next_slot=None, anchor_at=None, slots=Slots(), ledger=(), schedule="every 24h"
)
ATTEMPT = Attempt(
    name=f"nightly-{RUN}-1",
    build="nightly",
    trigger="Schedule",
    run=RUN,
    number=1,
    state="ConfigurationFailed",
    created_at=SLOT,
    why="container build ended with exit code 7",
    failure="Build, NonZeroExit, exit code 7",
)
NOTICE = Notice(
    key="one", at=SLOT, reason="AttemptFailed", about=ATTEMPT.name, note="Attempt 1 has failed", is_warning=True
)
SEEN = Observation(builds=(BUILD, OFF), attempts=(ATTEMPT,), notices=(NOTICE,))
FRAME = Frame(
    seen=SEEN, now=NOW, elapsed_seconds=20, total_seconds=120, title="on a real node", words=Text("Watch this.")
)
ENDING = Ending(seen=SEEN, attempts=(ATTEMPT,), effect=None, unaccounted=0)


def drawn(renderable: RenderableType, width: int = 120) -> list[str]:
    """Give the lines on a terminal of so many columns."""
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def line_with(lines: list[str], start: str) -> str:
    """Give the first line that begins so."""
    return next(line for line in lines if line.startswith(start))
