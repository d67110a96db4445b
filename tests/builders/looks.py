"""Looks for tests: facts in, plan out, and the views of a plan that cases compare.

The one idea a newcomer would miss: a status holds what the operator remembers and what people read.  Most cases are
about memory; `memory` takes the rest away, and the cases about conditions and shown slots look at the whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.builders.attempts import a_run, an_app_server
from tests.builders.builds import a_build, a_schedule_status, an_entry
from tests.builders.values import SLOT, a_now, at, at_if_any

from periodicbuild.core.attempt import AppServerFacts
from periodicbuild.core.attempts import plan_app_server
from periodicbuild.core.gates import Gates
from periodicbuild.core.look import BuildFacts
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.plans import CancelAppServer, CreateAppServer, DryRun, Refusal, Refused, Seen
from periodicbuild.core.reasons import Blocker, Decision, Outcome
from periodicbuild.core.recipients import Telling
from periodicbuild.core.status import BuildStatus, Slots, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.builders.values import Instant

    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
    from periodicbuild.core.inputs import Lookup
    from periodicbuild.core.mail import Delivery
    from periodicbuild.core.plans import AppServerPlan, BuildPlan
    from periodicbuild.core.reasons import State
    from periodicbuild.core.services import ServiceRead
    from periodicbuild.core.status import LedgerEntry, Manual, Run, ScheduleStatus

PREVIOUS = "2026-11-23T02:30:00"
"""The slot before `SLOT`, a day earlier."""
REQUEST = "please"
"""A run-now token."""


def a_status(  # noqa: PLR0913 - keywords, each with a default
    *,
    schedule: ScheduleStatus | None = None,
    ledger: Iterable[LedgerEntry] | None = None,
    waiting: Waiting | None = None,
    runs: Iterable[Run] = (),
    manual: Manual | None = None,
    consecutive_failures: int = 0,
) -> BuildStatus:
    """Give a status that adds up: the build of `PREVIOUS` has succeeded, `SLOT` is next or waits."""
    entries = (an_entry(slot=PREVIOUS, outcome=Outcome.SUCCEEDED),) if ledger is None else tuple(ledger)
    return BuildStatus(
        schedule=schedule or a_schedule_status(anchor=PREVIOUS, cursor=waiting.slot if waiting else PREVIOUS),
        slots=slots_of(entries, waiting=waiting),
        waiting=waiting,
        ledger=entries,
        runs=tuple(runs),
        manual=manual,
        consecutive_failures=consecutive_failures,
    )


def slots_of(ledger: Iterable[LedgerEntry], *, waiting: Waiting | None = None) -> Slots:
    """Count the slots of a ledger and the one that waits."""
    counts = dict.fromkeys(Decision, 0)
    for entry in ledger:
        counts[entry.decision] += entry.count
    return Slots(
        due=sum(counts.values()) + (waiting is not None),
        started=counts[Decision.STARTED],
        skipped=counts[Decision.SKIPPED],
        missed=counts[Decision.MISSED],
    )


def a_wait(
    slot: Instant = SLOT,
    *,
    reason: Blocker = Blocker.BUILD_IN_PROGRESS,
    since: Instant | None = None,
    message: str = "",
) -> Waiting:
    """Let a slot wait, since it fell due unless told otherwise."""
    return Waiting(slot=at(slot), reason=reason, since_at=at(slot if since is None else since), message=message)


def a_refusal(
    name: str, kind: Refused = Refused.API_ERROR, *, retry: Instant, since: Instant = SLOT, message: str = "no"
) -> Refusal:
    """Refuse to create the object of that name."""
    return Refusal(name=name, kind=kind, message=message, retry_at=at(retry), since_at=at(since))


def a_dry_run(
    kind: Refused | None = None, *, generation: int = 1, retry: Instant = SLOT, message: str = "no"
) -> DryRun:
    """Answer to the dry run of the pod: accepted, or refused with a message."""
    refusal = None if kind is None else a_refusal("", kind, retry=retry, message=message)
    return DryRun(generation=generation, refusal=refusal)


def a_look(  # noqa: PLR0913 - keywords, each with a default
    build: PeriodicBuild,
    wall: Instant,
    *,
    steady: Instant | None = None,
    children: Iterable[AppServer] = (),
    strangers: Iterable[AppServer] = (),
    pods: Iterable[Pod] = (),
    has_stray_pods: bool = False,
    gone: Iterable[str] = (),
    dry_run: DryRun | None = None,
    refusals: Iterable[Refusal] = (),
    unwritten: Waiting | None = None,
    written: Instant | None = None,
    has_place: bool = True,
    may_start: bool = True,
    clock_is_trusted: bool = True,
    telling: Telling | None = None,
    deliveries: Iterable[Delivery] = (),
    service: ServiceRead | None = None,
    gates: Gates | None = None,
    lookup: Lookup | None = None,
) -> BuildPlan:
    """Look at a PeriodicBuild; its pod is accepted, and nothing is in the way, unless told otherwise."""
    facts = BuildFacts(
        build=build,
        children=tuple(children),
        strangers=tuple(strangers),
        pods={pod.controller_uid or "": pod for pod in pods},
        has_stray_pods=has_stray_pods,
        gone=frozenset(gone),
        dry_run=dry_run or a_dry_run(generation=build.generation),
        refusals={refusal.name: refusal for refusal in refusals},
        unwritten=unwritten,
        written_at=at_if_any(written),
        has_place=has_place,
        may_start=may_start,
        clock_is_trusted=clock_is_trusted,
        telling=telling or Telling(),
        deliveries={delivery.key: delivery for delivery in deliveries},
        service=service,
        gates=gates or Gates(),
        lookup=lookup,
    )
    return plan_periodic_build(facts, a_now(wall, steady=steady))


def an_attempt_look(  # noqa: PLR0913 - keywords, each with a default
    app_server: AppServer | None = None,
    steady: Instant = SLOT,
    *,
    parent: PeriodicBuild | None = None,
    has_parent: bool = True,
    pod: Pod | None = None,
    pod_is_absent: bool = False,
    refusal: Refusal | None = None,
    namespace_is_terminating: bool | None = None,
    log: str | None = "",
    seen: tuple[State, Instant] | None = None,
    gates: Gates | None = None,
    is_pressed: bool = False,
) -> AppServerPlan:
    """Look at an AppServer whose run is in progress, unless another parent is given; its log was read, and is empty."""
    attempt = app_server or an_app_server()
    facts = AppServerFacts(
        app_server=attempt,
        parent=(parent or a_build(status=a_status(runs=[a_run(attempt)]))) if has_parent else None,
        pod=pod,
        pod_is_absent=pod_is_absent,
        refusal=refusal,
        namespace_is_terminating=namespace_is_terminating,
        log=log,
        seen=None if seen is None else Seen(state=seen[0], since_at=at(seen[1])),
        gates=gates or Gates(),
        is_pressed=is_pressed,
    )
    return plan_app_server(facts, a_now(steady))


def memory(plan: BuildPlan) -> BuildStatus:
    """Give what a plan writes for the operator to remember, without what is only shown to people."""
    if plan.status is None:
        message = f"the plan writes no status: {plan}"
        raise AssertionError(message)
    return replace(plan.status, observed_generation=0, schedule_text="", next_slot=None, upcoming=(), conditions=())


def verdict(plan: BuildPlan, type_: str) -> tuple[str, str, str]:
    """Give status, reason and message of a condition that a plan writes."""
    assert plan.status is not None
    condition = plan.status.condition(type_)
    assert condition is not None
    return condition.status, condition.reason, condition.message


def told(plan: BuildPlan | AppServerPlan) -> tuple[str, ...]:
    """Give the reasons of the Events that a plan owes, in their order."""
    return tuple(event.reason for event in plan.events)


def cancelled(plan: BuildPlan) -> tuple[str, ...]:
    """Give the names of the AppServers that a plan cancels."""
    return tuple(action.name for action in plan.first if isinstance(action, CancelAppServer))


def created(plan: BuildPlan) -> tuple[str, ...]:
    """Give the names of the AppServers that a plan creates."""
    return tuple(action.name for action in plan.first if isinstance(action, CreateAppServer))
