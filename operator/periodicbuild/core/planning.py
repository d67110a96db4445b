"""Plan one look at a PeriodicBuild: what is, what should be, what is due.

The sentence to keep in mind: a plan either asks for facts (`first`), or writes what is known (`status`), never both.
Applied again to what it has led to, the planner has nothing left to say: it settles.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.adoption import adopt_children, complete_hand_made
from periodicbuild.core.breaker import forget_if_changed
from periodicbuild.core.conditions import set_conditions
from periodicbuild.core.epochs import begin_first_epoch, begin_next_epoch
from periodicbuild.core.keeping import prune_history, remove_superseded_servers
from periodicbuild.core.look import BuildFacts, Draft
from periodicbuild.core.outbox import due_notices, remind, settle_deliveries
from periodicbuild.core.plans import BuildPlan, ConfirmAbsence, DryRunPod, Refused
from periodicbuild.core.reasons import ConditionType
from periodicbuild.core.runs import is_in_progress, settle_runs
from periodicbuild.core.schedules import upcoming_slots
from periodicbuild.core.serving import serve
from periodicbuild.core.slots import note_first_look
from periodicbuild.core.starts import start_what_is_due

if TYPE_CHECKING:
    from periodicbuild.core.facts import Now

__all__ = ["BuildFacts", "plan_periodic_build"]

CLOCK_CHECKED_AGAIN_AFTER = timedelta(seconds=10)
"""While the clock is not trusted nobody else asks for a look (R9)."""


def plan_periodic_build(facts: BuildFacts, now: Now) -> BuildPlan:
    """Return what to do for one PeriodicBuild at one instant."""
    if facts.build.is_deleting:
        return BuildPlan()
    draft = Draft(facts=facts, now=now, status=facts.build.status, unwritten=facts.unwritten)
    if _needs_dry_run(draft):
        return BuildPlan(first=(_dry_run(draft),), unwritten=facts.unwritten)
    if not facts.clock_is_trusted:
        draft.wake_at(steady=now.steady + CLOCK_CHECKED_AGAIN_AFTER)
    if _is_judged(draft):
        _judge(draft)
    return _plan(draft)


def _is_judged(draft: Draft) -> bool:
    """Without a trusted clock nothing begins; a first look needs one too (R9)."""
    return draft.facts.clock_is_trusted or draft.status.schedule is not None


def _judge(draft: Draft) -> None:
    if _confirm_unanswered(draft):
        return
    if draft.facts.clock_is_trusted and begin_first_epoch(draft):
        return
    forget_if_changed(draft)
    settle_deliveries(draft)
    adopt_children(draft)
    settle_runs(draft)
    remind(draft)
    serve(draft)
    if not draft.facts.clock_is_trusted:
        return
    if begin_next_epoch(draft):
        return
    complete_hand_made(draft)
    start_what_is_due(draft)
    remove_superseded_servers(draft)
    prune_history(draft)


def _confirm_unanswered(draft: Draft) -> bool:
    """Find out what became of a create whose answer was lost, before its slot gets another fate (R22)."""
    unanswered = [one.name for one in draft.facts.refusals.values() if one.kind == Refused.UNANSWERED]
    draft.first.extend(ConfirmAbsence(kind="AppServer", name=name, uid=None) for name in unanswered)
    if unanswered and draft.status.schedule is not None:
        note_first_look(draft)  # the question may have to wait for an API that is away for long
    return bool(unanswered)


def _plan(draft: Draft) -> BuildPlan:
    if draft.first:
        unwritten = draft.unwritten or draft.facts.unwritten  # what ends a wait is not written in this look
        return BuildPlan(first=tuple(draft.first), wake=draft.wake, unwritten=unwritten, start_by=draft.start_by)
    if _is_judged(draft):
        _describe(draft)
    status = draft.status if draft.status != draft.facts.build.status else None
    if status is None and draft.serving:  # outcomes, Events and mails go before the switch (R42)
        return BuildPlan(
            first=tuple(draft.serving), wake=draft.wake, unwritten=draft.unwritten, start_by=draft.start_by
        )
    return BuildPlan(
        status=status,
        events=tuple(draft.events),
        then=tuple(draft.then),
        tell=due_notices(draft) if _is_judged(draft) else (),  # else what became of it would not be noticed either
        wake=draft.wake,
        unwritten=draft.unwritten,
        start_by=draft.start_by,
        is_in_progress=is_in_progress(draft),
        has_started=draft.has_started,
        ruled=tuple(draft.ruled),
        ended=tuple(draft.ended),
    )


def _describe(draft: Draft) -> None:
    """Fill in what people read: text, next slots, conditions."""
    upcoming = upcoming_slots(draft.schedule, draft.waiting)
    draft.status = replace(
        draft.status,
        observed_generation=draft.build.generation,
        schedule_text=draft.schedule.in_force.text(),
        next_slot=next(iter(upcoming), None),
        upcoming=upcoming,
    )
    set_conditions(draft)


def _needs_dry_run(draft: Draft) -> bool:
    """Once per generation; while refused, again when the refusal says so (design 2.1)."""
    generation = draft.build.generation
    known = draft.facts.dry_run
    if known is not None and known.generation == generation:
        if known.refusal is None or known.refusal.kind == Refused.QUOTA_EXCEEDED:
            return False
        draft.wake_at(steady=known.refusal.retry_at)
        return draft.now.steady >= known.refusal.retry_at
    ready = draft.status.condition(ConditionType.READY)
    return ready is None or ready.observed_generation != generation or ready.status != "True"


def _dry_run(draft: Draft) -> DryRunPod:
    spec = draft.build.spec
    return DryRunPod(generation=draft.build.generation, template=spec.template, succeed_when=spec.succeed_when)
