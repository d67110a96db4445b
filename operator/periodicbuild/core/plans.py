"""What to do: plans are data, made by `plan_periodic_build` and `plan_app_server`, carried out by the reconcile loop.

A plan has three parts, in this order: `first` (actions whose answers are new facts; the object is looked at again
afterwards), `status` (at most one write), `then` (Events and clean-up, after the write they describe).  A create and
the status that tells of it are never in one plan: the create's answer becomes a fact, and the next look adopts it,
exactly as it would after a crash in between (R22, R42).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, AppServerStatus, TemplateJson, Timeouts
    from periodicbuild.core.inputs import Comparison, Source
    from periodicbuild.core.ledger import Ruling
    from periodicbuild.core.mail import PendingNotice
    from periodicbuild.core.notices import EventFact
    from periodicbuild.core.policies import SucceedWhen
    from periodicbuild.core.reasons import Outcome, State, Trigger
    from periodicbuild.core.services import Service
    from periodicbuild.core.status import BuildStatus, Waiting

WORTH_A_WRITE = timedelta(seconds=30)
"""Shorter waits for the start rate, a place or the API are not written, nor passing states under pressure (R41)."""


class Refused(StrEnum):
    """Why the API would not create what was asked for, as far as the next step depends on it."""

    FORBIDDEN = "Forbidden"
    INVALID = "Invalid"
    QUOTA_EXCEEDED = "QuotaExceeded"
    NAME_COLLISION = "NameCollision"
    NAME_STILL_IN_USE = "NameStillInUse"
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    API_ERROR = "ApiError"
    UNANSWERED = "Unanswered"
    """Nobody knows whether it was done; of the create of an AppServer this is found out at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The last refusal of one create; a fact, kept in memory until the create succeeds or is no longer wanted."""

    name: str
    """Name of the object that was refused."""
    kind: Refused
    message: str
    retry_at: datetime
    """Steady clock: not tried again before."""
    since_at: datetime
    """Steady clock: the first refusal of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What the API server said to the rendered pod with `dryRun=All` (design 2.1)."""

    generation: int
    refusal: Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAppServer:
    """Create the record of one attempt, complete from the start."""

    name: str
    run: str
    attempt: int
    trigger: Trigger
    slot: datetime | None
    epoch: int
    succeed_when: SucceedWhen
    timeouts: Timeouts
    template: TemplateJson
    token: str | None = None
    overridden: tuple[str, ...] = ()
    """Gates that it starts in spite of (R32)."""
    comparison: Comparison | None = None
    is_start: bool = False
    """A slot starts: it goes through the start rate (R15)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptAppServer:
    """Complete an AppServer made by hand, in one JSON patch: controller, labels, and what its author left out."""

    app_server: AppServer
    epoch: int
    succeed_when: SucceedWhen
    timeouts: Timeouts
    template: TemplateJson


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAbsence:
    """Ask the API whether an object is really not there: absence is a fact only after that (R22)."""

    kind: str
    name: str
    uid: str | None
    """Of the object that status names; None = whatever a create has left that was never answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunPod:
    """Ask the API server whether it would take the pod, once per generation."""

    generation: int
    template: TemplateJson
    succeed_when: SucceedWhen


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePod:
    """Create the pod of an AppServer, under the same name."""

    app_server: AppServer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLog:
    """Read the end of what a container wrote, before its pod goes (R24); there may be nothing to read."""

    pod: str
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckNamespace:
    """Read whether the namespace is being deleted, before a vanished pod is charged to anyone (R43)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadService:
    """Read the Service that is to be pointed at a server (R28)."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchService:
    """Point a Service at a server, if it is still as it was read (R28)."""

    service: Service
    app_server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpSources:
    """Begin to look up what a slot would be built from (R31); what is found is a fact of a later look."""

    slot: datetime
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePod:
    """Remove a pod that has done its work, or has nobody to do it for; its grace period is kept."""

    name: str
    uid: str
    version: str | None = None
    """Only if it still is in this version; None = in any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAppServer:
    """Remove a record that history no longer keeps."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAppServer:
    """Ask for the end of an attempt that a newer slot replaces (R16), or that came too late for its own."""

    name: str
    uid: str


FirstAction = (
    CreateAppServer
    | AdoptAppServer
    | CancelAppServer
    | ConfirmAbsence
    | DryRunPod
    | CreatePod
    | ReadLog
    | CheckNamespace
    | ReadService
    | SwitchService
    | LookUpSources
)
ThenAction = DeletePod | DeleteAppServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """When to look again if nothing happens before; None = not needed on that clock."""

    wall: datetime | None = None
    steady: datetime | None = None

    def earlier(self, other: Wake) -> Wake:
        """Return the earlier of each."""
        return Wake(wall=_earlier(self.wall, other.wall), steady=_earlier(self.steady, other.steady))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((instant for instant in (one, other) if instant is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A state that is not worth a write yet, and since when it has lasted (R41); steady clock."""

    state: State
    since_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """How one run ended."""

    trigger: Trigger
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """What to do for one PeriodicBuild."""

    first: tuple[FirstAction, ...] = ()
    status: BuildStatus | None = None
    """The status to write; None = nothing changed."""
    events: tuple[EventFact, ...] = ()
    then: tuple[ThenAction, ...] = ()
    tell: tuple[PendingNotice, ...] = ()
    """What people are to be told now: it stands in the status that was written (R39)."""
    wake: Wake = Wake()
    unwritten: Waiting | None = None
    """A wait that is not worth a write yet (R41): the process remembers it."""
    start_by: datetime | None = None
    """Something could start if the pool and the start rate allowed it, and should by then (R15); None = nothing."""
    is_in_progress: bool = False
    """A build of this object is in progress (R17): it holds a place in the pool."""
    has_started: bool = False
    """The status admits a manual run: a start, as far as the start rate is concerned."""
    ruled: tuple[Ruling, ...] = ()
    """Slots that get their fate with this write, for the metrics."""
    ended: tuple[EndedRun, ...] = ()
    """Runs that end with this write, for the metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServerPlan:
    """What to do for one AppServer."""

    first: tuple[FirstAction, ...] = ()
    status: AppServerStatus | None = None
    events: tuple[EventFact, ...] = ()
    then: tuple[ThenAction, ...] = ()
    wake: Wake = Wake()
    seen: Seen | None = None
    """The unwritten state of the attempt: the process remembers it."""
