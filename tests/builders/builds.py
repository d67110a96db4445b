"""PeriodicBuilds and what their status remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders.values import (
    A_TEMPLATE,
    CREATED,
    DERIVED,
    NAMESPACE,
    SLOT,
    a_ref,
    a_schedule,
    at,
    at_if_any,
    some_retries,
    some_timeouts,
)

from periodicbuild.core.facts import (
    ActivationPolicy,
    Breaker,
    BuildSpec,
    History,
    PeriodicBuild,
    Retries,
    Starting,
    TemplateJson,
    Timeouts,
)
from periodicbuild.core.names import slot_run_id
from periodicbuild.core.policies import ConcurrencyPolicy, Recovery, SucceedWhen
from periodicbuild.core.reasons import Decision, Fate, Outcome
from periodicbuild.core.recipients import Notifications
from periodicbuild.core.status import BuildStatus, LedgerEntry, ScheduleStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from tests.builders.values import Instant

    from periodicbuild.core.inputs import ChangeDetection
    from periodicbuild.core.schedules import Schedule


def a_spec(  # noqa: PLR0913 - keywords, each with a default
    *,
    schedule: Schedule | None = None,
    schedule_error: str | None = None,
    retries: Retries | None = None,
    timeouts: Timeouts | None = None,
    history: tuple[int, int] = (3, 1),
    max_age: timedelta | None = None,
    succeed_when: SucceedWhen = SucceedWhen.READY,
    template: bytes = A_TEMPLATE,
    starting: Starting | None = None,
    concurrency: ConcurrencyPolicy = ConcurrencyPolicy.FORBID,
    breaker: Breaker | None = None,
    notifications: Notifications | None = None,
    activation: ActivationPolicy | None = None,
    recovery: Recovery = Recovery.RESTART,
    estimated_duration: timedelta | None = None,
    change_detection: ChangeDetection | None = None,
) -> BuildSpec:
    """Give a spec; `history` is the limit of successful and of failed runs."""
    successful, failed = history
    return BuildSpec(
        schedule=schedule or a_schedule(every=None if schedule_error else "24h"),
        schedule_error=schedule_error,
        retries=retries or some_retries(),
        timeouts=timeouts or some_timeouts(),
        history=History(successful_limit=successful, failed_limit=failed, max_age=max_age),
        succeed_when=succeed_when,
        template=TemplateJson(template),
        starting=starting or Starting(),
        concurrency=concurrency,
        breaker=breaker,
        notifications=notifications or Notifications(),
        activation=activation,
        recovery=recovery,
        estimated_duration=estimated_duration,
        change_detection=change_detection,
    )


def a_build(  # noqa: PLR0913 - keywords, each with a default
    *,
    name: str = "nightly",
    namespace: str = NAMESPACE,
    uid: str | None = None,
    resource_version: str = "100",
    generation: int = 1,
    created: Instant = CREATED,
    is_deleting: bool = False,
    run_now: str | None = None,
    spec: BuildSpec | None = None,
    every: str | None = None,
    enabled: bool | None = None,
    status: BuildStatus | None = None,
    activate: str | None = None,
    labels: Mapping[str, str] | None = None,
    overrides: Iterable[str] = (),
) -> PeriodicBuild:
    """Give a PeriodicBuild, enabled and daily; `every` and `enabled` are short for a spec with that schedule."""
    if spec is None:
        spec = a_spec(schedule=a_schedule(every=every or "24h", enabled=enabled is not False))
    elif every is not None or enabled is not None:
        message = "give a_build either `spec` or `every` and `enabled`"
        raise TypeError(message)
    return PeriodicBuild(
        ref=a_ref("PeriodicBuild", name, namespace=namespace, uid=uid),
        resource_version=resource_version,
        generation=generation,
        created_at=at(created),
        is_deleting=is_deleting,
        run_now=run_now,
        spec=spec,
        status=status or BuildStatus(),
        activate=activate,
        labels=labels or {},
        overrides=frozenset(overrides),
    )


def a_schedule_status(  # noqa: PLR0913 - keywords, each with a default
    *,
    in_force: Schedule | None = None,
    epoch: int = 1,
    since: Instant = CREATED,
    cursor: Instant | None = None,
    anchor: Instant | None = None,
    due_at_since: int = 0,
) -> ScheduleStatus:
    """Give the schedule in force: enabled and daily, in its first epoch."""
    return ScheduleStatus(
        in_force=in_force or a_schedule(),
        epoch=epoch,
        since_at=at(since),
        cursor_at=at_if_any(cursor),
        anchor_at=at_if_any(anchor),
        due_at_since=due_at_since,
    )


def an_entry(  # noqa: PLR0913 - keywords, each with a default
    *,
    slot: Instant = SLOT,
    fate: Fate = Fate.DUE,
    epoch: int = 1,
    decided: Instant | None = None,
    until: Instant | None = None,
    count: int = 1,
    run: str | None = DERIVED,
    outcome: Outcome | None = None,
    outcome_reason: str | None = None,
) -> LedgerEntry:
    """Give a ledger entry: started when due, unless told otherwise; only one that started has a run."""
    is_started = fate.decision == Decision.STARTED
    return LedgerEntry(
        slot=at(slot),
        epoch=epoch,
        decision=fate.decision,
        reason=fate,
        decided_at=at(slot if decided is None else decided),
        until_slot=at_if_any(until),
        count=count,
        run=(slot_run_id(at(slot)) if is_started else None) if run == DERIVED else run,
        outcome=outcome,
        outcome_reason=outcome_reason,
    )
