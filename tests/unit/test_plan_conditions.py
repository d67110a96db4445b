"""What people read of a PeriodicBuild: conditions, next slots, and the dry run behind `Ready` (design 2.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_build, a_result, a_run, a_schedule, a_spec, an_app_server, at
from tests.builders.looks import PREVIOUS, a_dry_run, a_look, a_status, a_wait, verdict
from tests.builders.values import a_now

from periodicbuild.core.facts import AppServer, AppServerStatus, BuildSpec
from periodicbuild.core.planning import BuildFacts, plan_periodic_build
from periodicbuild.core.plans import BuildPlan, DryRun, DryRunPod, Refused
from periodicbuild.core.reasons import Blocker, State
from periodicbuild.core.status import BuildStatus, Condition, Waiting

EARLIER = "2026-11-23T12:00:00"
NOW = "2026-11-24T01:00:00"
JUST_BEFORE_TEN_MINUTES = "2026-11-24T01:09:59"
IN_TEN_MINUTES = "2026-11-24T01:10:00"
ACCEPTED = ("True", "Accepted", "the spec is understood and its pod would be accepted")
NOBODY = "nobody is named in spec.notifications or by the operator"
EVERY_DAY = ("True", "Scheduled", "every 24h")


def a_condition(
    type_: str = "Ready", verdict: tuple[str, str, str] = ACCEPTED, *, generation: int = 1, changed: str = EARLIER
) -> Condition:
    status, reason, message = verdict
    return Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message,
        observed_generation=generation,
        changed_at=at(changed),
    )


def test_every_condition_is_present_from_the_first_write() -> None:
    plan = a_look(a_build(), NOW)
    assert plan.status is not None
    assert plan.status.conditions == (
        a_condition("Ready", ACCEPTED, changed=NOW),
        a_condition("Scheduled", EVERY_DAY, changed=NOW),
        a_condition("LastRunSucceeded", ("Unknown", "NoRunYet", ""), changed=NOW),
        a_condition("Activated", ("Unknown", "NotConfigured", ""), changed=NOW),
        a_condition("Notified", ("Unknown", "NotConfigured", NOBODY), changed=NOW),
    )


def test_what_is_shown_of_the_schedule_is_written_beside_it() -> None:
    plan = a_look(a_build(generation=7, status=a_status()), NOW)
    assert plan.status is not None
    shown = plan.status
    assert (shown.observed_generation, shown.schedule_text, shown.next_slot) == (7, "every 24h", at(SLOT))
    assert shown.upcoming == (at(SLOT), at("2026-11-25T02:30:00"), at("2026-11-26T02:30:00"))


OPEN = {"a slot that waits": (a_wait(), None), "a slot that waits unwritten": (None, a_wait(reason=Blocker.API_ERROR))}


@pytest.mark.parametrize(("waiting", "unwritten"), OPEN.values(), ids=list(OPEN))
def test_no_next_slot_is_shown_beside(waiting: Waiting | None, unwritten: Waiting | None) -> None:
    """R4: one slot is open at a time."""
    build = a_build(status=a_status(waiting=waiting))
    plan = a_look(build, SLOT, unwritten=unwritten, clock_is_trusted=False)
    assert plan.status is not None
    assert (plan.status.next_slot, plan.status.upcoming) == (None, ())


UNREADABLE = a_spec(schedule_error="spec.schedule.interval.every: '' is empty")

SCHEDULED = {
    "it is on": (a_spec(), EVERY_DAY),
    "it is off": (
        a_spec(schedule=a_schedule(enabled=False)),
        ("False", "Disabled", "spec.enabled is false: the schedule starts nothing until it is true"),
    ),
    "it is not understood": (UNREADABLE, ("False", "InvalidSchedule", "spec.schedule.interval.every: '' is empty")),
    "it is short": (
        a_spec(schedule=a_schedule(every="2h59m59s")),
        ("True", "Scheduled", "every 2h59m59s; under 3h: a build that takes longer makes slots wait"),
    ),
    "it is just not short": (a_spec(schedule=a_schedule(every="3h")), ("True", "Scheduled", "every 3h")),
}


@pytest.mark.parametrize(("spec", "expected"), SCHEDULED.values(), ids=list(SCHEDULED))
def test_scheduled_says_whether(spec: BuildSpec, expected: tuple[str, str, str]) -> None:
    assert verdict(a_look(a_build(spec=spec), NOW), "Scheduled") == expected


READY = {
    "the pod was accepted": (a_spec(), a_dry_run(), ACCEPTED),
    "the schedule is not understood, whatever the pod": (
        UNREADABLE,
        a_dry_run(),
        ("False", "InvalidSchedule", "spec.schedule.interval.every: '' is empty"),
    ),
    "the pod is invalid": (
        a_spec(),
        a_dry_run(Refused.INVALID, retry=IN_TEN_MINUTES, message="no such field"),
        ("False", "InvalidTemplate", "no such field"),
    ),
    "the pod is forbidden": (
        a_spec(),
        a_dry_run(Refused.FORBIDDEN, retry=IN_TEN_MINUTES, message="restricted"),
        ("False", "Forbidden", "restricted"),
    ),
    "an exceeded quota refuses nothing": (a_spec(), a_dry_run(Refused.QUOTA_EXCEEDED), ACCEPTED),
    "a name in use refuses nothing": (a_spec(), a_dry_run(Refused.NAME_STILL_IN_USE, retry=IN_TEN_MINUTES), ACCEPTED),
    "the API could not say": (
        a_spec(),
        a_dry_run(Refused.API_ERROR, retry=IN_TEN_MINUTES, message="time-out"),
        ("Unknown", "NotChecked", "time-out"),
    ),
    "the namespace goes": (
        a_spec(),
        a_dry_run(Refused.NAMESPACE_TERMINATING, retry=IN_TEN_MINUTES, message="terminating"),
        ("Unknown", "NotChecked", "terminating"),
    ),
}


@pytest.mark.parametrize(("spec", "dry_run", "expected"), READY.values(), ids=list(READY))
def test_ready_says_that(spec: BuildSpec, dry_run: DryRun, expected: tuple[str, str, str]) -> None:
    """Never False because a build failed, or because it is disabled."""
    assert verdict(a_look(a_build(spec=spec), NOW, dry_run=dry_run), "Ready") == expected


def test_a_refused_pod_does_not_keep_slots_from_their_course() -> None:
    refused = a_dry_run(Refused.INVALID, retry="2026-11-24T03:00:00")
    assert [type(action).__name__ for action in a_look(a_build(status=a_status()), SLOT, dry_run=refused).first] == [
        "CreateAppServer"
    ]


OF_THIS_GENERATION = replace(a_status(), conditions=(a_condition(generation=2),))
OF_THE_LAST = replace(a_status(), conditions=(a_condition(generation=1),))
NOT_READY = replace(
    a_status(), conditions=(a_condition(verdict=("False", "InvalidTemplate", "no such field"), generation=2),)
)
KNOWN_ACCEPTED = a_dry_run(generation=2)
KNOWN_REFUSED = a_dry_run(Refused.INVALID, generation=2, retry=IN_TEN_MINUTES)
KNOWN_QUOTA = a_dry_run(Refused.QUOTA_EXCEEDED, generation=2, retry=EARLIER)
OF_THE_LAST_GENERATION = a_dry_run(generation=1)

DRY_RUNS = {
    "at first": (a_status(), None, NOW, True),
    "of a new generation": (OF_THE_LAST, None, NOW, True),
    "of a new generation, in the same process": (OF_THE_LAST, OF_THE_LAST_GENERATION, NOW, True),
    "again after a restart, if it was refused": (NOT_READY, None, NOW, True),
    "not again after a restart, if it was accepted": (OF_THIS_GENERATION, None, NOW, False),
    "not again when it was accepted": (a_status(), KNOWN_ACCEPTED, NOW, False),
    "not again when a quota was exceeded": (NOT_READY, KNOWN_QUOTA, NOW, False),
    "not again at once when it was refused": (NOT_READY, KNOWN_REFUSED, JUST_BEFORE_TEN_MINUTES, False),
    "again after a while when it was refused": (NOT_READY, KNOWN_REFUSED, IN_TEN_MINUTES, True),
}


def look_at(status: BuildStatus, dry_run: DryRun | None, now: str) -> BuildPlan:
    """Look at generation 2; None = the process knows of no dry run."""
    build = a_build(generation=2, status=status)
    facts = BuildFacts(build=build, dry_run=dry_run, unwritten=a_wait())
    return plan_periodic_build(facts, a_now(now))


@pytest.mark.parametrize(("status", "dry_run", "now", "asks"), DRY_RUNS.values(), ids=list(DRY_RUNS))
def test_the_api_server_is_asked_about_the_pod(
    status: BuildStatus,
    dry_run: DryRun | None,
    now: str,
    asks: bool,  # noqa: FBT001 - a column
) -> None:
    """Once per generation; nothing else is done before the answer."""
    plan = look_at(status, dry_run, now)
    spec = a_spec()
    expected = DryRunPod(generation=2, template=spec.template, succeed_when=spec.succeed_when)
    if asks:
        assert plan == BuildPlan(first=(expected,), unwritten=a_wait())
    else:
        assert plan.first == ()


def test_a_refused_pod_is_asked_about_again_in_time() -> None:
    assert look_at(NOT_READY, KNOWN_REFUSED, NOW).wake.steady == at(IN_TEN_MINUTES)


OUTDATED = {"nothing": None, "what was refused before": a_dry_run(Refused.INVALID, generation=1, retry=IN_TEN_MINUTES)}


@pytest.mark.parametrize("dry_run", OUTDATED.values(), ids=list(OUTDATED))
def test_an_accepted_pod_stays_accepted_in_a_process_that_knows(dry_run: DryRun | None) -> None:
    """After a restart, or when another replica has asked about this generation."""
    plan = look_at(OF_THIS_GENERATION, dry_run, NOW)
    assert plan.status is not None
    assert plan.status.condition("Ready") == OF_THIS_GENERATION.condition("Ready")


def test_a_condition_moves_in_time_only_with_its_status() -> None:
    """As Kubernetes defines `lastTransitionTime`; the generation it was observed for goes with the object's."""
    build = a_build(generation=2, status=replace(a_status(), conditions=(a_condition(verdict=OTHER_WORDS),)))
    plan = a_look(build, NOW)
    assert plan.status is not None
    assert plan.status.condition("Ready") == a_condition(generation=2, changed=EARLIER)
    refused = a_look(build, NOW, dry_run=a_dry_run(Refused.INVALID, generation=2, retry=IN_TEN_MINUTES))
    assert refused.status is not None
    assert refused.status.condition("Ready") == a_condition(
        verdict=("False", "InvalidTemplate", "no"), generation=2, changed=NOW
    )


