"""What each reason means, and what a person can do: the one table behind `why`.

Must not know any object.  `{name}` stands for the PeriodicBuild.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from periodicbuild.core.reasons import Blocker, Fate, OutcomeReason

if TYPE_CHECKING:
    from collections.abc import Mapping


class Meaning(NamedTuple):
    """One reason in plain words."""

    text: str
    remedy: str = ""
    """What one can do; empty where there is nothing to be done."""


UNKNOWN: Final = Meaning("this version of the plug-in does not know that reason", "install the operator's own version")

FATES: Final[Mapping[Fate, Meaning]] = {
    Fate.DUE: Meaning("it started within a minute of being due, or as soon as nothing was in its way any more"),
    Fate.CAUGHT_UP: Meaning(
        "nobody looked at it within a minute of being due, and it started as soon as somebody did",
        "see whether the operator was restarted or had lost the API server then",
    ),
    Fate.SUPERSEDED: Meaning(
        "it waited until the next slot was due, which took its place",
        "let builds end sooner, put slots further apart, or set concurrencyPolicy: Replace",
    ),
    Fate.MANUAL_SPAWN: Meaning(
        "a run by hand started while it waited, and the interval counts from that start",
        "afterManualRun: Keep leaves the interval alone when somebody runs it by hand",
    ),
    Fate.NO_CHANGES: Meaning(
        "neither its template nor any of its sources had changed since the last success",
        "to see what was compared: kubectl periodicbuild changes {name}; to build all the same: "
        "kubectl periodicbuild run {name}",
    ),
    Fate.SCHEDULE_EDITED: Meaning(
        "the schedule was changed while it was open, and the new one begins with slots of its own",
        "to build now: kubectl periodicbuild run {name}",
    ),
    Fate.DISABLED: Meaning(
        "the schedule was turned off while it was open",
        "kubectl periodicbuild enable {name}, or to build now: kubectl periodicbuild run {name}",
    ),
    Fate.BREAKER_OPEN: Meaning(
        "it waited for the breaker, which is open after too many failures in a row, until the next slot was due",
        "mend the template, which lets the next slot probe at once; or to build now: kubectl periodicbuild run {name}",
    ),
    Fate.GATE_OVERRIDDEN: Meaning(
        "it started although a gate was closed, or about to be, since an annotation names that gate",
        "take the annotation periodicbuild.dev/override-gate away to obey it again",
    ),
    Fate.GATE_CLOSED: Meaning(
        "it waited for a gate, which was closed, until the next slot was due or its deadline had passed",
        "ask the gate's owner; once it is open: kubectl periodicbuild run {name}",
    ),
    Fate.ROLLOUT_IMMINENT: Meaning(
        "it would not have ended before a gate closes, by its estimate, and waited until the next slot was due or its"
        " deadline had passed",
        "a shorter estimatedDuration lets it start later, if that is what it takes; or ask the gate's owner",
    ),
    Fate.OPERATOR_DOWN: Meaning(
        "nobody looked at it before the next slot was due, its deadline had passed, or the schedule was changed",
        "see whether the operator was down, or without API server or right clock, at that time",
    ),
    Fate.DEADLINE_PASSED: Meaning(
        "it waited until its deadline had passed",
        "a longer startingDeadline lets it wait longer; a calendar's own is the end of the date",
    ),
    Fate.FORBIDDEN: Meaning(
        "the API server refused its AppServer until the next slot or the deadline came",
        "see condition Ready and the quotas, policies and roles of the namespace",
    ),
    Fate.NAME_COLLISION: Meaning(
        "an AppServer of its name exists that belongs to somebody else",
        "see kubectl get appservers for one beginning with {name}-, and who made it",
    ),
}

BLOCKERS: Final[Mapping[Blocker, Meaning]] = {
    Blocker.BREAKER_OPEN: Meaning(
        "too many runs in a row have failed, and the next probe is not due yet",
        "mend the template, which lets the next slot probe at once; or to build now: kubectl periodicbuild run {name}",
    ),
    Blocker.GATE_CLOSED: Meaning(
        "a gate is closed",
        "wait until it opens, ask its owner, or name it in the annotation periodicbuild.dev/override-gate",
    ),
    Blocker.ROLLOUT_IMMINENT: Meaning(
        "it would not end before a gate closes, by its estimate",
        "wait until that has opened again, correct estimatedDuration, or name the gate in the annotation"
        " periodicbuild.dev/override-gate",
    ),
    Blocker.BUILD_IN_PROGRESS: Meaning(
        "another build of it is in progress, or the pod of one has not gone yet",
        "wait, cancel that one, or set concurrencyPolicy: Replace",
    ),
    Blocker.FORBIDDEN: Meaning(
        "the API server does not allow its AppServer to be created",
        "see kubectl get events, and the quotas, policies and roles of the namespace",
    ),
    Blocker.INVALID: Meaning(
        "the API server finds its AppServer invalid",
        "see kubectl get events; correct spec.template, or bring the CRDs and the operator to one version",
    ),
    Blocker.API_ERROR: Meaning(
        "the API server fails to create its AppServer, which is tried again and again",
        "see the operator's log and the API server's health",
    ),
    Blocker.NAME_STILL_IN_USE: Meaning(
        "an AppServer of its name is being deleted and has not gone yet",
        "see which finalizers hold it: kubectl get appservers -o yaml",
    ),
    Blocker.LOOKING_UP_SOURCES: Meaning(
        "its sources are being looked up, to see whether anything has changed",
        "wait: after a minute it builds without knowing",
    ),
    Blocker.NO_CHANGES: Meaning("nothing has changed, and the slot is about to be skipped"),
    Blocker.POOL_FULL: Meaning(
        "as many builds are in progress in the cluster as may be at once",
        "wait, or raise the operator's --max-concurrent-builds",
    ),
    Blocker.START_RATE: Meaning(
        "more builds are due than may start per second",
        "wait: it stands in line; or raise the operator's --starts-per-second",
    ),
}

OUTCOMES: Final[Mapping[OutcomeReason, Meaning]] = {
    OutcomeReason.RETRIES_USED_UP: Meaning(
        "the last attempt that spec.retries allows has failed", "see the failure; a higher retries.limit tries more"
    ),
    OutcomeReason.NOT_RETRIED: Meaning(
        "another attempt cannot heal the failure, or its class is not in retries.retryOn", "see the failure"
    ),
    OutcomeReason.TIMED_OUT: Meaning(
        "the whole run took longer than timeouts.run", "raise timeouts.run, or see what took so long"
    ),
    OutcomeReason.GIVEN_UP_FOR_SLOT: Meaning(
        "it had failed and was to be tried again, but a newer slot started first",
        "shorten retries.delay, or put slots further apart",
    ),
    OutcomeReason.BY_USER: Meaning("somebody has set spec.cancelled on its AppServer"),
    OutcomeReason.DELETED: Meaning("somebody has deleted its AppServer"),
    OutcomeReason.REPLACED: Meaning(
        "a newer slot took its place, as concurrencyPolicy: Replace says",
        "if that happens often, builds take longer than the time between slots",
    ),
}


def meaning_of(reason: str, table: Mapping[Any, Meaning], name: str) -> Meaning:
    """Look a stored reason up, which a newer operator may have written."""
    found = table.get(reason, UNKNOWN)  # a member of a StrEnum is equal to its text
    return found._replace(remedy=found.remedy.format(name=name))
