"""Pods of ours that belong to nobody: which they are, and when one is removed.

The garbage collector takes the pod of an AppServer that is gone.  What it never takes is a pod whose owner reference
was cut (`--cascade=orphan`, by hand), or that came back from a backup: it would run, and hold builds back, for ever.

The one idea a newcomer would miss: what looks stray may only be early, since watches lag.  So a pod has to look so for
the whole of a grace, and then the API server is asked (R22); it is deleted in the very version that was judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.core.plans import DeletePod
from periodicbuild.core.reasons import EventReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, Now, Pod

GRACE = timedelta(minutes=2)
"""The garbage collector, which needs seconds, goes first; a person who cut a reference by mistake can mend it."""
AT_ONCE = 5
"""Pods removed per sweep: after a restore with thousands of them the writer and the nodes have other things to do."""

Claim = tuple[str, str | None]
"""A pod and what it says it belongs to, by uid: one that is given another controller has to be judged anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """What to do about strays."""

    since: Mapping[Claim, datetime]
    """Steady clock: how long each has looked stray, for the next sweep to know."""
    due: tuple[Pod, ...]
    """Those to ask the API server about, and to remove if it agrees; the longest stray first."""


def is_stray(pod: Pod, app_server: AppServer | None) -> bool:
    """Tell whether a pod of ours belongs to nobody; `app_server` is the one of its name, None if there is none.

    Belonging is the controller's uid, never a name or a label (design 2.2).
    """
    return pod.is_ours and not pod.is_gone and (app_server is None or app_server.ref.uid != pod.controller_uid)


def holds_back(pod: Pod, app_server: AppServer | None) -> bool:
    """Tell whether a stray may still be at work, so that builds wait for it; one that has ended only takes up a name.

    The garbage collector may need half a minute, which is no reason for the next slot to wait.
    """
    return is_stray(pod, app_server) and not pod.has_ended


def plan_sweep(strays: Iterable[Pod], since: Mapping[Claim, datetime], now: Now) -> SweepPlan:
    """Choose what is due of the pods that look stray now.

    One that is due begins another grace: if it cannot be removed, it does not keep the others from their turn.
    """
    found = {_claim(pod): pod for pod in strays}
    known = {claim: since.get(claim, now.steady) for claim in found}
    due = [claim for claim, at in known.items() if now.steady >= at + GRACE and not found[claim].is_deleting]
    due = sorted(due, key=lambda claim: known[claim])[:AT_ONCE]
    return SweepPlan(since=known | dict.fromkeys(due, now.steady), due=tuple(found[claim] for claim in due))


def removal_of(pod: Pod) -> DeletePod:
    """Ask for the end of a stray, unless anything has changed it since."""
    return DeletePod(name=pod.ref.name, uid=pod.ref.uid, version=pod.resource_version)


def told_of(pod: Pod) -> EventFact:
    """Owe the Event about a stray that was removed."""
    belonged = f"AppServer {pod.ref.name} of PeriodicBuild {pod.build_name}"
    why = "nothing controls it any more" if pod.controller_uid is None else "the one that controls it is gone"
    return EventFact(
        regarding=pod.ref,
        type=EventType.WARNING,
        reason=EventReason.STRAY_POD_REMOVED,
        action="RemovePod",
        note=f"The pod was removed: by its labels it is of {belonged}, but {why}",
        key="",
    )


def _claim(pod: Pod) -> Claim:
    return (pod.ref.uid, pod.controller_uid)