OTHER_WORDS = ("True", "Accepted", "in other words")
FAILED = an_app_server(
    slot=PREVIOUS,
    status=AppServerStatus(state=State.ERROR, finished_at=at(PREVIOUS), result=a_result(message="exit code 1")),
)
SUCCEEDED = an_app_server(slot=PREVIOUS, state=State.RUNNING)
CANCELLED = an_app_server(slot=PREVIOUS, state=State.CANCELLED, cancelled=True)
BEFORE = ("True", "Succeeded", "run 20261122-023000")
OUTCOMES = {
    "a success": (SUCCEEDED, ("True", "Succeeded", "run 20261123-023000")),
    "a failure, by its class": (
        FAILED,
        ("False", "Build", "run 20261123-023000, attempt 1: NonZeroExit: exit code 1"),
    ),
    "a failure that left no result": (
        replace(FAILED, status=replace(FAILED.status, result=None)),
        ("False", "Infrastructure", "run 20261123-023000, attempt 1: no attempt left a result"),
    ),
    "a failure from a template of its own: as it was": (replace(FAILED, has_own_template=True), BEFORE),
    "a success from a template of its own: as it was": (replace(SUCCEEDED, has_own_template=True), BEFORE),
    "a cancelled run: as it was": (CANCELLED, BEFORE),
}


@pytest.mark.parametrize(("child", "expected"), OUTCOMES.values(), ids=list(OUTCOMES))
def test_the_last_run_was(child: AppServer, expected: tuple[str, str, str]) -> None:
    """R25, R27."""
    conditions = (a_condition("LastRunSucceeded", BEFORE),)
    build = a_build(status=replace(a_status(runs=[a_run(child)]), conditions=conditions))
    assert verdict(a_look(build, NOW, children=[child]), "LastRunSucceeded") == expected


def test_a_message_too_long_for_the_api_is_cut() -> None:
    refused = a_dry_run(Refused.INVALID, retry=IN_TEN_MINUTES, message="x" * 2000)
    assert verdict(a_look(a_build(), NOW, dry_run=refused), "Ready")[2] == "x" * 1021 + "..."


def test_a_quiet_object_is_not_written() -> None:
    """R41: what was written once leaves nothing to say, an hour later, too."""
    settled = a_look(a_build(status=a_status()), NOW).status
    plan = a_look(a_build(status=settled), "2026-11-24T02:00:00")
    assert (plan.first, plan.status, plan.events, plan.then) == ((), None, (), ())
