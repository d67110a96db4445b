"""What is: the objects of the API as the decisions see them.

Parsed once at the boundary (`kube/parse.py`), frozen, aware UTC instants throughout.  Templates stay opaque JSON
text: the decisions never look inside one, and 5,000 parsed templates would be most of the memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NewType

from periodicbuild.core.policies import ConcurrencyPolicy, Recovery, SucceedWhen
from periodicbuild.core.reasons import ActiveState, FailureClass, State, Trigger
from periodicbuild.core.recipients import Notifications

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from periodicbuild.core.inputs import ChangeDetection, Comparison
    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.core.schedules import Schedule
    from periodicbuild.core.status import BuildStatus

TemplateJson = NewType("TemplateJson", bytes)
"""A PodTemplateSpec as compact JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """One reading of both clocks, taken once per look (R9)."""

    wall: datetime
    """The wall clock: what slots are compared with."""
    steady: datetime
    """The API server's time when the process started, advanced by the monotonic clock only: time-outs, back-off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Bounds on an attempt and on the whole run (R20)."""

    waiting: timedelta
    configuring: timedelta
    run: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """The policy by which a failed attempt is followed by another (R18, R19)."""

    limit: int
    delay: timedelta
    max_delay: timedelta
    retry_on: frozenset[FailureClass]
    disruption_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How many finished runs keep their AppServers."""

    successful_limit: int
    failed_limit: int
    max_age: timedelta | None = None
    """Since their end; None = as long as the limits let them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """When a slot of a calendar or of cron may start: no part of the schedule, so its edits are none (R2, R8, R13)."""

    deadline: timedelta | None = None
    """After the slot and its spread; None = as the kind of schedule has it."""
    spread: timedelta = timedelta()
    """The length over which starts are spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When the schedule stops trying, and how often it probes then (R36)."""

    failures: int
    """So many runs of the schedule in a row."""
    probe_after: timedelta
    """Since the last failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationPolicy:
    """The Service that is pointed at the newest good server (R28)."""

    service_name: str
    fallback_for: timedelta
    """So long the former server stays up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """The spec of a PeriodicBuild with every operational default filled in."""

    schedule: Schedule
    retries: Retries
    timeouts: Timeouts
    history: History
    succeed_when: SucceedWhen
    template: TemplateJson
    starting: Starting = Starting()
    concurrency: ConcurrencyPolicy = ConcurrencyPolicy.FORBID
    breaker: Breaker | None = None
    notifications: Notifications = field(default_factory=Notifications)
    activation: ActivationPolicy | None = None
    recovery: Recovery = Recovery.RESTART
    estimated_duration: timedelta | None = None
    """How long a build takes, as its author says (R33)."""
    change_detection: ChangeDetection | None = None
    """None = every slot builds (R31)."""
    schedule_error: str | None = None
    """Why the schedule cannot be understood; `schedule` then spawns nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicBuild:
    """One PeriodicBuild as last seen or written."""

    ref: ObjectRef
    resource_version: str
    generation: int
    created_at: datetime
    is_deleting: bool
    run_now: str | None
    """The token of the annotation `periodicbuild.dev/run-now` (R26)."""
    spec: BuildSpec
    status: BuildStatus
    activate: str | None = None
    """The annotation `periodicbuild.dev/activate`: the name of an AppServer, and perhaps `/` and a token (R28)."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """For gates to select by."""
    overrides: frozenset[str] = frozenset()
    """The annotation `periodicbuild.dev/override-gate`: gates that do not hold this one back (R32)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Why an attempt failed, for the person who reads it at 3 a.m. (R19, R24)."""

    failure_class: FailureClass
    reason: str
    stage: str
    message: str = ""
    container: str | None = None
    exit_code: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServerStatus:
    """What the operator wrote about one attempt; times are of the steady clock."""

    state: State = State.NEW
    message: str = ""
    is_ready: bool | None = None
    """The mirror of the pod's readiness; None = there is no pod."""
    pod: str | None = None
    pod_requested_at: datetime | None = None
    """First try to create the pod: `timeouts.waiting` counts from here."""
    configuring_at: datetime | None = None
    """A container was first seen to run: `timeouts.configuring` counts from here."""
    finished_at: datetime | None = None
    result: Result | None = None
    node: str | None = None
    image_digests: tuple[str, ...] = ()
    log_tail: str = ""
    """What the container that failed wrote last (R24)."""
    output_digest: str | None = None
    """What the build says that it has made."""
    terminated_at: datetime | None = None
    """When a server that had succeeded was seen to be no more (R30)."""
    active: ActiveState | None = None
    """What it is to the Service; None = nothing is activated."""
    succeeded_changed_at: datetime | None = field(default=None, compare=False)
    """Last change of the status of condition Succeeded, as stored; rendering moves it, so decisions never set it."""
    ready_changed_at: datetime | None = field(default=None, compare=False)
    """Likewise of condition Ready."""
    active_changed_at: datetime | None = field(default=None, compare=False)
    """Likewise of condition Active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServer:
    """One attempt: the record, not the pod."""

    ref: ObjectRef
    resource_version: str
    created_at: datetime
    is_deleting: bool
    build_name: str
    controller_uid: str | None
    """The uid of the controlling PeriodicBuild: belonging is this, never a name or a label."""
    run: str | None
    """None marks one made by hand that the operator has not completed yet."""
    attempt: int
    trigger: Trigger
    slot: datetime | None
    epoch: int
    succeed_when: SucceedWhen
    timeouts: Timeouts
    template: TemplateJson | None
    cancelled: bool
    token: str | None = None
    """The run-now token this run answers."""
    overridden: tuple[str, ...] = ()
    """Gates that would have held it back, and were named to be overridden (R32)."""
    has_own_template: bool = False
    """A person gave the template: its outcome says nothing about the PeriodicBuild's (R27)."""
    comparison: Comparison | None = None
    """What it is made from, compared when its slot started (R31); None = nothing was compared."""
    given: frozenset[str] = frozenset()
    """While `run` is None: what its author wrote, as JSON pointers, so that adoption leaves it alone (R26)."""
    status: AppServerStatus = field(default_factory=AppServerStatus)
    has_status: bool = False

    @property
    def state(self) -> State:
        """The state last written, New before any."""
        return self.status.state

    @property
    def newness(self) -> tuple[int, datetime, int]:
        """What a newer one has more of: epoch first, since a clock that was set back brings earlier slots (R9)."""
        return self.epoch, self.slot or self.created_at, self.attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What is known of one container, init containers and sidecars included."""

    name: str
    is_init: bool
    is_sidecar: bool
    """A restartable init container: its exit code is not the build's (R19)."""
    has_run: bool
    """It runs now or has run before."""
    waiting_reason: str | None = None
    waiting_message: str = ""
    exit_code: int | None = None
    """Of the present state, else of the last termination; None = has not exited yet."""
    exit_reason: str | None = None
    signal: int | None = None
    is_terminated: bool = False
    """It is down now and stays so, as far as one can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod with our label."""

    ref: ObjectRef
    resource_version: str
    created_at: datetime
    controller_uid: str | None
    build_name: str
    is_ours: bool
    """It bears all three of our labels and its AppServer's name, and nothing but an AppServer controls it, if anything
    does: on any other pod the labels are a copy (design 2.4)."""
    is_deleting: bool
    is_gone: bool
    """A DELETED event or a live 404 was seen; the rest is what was last known."""
    phase: str
    reason: str = ""
    message: str = ""
    is_ready: bool = False
    unschedulable: str | None = None
    """The scheduler's message while it finds no node."""
    disruption: str | None = None
    """The reason of condition DisruptionTarget, if it is True."""
    node: str | None = None
    containers: tuple[Container, ...] = ()
    image_digests: tuple[str, ...] = ()
    output_digest: str | None = None
    """What a container's termination message says that it has made."""

    @property
    def has_ended(self) -> bool:
        """All its containers have, and none will be started again."""
        return self.phase in {"Succeeded", "Failed"}
