"""The status of a PeriodicBuild as values: what the operator remembers across restarts (design 2.1).

Every rule that needs memory reads it from here, so the process can die at any instruction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from periodicbuild.core.mail import MailStatus

if TYPE_CHECKING:
    from datetime import date, datetime

    from periodicbuild.core.inputs import Input
    from periodicbuild.core.reasons import Blocker, Decision, Outcome, Trigger
    from periodicbuild.core.schedules import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatus:
    """The schedule in force, in full: closing its slots after an edit needs the old one (R2)."""

    in_force: Schedule
    epoch: int
    since_at: datetime
    cursor_at: datetime | None = None
    """Newest slot counted in `slots.due`."""
    anchor_at: datetime | None = None
    """What an interval's next slot is counted from; moves only forward."""
    due_at_since: int = 0
    used_date: date | None = None
    """Calendar: the local date on which the last slot before this epoch started; it has no further slot (R6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Counters of the object's whole life: `due == started + skipped + missed + (1 if one waits)` (R12)."""

    due: int = 0
    started: int = 0
    skipped: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The one slot that is due and has no fate yet."""

    slot: datetime
    reason: Blocker
    since_at: datetime
    message: str = ""
    """What holds it, where one word does not say: gate, owner and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """The fate of one slot, or of `count` neighbouring slots with equal decision, reason and message (R10, R11)."""

    slot: datetime
    """The slot, or the first of several."""
    epoch: int
    decision: Decision
    reason: str
    decided_at: datetime
    until_slot: datetime | None = None
    """The last of several."""
    count: int = 1
    run: str | None = None
    outcome: Outcome | None = None
    outcome_reason: str | None = None
    inputs: str | None = None
    """Of one that started: what the comparison of its inputs came to (R31)."""
    message: str = ""
    """What the word of the reason leaves open: gate, owner and reason (R32)."""

    @property
    def last_slot(self) -> datetime:
        """The slot, or the last of several."""
        return self.until_slot or self.slot

    def covers(self, slot: datetime) -> bool:
        """Tell whether the entry speaks of a slot."""
        return self.slot <= slot <= self.last_slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run in progress: one that may still have attempts (R17)."""

    id: str
    trigger: Trigger
    slot: datetime | None
    started_at: datetime
    """Creation of the first attempt, by the steady clock: `timeouts.run` counts from here."""
    attempt: int
    app_server: str
    uid: str
    disruptions: int = 0
    """Attempts lost to disruption: they do not use up `retries.limit` (R19)."""
    next_attempt_at: datetime | None = None
    """Set = between attempts; the run then holds nothing back (R17)."""
    replaced_by: datetime | None = None
    """The slot for which this run is being cancelled (R16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual:
    """The last run-now request that was taken up (R26)."""

    token: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastScheduled:
    """The last slot that started."""

    slot: datetime
    started_at: datetime
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSuccess:
    """The last run that succeeded with the PeriodicBuild's own template."""

    run: str
    app_server: str
    at: datetime
    inputs: tuple[Input, ...] = ()
    """What it was made from, as far as that was found out (R31)."""
    input_digest: str | None = None
    """Of all of them; None = one is not known."""
    output_digest: str | None = None
    """What it says that it has made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The last comparison of a slot's inputs with those of the last success (R31)."""

    slot: datetime
    at: datetime
    verdict: str
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFailure:
    """The last run that failed, and why."""

    run: str
    app_server: str
    at: datetime
    failure_class: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition, as Kubernetes defines it."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int
    changed_at: datetime
    """Last change of `status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBreaker:
    """Too many runs of the schedule have failed in a row (R36); times are of the steady clock."""

    opened_at: datetime
    next_probe_at: datetime
    """From here on one run may start."""
    digest: str
    """Of the template and the settings that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """At which server the Service was pointed, and what that needs to be remembered for (R28)."""

    app_server: str
    at: datetime
    """Steady clock, whole seconds."""
    service_uid: str
    """A Service made anew under the same name is pointed anew; a selector changed on this one is left alone."""
    epoch: int
    """With `slot`: of the newest server ever pointed at; only a newer one follows by itself."""
    slot: datetime
    previous: str | None = None
    """The server before it, while that is kept as a fallback."""
    fallback_until: datetime | None = None
    """So long it is kept."""
    rolled_back: str | None = None
    """The server from which was switched back to this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedActivation:
    """The last request to point the Service at a certain server, and its answer."""

    request: str
    """The value of the annotation."""
    answer: str
    """Activated, or why not."""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredLoss:
    """The last loss of a serving pod that was answered by a run: one loss, one run (R30)."""

    app_server: str
    uid: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStatus:
    """Everything the operator has written about one PeriodicBuild; empty before the first look."""

    observed_generation: int = 0
    lease_transitions: int = 0
    """Term of the leader that wrote it (design 4); carried along here, and decided upon nowhere."""
    schedule: ScheduleStatus | None = None
    slots: Slots | None = None
    waiting: Waiting | None = None
    ledger: tuple[LedgerEntry, ...] = ()
    """Newest first."""
    runs: tuple[Run, ...] = ()
    """In progress, oldest first."""
    manual: Manual | None = None
    last_scheduled: LastScheduled | None = None
    last_success: LastSuccess | None = None
    last_failure: LastFailure | None = None
    changes: Changes | None = None
    consecutive_failures: int = 0
    breaker: OpenBreaker | None = None
    """None = closed."""
    mail: MailStatus = field(default_factory=MailStatus)
    activation: Activation | None = None
    asked_activation: AskedActivation | None = None
    recovered: RecoveredLoss | None = None
    durations: tuple[int, ...] = ()
    """Seconds of the last successes, newest first."""
    next_slot: datetime | None = None
    upcoming: tuple[datetime, ...] = ()
    schedule_text: str = ""
    conditions: tuple[Condition, ...] = ()

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of that type, if it was ever written."""
        return next((condition for condition in self.conditions if condition.type == type_), None)
