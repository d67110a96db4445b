"""What a decision costs: the planner alone, without a cluster.

The one idea a newcomer would miss: what is timed is a look at which nothing is due, with everything in place that it
reads: 20 ledger entries, the attempts of four runs, a calendar with a change of the clock ahead.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.bench.timing import median_seconds
from tests.bench.watch_cost import measure_watch_cost
from tests.builders import (
    a_build,
    a_calendar,
    a_cron,
    a_schedule,
    a_schedule_status,
    a_spec,
    an_app_server,
    an_entry,
    at,
)
from tests.builders.looks import a_dry_run, a_status

from periodicbuild.core.facts import Now
from periodicbuild.core.look import BuildFacts
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.reasons import Outcome, State
from periodicbuild.core.schedules import due_slots

LOOKS = 200
"""Per round."""
NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
"""Five days before clocks in Europe change."""
SLOT = datetime(2026, 10, 20, 0, 30, tzinfo=UTC)
HISTORY = 20
KEPT = 4


def measure_planner() -> dict[str, float]:
    """Time a look with full history, a year of missed minutes, and what a watch tells."""
    facts = _full_history()
    settled = plan_periodic_build(facts, Now(wall=NOW, steady=NOW))
    assert settled.status is None, "the look must have nothing to write"
    minutes = a_schedule_status(in_force=a_schedule(timing=a_cron("* * * * *", zone="Europe/Berlin")), since=NOW)
    a_year_on = NOW + timedelta(days=365)
    return {
        "plan-microseconds": 1e6 * median_seconds(lambda: plan_periodic_build(facts, Now(wall=NOW, steady=NOW)), LOOKS),
        "year-of-minutes-seconds": median_seconds(lambda: due_slots(minutes, a_year_on), 1),
        **measure_watch_cost(),
    }


def _full_history() -> BuildFacts:
    """Give the facts of a build with all that it may keep, as the planner itself has left it."""
    slots = [SLOT - timedelta(days=number) for number in range(HISTORY)]
    spec = a_spec(schedule=a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin")))
    status = a_status(
        schedule=a_schedule_status(in_force=spec.schedule, since=slots[-1] - timedelta(hours=1), cursor=SLOT),
        ledger=[an_entry(slot=slot, outcome=Outcome.SUCCEEDED) for slot in slots],
    )
    build = a_build(spec=spec, status=status, created=at("2026-01-01T00:00:00"))
    children = tuple(
        an_app_server(build, slot=slot, created=slot, state=State.TERMINATED if number else State.RUNNING)
        for number, slot in enumerate(slots[:KEPT])
    )
    facts = BuildFacts(build=build, children=children, dry_run=a_dry_run(generation=build.generation))
    described = plan_periodic_build(facts, Now(wall=NOW, steady=NOW)).status or status
    build = a_build(spec=spec, status=described, created=at("2026-01-01T00:00:00"))
    return BuildFacts(build=build, children=children, dry_run=a_dry_run(generation=build.generation))
