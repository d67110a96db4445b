"""One attempt as its planner sees it: the facts of one look, and what every step of the planner writes with.

The one idea a newcomer would miss: an intermediate state is written only once it has lasted, because most builds are
past it before a write would have been worth its price (R41).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.gates import Gates
from periodicbuild.core.messages import cut_message
from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.core.plans import WORTH_A_WRITE, AppServerPlan, Seen, Wake
from periodicbuild.core.reasons import EventReason, Stage, State
from periodicbuild.core.verdicts import stage_of

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, AppServerStatus, Now, PeriodicBuild, Pod
    from periodicbuild.core.plans import Refusal

SETTLED = timedelta(seconds=2)
"""An intermediate state is written once it has lasted this long: often the end is known before (R41)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServerFacts:
    """Everything one look at an AppServer may know."""

    app_server: AppServer
    parent: PeriodicBuild | None
    """The PeriodicBuild that controls it, or that it names; None = there is none."""
    pod: Pod | None = None
    """The pod it controls, as last known; `is_gone` once it was seen to be deleted."""
    pod_is_absent: bool = False
    """A live GET has found no pod of this AppServer (R22)."""
    refusal: Refusal | None = None
    """The last refusal of its pod."""
    namespace_is_terminating: bool | None = None
    """None = nobody has asked."""
    log: str | None = None
    """The end of what the container that failed wrote, fit to be shown; None = nobody has asked."""
    seen: Seen | None = None
    """The state this process has seen and not written yet."""
    gates: Gates = field(default_factory=Gates)
    """For a run by hand that waits to be admitted; nothing else asks them."""
    is_pressed: bool = False
    """Writes stand in line: one more holds up a start or an end (decision 0026)."""


def write_if_news(facts: AppServerFacts, status: AppServerStatus) -> AppServerPlan:
    """Write, unless it would change nothing (R41)."""
    status = replace(status, message=cut_message(status.message))
    return AppServerPlan(status=status if status != facts.app_server.status else None)


def write_once_settled(facts: AppServerFacts, now: Now, status: AppServerStatus, since: datetime) -> AppServerPlan:
    """Write an intermediate state once it has lasted; until then remember since when."""
    status = replace(status, message=cut_message(status.message))
    if facts.app_server.has_status and facts.app_server.state == status.state:
        return write_if_news(facts, status) if facts.app_server.status.message != status.message else AppServerPlan()
    seen = Seen(state=status.state, since_at=seen_since(facts, status.state) or since)
    lasted = now.steady - seen.since_at
    if lasted < SETTLED:
        return AppServerPlan(seen=seen, wake=Wake(steady=seen.since_at + SETTLED))
    if facts.is_pressed and lasted < WORTH_A_WRITE:
        return AppServerPlan(seen=seen, wake=Wake(steady=seen.since_at + min(2 * lasted, WORTH_A_WRITE)))
    return replace(write_if_news(facts, status), seen=seen)


def seen_since(facts: AppServerFacts, state: State) -> datetime | None:
    """Return since when this process has seen a state that it has not written yet."""
    return facts.seen.since_at if facts.seen is not None and facts.seen.state == state else None


def current_stage(facts: AppServerFacts) -> Stage:
    """Return the stage of the pod, else of what was last written."""
    if facts.pod is not None:
        return stage_of(facts.pod)
    return Stage.CONFIGURING if facts.app_server.state == State.CONFIGURING_SERVER else Stage.WAITING


def with_pod_facts(facts: AppServerFacts, pod: Pod) -> AppServerStatus:
    """Return the status with what the pod says of itself: name, node, images."""
    status = facts.app_server.status
    return replace(
        status,
        pod=pod.ref.name,
        pod_requested_at=status.pod_requested_at or pod.created_at,
        node=pod.node or status.node,
        image_digests=pod.image_digests or status.image_digests,
        output_digest=pod.output_digest or status.output_digest,
    )


def attempt_event(facts: AppServerFacts, type_: EventType, reason: EventReason, note: str, *, key: str) -> EventFact:
    """Return an Event about this attempt."""
    return EventFact(regarding=facts.app_server.ref, type=type_, reason=reason, action="EndAttempt", note=note, key=key)
