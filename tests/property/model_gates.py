"""The gates of a history, and what must be true of every look behind them (R32, R33).

The one idea a newcomer would miss: it judges gates by itself, from a switch and a stretch of time, and never asks the
code under test whether one is closed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.attempts import plan_app_server
from periodicbuild.core.gates import Gates
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.plans import CancelAppServer, CreateAppServer
from periodicbuild.core.reasons import Trigger
from periodicbuild.core.windows import Span

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.attempts import AppServerFacts
    from periodicbuild.core.facts import Now, PeriodicBuild
    from periodicbuild.core.gates import Gate
    from periodicbuild.core.planning import BuildFacts
    from periodicbuild.core.plans import AppServerPlan, BuildPlan


def check_look(facts: BuildFacts, plan: BuildPlan, now: Now) -> None:
    """Check a plan against what would have been planned if there were no gates."""
    if not facts.gates.known:
        return
    starts = starts_of(facts, plan)
    for gate in facts.gates.known:
        assert not starts or not holds(gate, facts.build, now.wall), f"{starts} in spite of {gate}"
    free = plan_periodic_build(replace(facts, gates=Gates()), now)
    assert starts <= starts_of(facts, free), "a gate makes more start"
    cancelled, at_most = (_names(one, CancelAppServer) for one in (plan, free))
    assert cancelled <= at_most, "a gate ends what has started"
    if not (plan.first or free.first):
        assert plan.ended == free.ended, "a gate ends what has started"
        assert plan.then == free.then, "a gate touches clean-up"
    retries = {name for name in _created(plan) if name not in starts}
    assert retries == {name for name in _created(free) if name not in starts_of(facts, free)}, "a retry asks a gate"


def check_attempt(facts: AppServerFacts, plan: AppServerPlan, now: Now) -> None:
    """Check that an attempt whose run has started goes on as if there were no gates."""
    runs = facts.parent.status.runs if facts.parent is not None else ()
    if facts.gates.known and facts.app_server.ref.uid in {run.uid for run in runs}:
        assert plan == plan_app_server(replace(facts, gates=Gates()), now), "an attempt under way asks a gate"


def starts_of(facts: BuildFacts, plan: BuildPlan) -> set[str]:
    """Name what begins with a plan and has to ask: first attempts of slots, and runs by hand that are admitted."""
    known = {run.uid for run in facts.build.status.runs}
    children = {child.ref.uid: child for child in facts.children}
    admitted = {
        run.app_server
        for run in (plan.status.runs if plan.status is not None and plan.has_started else ())
        if run.uid not in known and run.uid in children and run.trigger == Trigger.MANUAL
    }
    created = (one for one in plan.first if isinstance(one, CreateAppServer))
    return admitted | {one.name for one in created if one.attempt == 1 and one.trigger == Trigger.SCHEDULE}


def holds(gate: Gate, build: PeriodicBuild, now: datetime) -> bool:
    """Tell whether a gate of the model holds a build back: closed, in a window, or too soon before one."""
    spec = gate.spec
    if gate.ref.name in build.overrides or (spec.expires_at is not None and spec.expires_at <= now):
        return False
    spans = [window.when for window in spec.windows if isinstance(window.when, Span)]
    ends_at = now + _estimate(build) + spec.margin
    alive = [one for one in spans if spec.expires_at is None or one.start < spec.expires_at]
    return spec.closed or any(one.start <= now < one.end or now < one.start < ends_at for one in alive)


def _estimate(build: PeriodicBuild) -> timedelta:
    if build.spec.estimated_duration is not None:
        return build.spec.estimated_duration
    if build.status.durations:
        ordered = sorted(build.status.durations)
        enough = next(n for n in range(1, len(ordered) + 1) if 10 * n >= 9 * len(ordered))
        return timedelta(seconds=ordered[enough - 1])
    timeouts = build.spec.timeouts
    return min(timeouts.waiting + timeouts.configuring, timeouts.run or timedelta.max)


def _created(plan: BuildPlan) -> set[str]:
    return {
        one.name
        for one in plan.first
        if isinstance(one, CreateAppServer) and (one.attempt > 1 or one.trigger != Trigger.MANUAL)
    }


def _names(plan: BuildPlan, kind: type[CancelAppServer]) -> set[str]:
    return {one.name for one in plan.first if isinstance(one, kind)}
