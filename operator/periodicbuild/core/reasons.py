"""Every reason and state the operator writes: one closed list for conditions, Events, ledger and metric labels.

A member's value is exactly what a person sees, so renaming one is a change of the API.
"""

from __future__ import annotations

from enum import StrEnum


class Decision(StrEnum):
    """What became of a slot (R10)."""

    STARTED = "Started"
    SKIPPED = "Skipped"
    MISSED = "Missed"


class Fate(StrEnum):
    """Why a slot was decided as it was (R10)."""

    DUE = "Due"
    CAUGHT_UP = "CaughtUp"
    SUPERSEDED = "Superseded"
    MANUAL_SPAWN = "ManualSpawn"
    NO_CHANGES = "NoChanges"
    SCHEDULE_EDITED = "ScheduleEdited"
    DISABLED = "Disabled"
    BREAKER_OPEN = "BreakerOpen"
    GATE_OVERRIDDEN = "GateOverridden"
    GATE_CLOSED = "GateClosed"
    ROLLOUT_IMMINENT = "RolloutImminent"
    OPERATOR_DOWN = "OperatorDown"
    DEADLINE_PASSED = "DeadlinePassed"
    FORBIDDEN = "Forbidden"
    NAME_COLLISION = "NameCollision"

    @property
    def decision(self) -> Decision:
        """The decision this reason belongs to: each reason has exactly one."""
        return _DECISIONS[self]


_DECISIONS = {
    Fate.DUE: Decision.STARTED,
    Fate.CAUGHT_UP: Decision.STARTED,
    Fate.SUPERSEDED: Decision.SKIPPED,
    Fate.MANUAL_SPAWN: Decision.SKIPPED,
    Fate.NO_CHANGES: Decision.SKIPPED,
    Fate.SCHEDULE_EDITED: Decision.SKIPPED,
    Fate.DISABLED: Decision.SKIPPED,
    Fate.BREAKER_OPEN: Decision.SKIPPED,
    Fate.GATE_OVERRIDDEN: Decision.STARTED,
    Fate.GATE_CLOSED: Decision.SKIPPED,
    Fate.ROLLOUT_IMMINENT: Decision.SKIPPED,
    Fate.OPERATOR_DOWN: Decision.MISSED,
    Fate.DEADLINE_PASSED: Decision.MISSED,
    Fate.FORBIDDEN: Decision.MISSED,
    Fate.NAME_COLLISION: Decision.MISSED,
}


class Blocker(StrEnum):
    """What keeps a waiting slot from starting (R14), in `status.waiting.reason`."""

    BREAKER_OPEN = "BreakerOpen"
    GATE_CLOSED = "GateClosed"
    ROLLOUT_IMMINENT = "RolloutImminent"
    BUILD_IN_PROGRESS = "BuildInProgress"
    FORBIDDEN = "Forbidden"
    INVALID = "Invalid"
    API_ERROR = "ApiError"
    NAME_STILL_IN_USE = "NameStillInUse"
    LOOKING_UP_SOURCES = "LookingUpSources"
    NO_CHANGES = "NoChanges"
    POOL_FULL = "PoolFull"
    START_RATE = "StartRate"


class Outcome(StrEnum):
    """How a run ended (R10)."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class OutcomeReason(StrEnum):
    """Why a run ended as it did (R10)."""

    RETRIES_USED_UP = "RetriesUsedUp"
    NOT_RETRIED = "NotRetried"
    TIMED_OUT = "TimedOut"
    GIVEN_UP_FOR_SLOT = "GivenUpForSlot"
    BY_USER = "ByUser"
    DELETED = "Deleted"
    REPLACED = "Replaced"


class FailureClass(StrEnum):
    """What kind of failure ended an attempt (R19)."""

    BUILD = "Build"
    TIMEOUT = "Timeout"
    INFRASTRUCTURE = "Infrastructure"
    DISRUPTION = "Disruption"


class State(StrEnum):
    """The life of an AppServer: the reason of its condition `Succeeded` (design 2.2)."""

    NEW = "New"
    WAITING_FOR_SERVER = "WaitingForServer"
    CONFIGURING_SERVER = "ConfiguringServer"
    RUNNING = "Running"
    COMPLETED = "Completed"
    CONFIGURATION_FAILED = "ConfigurationFailed"
    ERROR = "Error"
    CANCELLED = "Cancelled"
    TERMINATED = "Terminated"

    @property
    def is_finished(self) -> bool:
        """Whether the attempt has an outcome; a Running server has: it succeeded."""
        return self not in UNFINISHED

    @property
    def has_succeeded(self) -> bool:
        """Whether the outcome is success, also of a server that has been removed since."""
        return self in {State.RUNNING, State.COMPLETED, State.TERMINATED}

    @property
    def has_failed(self) -> bool:
        """Whether the attempt failed; a cancelled one did not."""
        return self in {State.CONFIGURATION_FAILED, State.ERROR}


UNFINISHED = frozenset({State.NEW, State.WAITING_FOR_SERVER, State.CONFIGURING_SERVER})


class Stage(StrEnum):
    """The part of an attempt a failure fell into (R20)."""

    WAITING = "Waiting"
    CONFIGURING = "Configuring"


class FailureReason(StrEnum):
    """Our own words for the cause of a failure; Kubernetes' words (`OOMKilled`, ...) pass through unchanged."""

    NON_ZERO_EXIT = "NonZeroExit"
    EXITED_EARLY = "ExitedEarly"
    POD_GONE = "PodGone"
    POD_FAILED = "PodFailed"
    FORBIDDEN = "Forbidden"
    INVALID = "Invalid"
    NAME_COLLISION = "NameCollision"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    NAME_STILL_IN_USE = "NameStillInUse"
    API_ERROR = "ApiError"
    NOT_STARTED = "NotStarted"
    NOT_READY = "NotReady"
    NOT_COMPLETED = "NotCompleted"
    RUN_BUDGET = "RunBudget"
    DISRUPTED = "Disrupted"


