"""What people are owed, as the status remembers it across restarts, and what became of each try (R38, R39).

Must not know who is told, or how.

The one idea a newcomer would miss: a notice is owed in the same status write as the fact it tells, and taken off the
list in a later one.  Between the two the process may die at any instruction, and the worst is that it is sent twice
under one id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from periodicbuild.core.reasons import NoticeKind

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.reasons import SinkName


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingSince:
    """The first failed run since the last success: what is told of all of them is one thread (R40)."""

    run: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotice:
    """One fact that people are owed and have not been told yet (R39); times are of the steady clock."""

    key: str
    """`<run>/<kind>`, and what tells several of a kind apart: the identity of the fact within its PeriodicBuild."""
    since_at: datetime
    sinks: tuple[SinkName, ...]
    """Those that have not taken it yet."""
    app_server: str
    reason: str = ""
    """Why the run has no further attempt."""
    failing_since: FailingSince | None = None
    """The thread it belongs to; None = one of its own."""
    failures: int = 0
    """Runs of the schedule that had failed in a row."""
    tries: int = 0
    """In vain."""
    next_at: datetime | None = None
    """None = at once."""
    left_out: int = 0
    """Older ones that were given up for this one."""

    @property
    def run(self) -> str:
        """The run that it is about."""
        return self.key.split("/")[0]

    @property
    def kind(self) -> NoticeKind:
        """What it tells."""
        return NoticeKind(self.key.split("/")[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryProblem:
    """What was wrong with the last delivery."""

    reason: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStatus:
    """What people are told (R38, R39); neither addresses nor text."""

    failing_since: FailingSince | None = None
    pending: tuple[PendingNotice, ...] = ()
    """Oldest first."""
    last_sent_at: datetime | None = None
    last_reminder_at: datetime | None = None
    problem: DeliveryProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one try to tell one thing; a fact, kept in memory until it is written down."""

    key: str
    tries: int
    """Of the notice when it was tried: of a later try this says nothing."""
    delivered: frozenset[SinkName] = frozenset()
    given_up: frozenset[SinkName] = frozenset()
    """Those that will never take it."""
    problem: str = ""
    """One sentence about everything that was wrong, without secrets; empty = nothing."""
    refused: tuple[str, ...] = ()
    """Addresses that will never be accepted."""
