"""One look at a PeriodicBuild: the facts it starts from and the draft that the steps of the planner fill in.

The draft is the only mutable value of the core.  It lives for one call of `plan_periodic_build` and never leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from periodicbuild.core.gates import Gates
from periodicbuild.core.ledger import decide
from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.core.plans import Wake
from periodicbuild.core.reasons import Decision, EventReason, State
from periodicbuild.core.recipients import Telling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, Now, PeriodicBuild, Pod
    from periodicbuild.core.inputs import Lookup
    from periodicbuild.core.ledger import Ruling
    from periodicbuild.core.mail import Delivery
    from periodicbuild.core.plans import DryRun, EndedRun, FirstAction, Refusal, ThenAction
    from periodicbuild.core.services import ServiceRead
    from periodicbuild.core.status import BuildStatus, ScheduleStatus, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFacts:
    """Everything one look at a PeriodicBuild may know."""

    build: PeriodicBuild
    children: tuple[AppServer, ...] = ()
    """AppServers controlled by this very object, by uid."""
    strangers: tuple[AppServer, ...] = ()
    """AppServers that name it and have no controller: made by hand, or orphans."""
    pods: Mapping[str, Pod] = field(default_factory=dict)
    """Pods that exist, by the uid of the AppServer that controls them."""
    has_stray_pods: bool = False
    """Pods that belong to no AppServer may be at work still; the garbage collector or the sweep will take them."""
    gone: frozenset[str] = frozenset()
    """Uids of AppServers that were seen to be deleted (R22)."""
    dry_run: DryRun | None = None
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """By the name of the object that could not be created."""
    unwritten: Waiting | None = None
    """A wait that this process has seen and not written yet (R41)."""
    written_at: datetime | None = None
    """Steady clock: this process's last status write."""
    has_place: bool = True
    """Among the builds that may be in progress at once there is room for one of this object (R15)."""
    may_start: bool = True
    """The start rate lets one more start (R15)."""
    clock_is_trusted: bool = True
    """The wall clock agrees with the API server's to a minute (R9)."""
    telling: Telling = field(default_factory=Telling)
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    """What became of the last try to tell something, by its key."""
    gates: Gates = field(default_factory=Gates)
    service: ServiceRead | None = None
    """The Service of `spec.activation` as last read; None = nobody has asked (R28)."""
    lookup: Lookup | None = None
    """What looking up `spec.changeDetection.sources` came to; None = nobody has asked (R31)."""

    def has_begun(self, child: AppServer) -> bool:
        """Tell whether there is, or has been, more of an attempt than its record."""
        return child.state != State.NEW or child.ref.uid in self.pods


@dataclass(slots=True, kw_only=True)
class Draft:
    """What the look has come to so far."""

    facts: BuildFacts
    now: Now
    status: BuildStatus
    first: list[FirstAction] = field(default_factory=list)
    serving: list[FirstAction] = field(default_factory=list)
    """What activation asks for: done once nothing else is left to do or to write (R42)."""
    activated: tuple[str, str, str] | None = None
    """Status, reason and message of condition Activated; None = as it was."""
    events: list[EventFact] = field(default_factory=list)
    then: list[ThenAction] = field(default_factory=list)
    wake: Wake = field(default_factory=Wake)
    unwritten: Waiting | None = None
    start_by: datetime | None = None
    has_started: bool = False
    ruled: list[Ruling] = field(default_factory=list)
    ended: list[EndedRun] = field(default_factory=list)

    @property
    def build(self) -> PeriodicBuild:
        """The object looked at."""
        return self.facts.build

    @property
    def schedule(self) -> ScheduleStatus:
        """The schedule in force; only asked for after a first look has written one."""
        if self.status.schedule is None:
            message = f"{self.build.ref.namespace}/{self.build.ref.name} has no schedule in force yet"
            raise ValueError(message)
        return self.status.schedule

    @property
    def waiting(self) -> Waiting | None:
        """The slot that waits, whether that was written or not (R41)."""
        if self.status.waiting is not None:
            return self.status.waiting
        cursor = self.schedule.cursor_at
        is_old = self.unwritten is not None and cursor is not None and self.unwritten.slot <= cursor
        return None if is_old else self.unwritten

    def wake_at(self, *, wall: datetime | None = None, steady: datetime | None = None) -> None:
        """Ask for another look, at the latest then."""
        self.wake = self.wake.earlier(Wake(wall=wall, steady=steady))

    def stand_in_line(self, start_by: datetime) -> None:
        """Ask for a start; of several things that want one the most urgent decides the place in the line (R15)."""
        self.start_by = start_by if self.start_by is None else min(self.start_by, start_by)

    def tell(self, type_: EventType, reason: EventReason, note: str, *, key: str) -> None:
        """Owe an Event about the PeriodicBuild."""
        self.events.append(
            EventFact(regarding=self.build.ref, type=type_, reason=reason, action=_ACTIONS[reason], note=note, key=key)
        )

    def rule(self, ruling: Ruling) -> None:
        """Give a slot its fate, and say so if it will not run."""
        self.status = decide(self.status, ruling)
        self.ruled.append(ruling)
        self.unwritten = None
        if ruling.fate.decision == Decision.STARTED:
            return
        is_missed = ruling.fate.decision == Decision.MISSED
        self.tell(
            EventType.WARNING if is_missed else EventType.NORMAL,
            EventReason.SLOT_MISSED if is_missed else EventReason.SLOT_SKIPPED,
            f"{_builds_due(ruling)} {ruling.fate.decision.lower()}: {ruling.reason}",
            key=f"{self.schedule.epoch}/{ruling.slot.isoformat()}",
        )

    def change_schedule(self, schedule: ScheduleStatus) -> None:
        """Put another schedule status in force."""
        self.status = replace(self.status, schedule=schedule)


def _builds_due(ruling: Ruling) -> str:
    if ruling.count == 1:
        return f"The build due at {ruling.slot:%Y-%m-%dT%H:%M:%SZ} was"
    return (
        f"{ruling.count} builds due from {ruling.slot:%Y-%m-%dT%H:%M:%SZ} to {ruling.last_slot:%Y-%m-%dT%H:%M:%SZ} were"
    )


_ACTIONS = {
    EventReason.BUILD_STARTED: "StartRun",
    EventReason.BUILD_SUCCEEDED: "EndRun",
    EventReason.BUILD_FAILED: "EndRun",
    EventReason.BUILD_RECOVERED: "EndRun",
    EventReason.BUILD_CANCELLED: "EndRun",
    EventReason.NEVER_FINISHES: "EndRun",
    EventReason.SLOT_SKIPPED: "DecideSlot",
    EventReason.SLOT_MISSED: "DecideSlot",
    EventReason.MANUAL_SPAWN_OBSERVED: "MoveSchedule",
    EventReason.NAME_COLLISION: "DropRequest",
    EventReason.LEDGER_RESET: "BeginEpoch",
    EventReason.CLOCK_STEPPED: "BeginEpoch",
    EventReason.NOTIFICATION_FAILED: "TellPeople",
    EventReason.ACTIVATED: "SwitchService",
    EventReason.ACTIVATION_ROLLED_BACK: "SwitchService",
    EventReason.ACTIVATION_REFUSED: "DropRequest",
    EventReason.SELECTOR_CHANGED: "LeaveService",
    EventReason.SOURCE_UNREACHABLE: "CompareInputs",
    EventReason.REPRODUCIBILITY_LOST: "CompareInputs",
}