class EventReason(StrEnum):
    """Reasons of the Events the operator records (R23, R37)."""

    BUILD_STARTED = "BuildStarted"
    BUILD_SUCCEEDED = "BuildSucceeded"
    BUILD_FAILED = "BuildFailed"
    BUILD_RECOVERED = "BuildRecovered"
    BUILD_CANCELLED = "BuildCancelled"
    NEVER_FINISHES = "NeverFinishes"
    ATTEMPT_FAILED = "AttemptFailed"
    SLOT_SKIPPED = "SlotSkipped"
    SLOT_MISSED = "SlotMissed"
    MANUAL_SPAWN_OBSERVED = "ManualSpawnObserved"
    NAME_COLLISION = "NameCollision"
    LEDGER_RESET = "LedgerReset"
    CLOCK_STEPPED = "ClockStepped"
    CLOCK_SKEW = "ClockSkew"
    ORPHANED = "Orphaned"
    NOTIFICATION_FAILED = "NotificationFailed"
    ACTIVATED = "Activated"
    ACTIVATION_ROLLED_BACK = "ActivationRolledBack"
    ACTIVATION_REFUSED = "ActivationRefused"
    SELECTOR_CHANGED = "SelectorChanged"
    STRAY_POD_REMOVED = "StrayPodRemoved"
    SOURCE_UNREACHABLE = "SourceUnreachable"
    REPRODUCIBILITY_LOST = "ReproducibilityLost"


class ConditionType(StrEnum):
    """Conditions of a PeriodicBuild and of an AppServer."""

    READY = "Ready"
    SCHEDULED = "Scheduled"
    LAST_RUN_SUCCEEDED = "LastRunSucceeded"
    NOTIFIED = "Notified"
    SUCCEEDED = "Succeeded"
    ACTIVATED = "Activated"
    ACTIVE = "Active"


class ConditionReason(StrEnum):
    """Reasons of conditions that are not failure classes or states."""

    ACCEPTED = "Accepted"
    NOT_CHECKED = "NotChecked"
    INVALID_SCHEDULE = "InvalidSchedule"
    INVALID_TEMPLATE = "InvalidTemplate"
    FORBIDDEN = "Forbidden"
    SCHEDULED = "Scheduled"
    DISABLED = "Disabled"
    NEVER_DUE = "NeverDue"
    BREAKER_OPEN = "BreakerOpen"
    NEVER_FINISHES = "NeverFinishes"
    NO_RUN_YET = "NoRunYet"
    SUCCEEDED = "Succeeded"
    NOT_CONFIGURED = "NotConfigured"
    NOTHING_PENDING = "NothingPending"
    PENDING = "Pending"
    RETRYING = "Retrying"
    DELIVERY_FAILED = "DeliveryFailed"
    RECIPIENT_REFUSED = "RecipientRefused"
    POD_READY = "PodReady"
    POD_NOT_READY = "PodNotReady"
    NO_POD = "NoPod"
    ACTIVATED = "Activated"
    SERVICE_NOT_FOUND = "ServiceNotFound"
    SERVICE_NOT_OPTED_IN = "ServiceNotOptedIn"
    SERVICE_NOT_SUITABLE = "ServiceNotSuitable"
    SELECTOR_CHANGED = "SelectorChanged"
    NO_GOOD_SERVER = "NoGoodServer"
    SERVER_NOT_FOUND = "ServerNotFound"
    SERVER_NOT_READY = "ServerNotReady"


class ActiveState(StrEnum):
    """What a server is to the Service (R28): the reason of the condition `Active` of an AppServer."""

    SERVING = "Serving"
    FALLBACK = "Fallback"
    SUPERSEDED = "Superseded"
    NOT_ACTIVATED = "NotActivated"


class Trigger(StrEnum):
    """What asked for a run; the same for all its attempts."""

    SCHEDULE = "Schedule"
    MANUAL = "Manual"
    RECOVERY = "Recovery"


class NoticeKind(StrEnum):
    """What people are told by mail and the like (R38)."""

    RUN_FAILED = "RunFailed"
    STILL_FAILING = "StillFailing"
    RUN_RECOVERED = "RunRecovered"
    ATTEMPT_FAILED = "AttemptFailed"


class SinkName(StrEnum):
    """The ways of telling people."""

    EMAIL = "Email"
    WEBHOOK = "Webhook"
    SLACK = "Slack"
