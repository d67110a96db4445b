"""Moving the next run: what a later `notBefore` leads to, asked of the operator's own planner.

Must not know how it is written or printed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.slot_times import slot_text
from periodicbuild.core.facts import Now
from periodicbuild.core.look import BuildFacts
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.plans import DryRun
from periodicbuild.core.schedules import next_slot
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild


def slot_not_before(build: PeriodicBuild, instant: datetime | None, now: datetime) -> datetime | None:
    """Return the first slot if `notBefore` were this and the schedule enabled; None if there is none.

    The operator's planner is asked what status it would write in the look that finds the edit; runs in progress have
    no part in that, and nothing starts in such a look (R2).
    """
    schedule = replace(build.spec.schedule, not_before=instant, enabled=True)
    spec, status = replace(build.spec, schedule=schedule), replace(build.status, runs=())
    if status.schedule is not None and status.schedule.in_force == schedule:
        return next_slot(status.schedule)
    facts = BuildFacts(
        build=replace(build, spec=spec, status=status, run_now=None),
        dry_run=DryRun(generation=build.generation, refusal=None),
    )
    plan = plan_periodic_build(facts, Now(wall=now, steady=now))
    return plan.status.next_slot if plan.status is not None else None


def check_reschedule(build: PeriodicBuild, instant: datetime, now: datetime, *, may_skip_waiting: bool) -> datetime:
    """Return the slot that comes next then; raises AnswerIsNoError where it would not be what was asked for."""
    name, schedule, waiting = build.ref.name, build.spec.schedule, build.status.waiting
    if build.is_deleting:
        raise AnswerIsNoError(f"PeriodicBuild {name!r} is being deleted: no run of it can begin any more")
    if build.spec.schedule_error is not None:
        raise AnswerIsNoError(f"the schedule of {name!r} is not understood: {build.spec.schedule_error}")
    if instant <= now:
        remedy = f"for a run now, use kubectl periodicbuild run {name}"
        raise AnswerIsNoError(f"{instant_text(instant)} has passed, and nothing can be moved there: {remedy}")
    if waiting is not None and not may_skip_waiting:
        held = f"the slot {slot_text(waiting.slot, schedule, now)} of {name!r} waits ({waiting.reason})"
        raise AnswerIsNoError(f"{held} and would be skipped as ScheduleEdited: add --skip-waiting if that is meant")
    slot = slot_not_before(build, instant, now)
    if slot is None:
        raise AnswerIsNoError(f"{schedule.text()} has no slot at or after {instant_text(instant)}: nothing was changed")
    if schedule.interval is not None and slot > instant:
        natural = slot_text(slot, schedule, now)
        remedy = f"notBefore can only delay it; for a run now, use kubectl periodicbuild run {name}"
        raise AnswerIsNoError(f"the next slot of {name!r} is {natural}, after {instant_text(instant)}: {remedy}")
    return slot
