"""What there is to tell, and the small interface behind which every way of telling it stands (R38-R40).

Must not know how anything is sent.

The one idea a newcomer would miss: a notice is complete.  Whoever sends it asks nobody, so a mail, a webhook and a
preview on the command line show the same facts; and its id is a function of the fact, so that a notice sent twice is
folded into one by whoever receives it (R39).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from periodicbuild.core.reasons import NoticeKind, SinkName
    from periodicbuild.core.status import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The capsule of the attempt that failed, redacted already (R24)."""

    failure_class: str
    reason: str
    message: str = ""
    stage: str = ""
    container: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    node: str | None = None
    image_digests: tuple[str, ...] = ()
    log: str = ""
    """The end of what the container wrote, oldest line first; empty = there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One fact that people are told; all instants are aware UTC."""

    kind: NoticeKind
    key: str
    """Of the fact, within its PeriodicBuild: `<run>/<kind>`."""
    uid: str
    """Of the PeriodicBuild."""
    namespace: str
    name: str
    thread: str
    """The run that failed first: all notices of one episode of failures are one thread."""
    run: str
    trigger: str = ""
    """Schedule, Manual or Recovery; empty = not known any more."""
    attempt: int = 0
    """0 = not known any more."""
    app_server: str = ""
    slot: datetime | None = None
    """The instant at which the run was due; None for one asked for by hand."""
    owed_at: datetime
    """When the fact came about."""
    failure: Failure | None = None
    """None for a recovery, and when the record of the attempt is gone."""
    outcome_reason: str = ""
    """Why there is no further attempt, for example RetriesUsedUp."""
    failing_since: datetime | None = None
    """When the episode began."""
    failures_in_a_row: int = 0
    """Runs of the schedule."""
    last_success_run: str | None = None
    last_success_at: datetime | None = None
    """None = never."""
    next_attempt_at: datetime | None = None
    next_slot: datetime | None = None
    schedule_text: str = ""
    changed: tuple[str, ...] = ()
    """What its run is made from and the last success was not, a line each; empty = nobody has compared (R31)."""
    start_note: str = ""
    """What the ledger says of its start beside the reason: the gates in spite of which it was (R32)."""
    held_back: Waiting | None = None
    """The slot that a gate holds back now (R32)."""
    left_out: int = 0
    """So many older notices could not be delivered and were given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one try to deliver."""

    is_accepted: bool
    """Somebody has it: nothing is sent again to those who do, whatever the rest says."""
    problem: str = ""
    """One sentence for a person at 3 a.m., without secrets; empty = none."""
    refused: tuple[str, ...] = ()
    """Recipients that will never be accepted."""
    left: tuple[str, ...] = ()
    """Recipients to try again later: refused for now, while others were accepted."""
    is_final: bool = False
    """Not accepted, and trying again is pointless."""


class Sink(Protocol):
    """One way of telling people.  Neither method raises: what went wrong is in the receipt."""

    @property
    def name(self) -> SinkName:
        """Which one it is: status and metrics name it so."""
        ...

    async def send(self, notice: Notice, to: Sequence[str]) -> Receipt:
        """Tell one fact; `to` are e-mail addresses and empty for a sink that has none."""
        ...

    async def send_digest(self, notices: Sequence[Notice], to: Sequence[str]) -> Receipt:
        """Tell in one go of facts that were held back because there were too many; at least one, oldest first."""
        ...
