"""What wants to start asks every gate until it has started, and never after (R14, R26, R32, R33)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.builders import (
    SLOT,
    a_build,
    a_pod,
    a_result,
    a_run,
    a_spec,
    an_app_server,
    at,
    at_if_any,
    some_retries,
    some_timeouts,
)
from tests.builders.gates import CLOSED, a_gate, a_label, again, once, unreadable
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, a_wait, an_attempt_look, created, memory, told
from tests.builders.patterns import ONE, TWO, a_pattern_build

from periodicbuild.core.estimates import estimate_of
from periodicbuild.core.facts import ActivationPolicy, AppServerStatus, Breaker
from periodicbuild.core.gates import Gate, Gates
from periodicbuild.core.messages import LONGEST_MESSAGE
from periodicbuild.core.plans import AppServerPlan, CreateAppServer, CreatePod, Wake
from periodicbuild.core.policies import ConcurrencyPolicy
from periodicbuild.core.reasons import Blocker, Fate, State, Trigger
from periodicbuild.core.scopes import Operator

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, PeriodicBuild, Timeouts
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import BuildStatus

TEXT = "gate rollout (platform@example.com: database upgrade) is closed"
FORTY_MINUTES = timedelta(minutes=40)
QUICK = a_spec(estimated_duration=FORTY_MINUTES)
WINDOW_BEGIN, WINDOW_END = "2026-11-24T03:00:00", "2026-11-24T05:00:00"
AHEAD = a_gate("rollout", once(WINDOW_BEGIN, WINDOW_END))


def a_gated_look(
    *gates: Gate, build: PeriodicBuild | None = None, now: str = SLOT, written: str | None = None
) -> BuildPlan:
    """Look at a build whose slot is due, behind gates."""
    return a_look(build or a_build(status=a_status()), now, gates=Gates(known=gates), written=written)


HELD = {
    "closed by hand": ([CLOSED], Blocker.GATE_CLOSED, TEXT, None),
    "closed until it expires": (
        [a_gate(closed=True, expires=WINDOW_END)],
        Blocker.GATE_CLOSED,
        f"{TEXT} until 2026-11-24T05:00:00Z",
        WINDOW_END,
    ),
    "in a window": (
        [a_gate("rollout", once(SLOT, WINDOW_END))],
        Blocker.GATE_CLOSED,
        f"{TEXT} by window upgrade until 2026-11-24T05:00:00Z",
        WINDOW_END,
    ),
    "behind a window that cannot be understood": (
        [a_gate("rollout", unreadable())],
        Blocker.GATE_CLOSED,
        f"{TEXT} by window broken, which cannot be understood",
        None,
    ),
    "such a window, until the gate expires": (
        [a_gate("rollout", unreadable(), expires=WINDOW_END)],
        Blocker.GATE_CLOSED,
        f"{TEXT} by window broken, which cannot be understood, until 2026-11-24T05:00:00Z",
        WINDOW_END,
    ),
    "without an owner": (
        [a_gate(closed=True, owner="")],
        Blocker.GATE_CLOSED,
        "gate rollout (database upgrade) is closed",
        None,
    ),
    "ahead of a window": (
        [AHEAD],
        Blocker.ROLLOUT_IMMINENT,
        "gate rollout (platform@example.com: database upgrade) closes at 2026-11-24T03:00:00Z by window upgrade,"
        " and the build is estimated to take 3h30m",
        WINDOW_BEGIN,
    ),
    "two gates, the first by name is shown": (
        [a_gate("later", closed=True), a_gate("earlier", closed=True)],
        Blocker.GATE_CLOSED,
        TEXT.replace("rollout", "earlier"),
        None,
    ),
    "two gates, the closed one is shown": (
        [AHEAD, a_gate("zz", closed=True)],
        Blocker.GATE_CLOSED,
        TEXT.replace("rollout", "zz"),
        None,
    ),
}


@pytest.mark.parametrize(("gates", "blocker", "text", "wake"), HELD.values(), ids=list(HELD))
def test_a_slot_waits_for_a_gate_that_is_named_with_its_owner_and_its_reason(
    gates: list[Gate], blocker: Blocker, text: str, wake: str | None
) -> None:
    """R32: it is written at once, and looked at again when the gate says something else by itself."""
    plan = a_gated_look(*gates)
    assert created(plan) == ()
    assert memory(plan).waiting == a_wait(reason=blocker, message=text)
    assert plan.wake.wall == at_if_any(wake)


PASSES = {
    "it is open": a_gate("rollout", once("2026-11-26", "2026-11-27")),
    "it has expired": a_gate(closed=True, expires="2026-11-24T02:00:00"),
    "it is about another namespace": a_gate(closed=True, namespaces=["team-b"]),
    "it is about another label": a_gate(closed=True, requirements=[a_label("tier", Operator.IN, "prod")]),
    "it cannot be understood": a_gate(closed=True, problem="spec.scope: no object"),
    "its window comes after its life": a_gate("rollout", once(WINDOW_BEGIN, WINDOW_END), expires=WINDOW_BEGIN),
}


@pytest.mark.parametrize("gate", PASSES.values(), ids=list(PASSES))
def test_a_slot_passes_a_gate_that_is_open_or_about_others(gate: Gate) -> None:
    """R32, R35."""
    assert created(a_gated_look(gate)) == ("nightly-20261124-023000-1",)


def test_a_gate_sees_the_labels_of_the_build() -> None:
    gate = a_gate(closed=True, requirements=[a_label("tier", Operator.IN, "prod")])
    build = a_build(status=a_status(), labels={"tier": "prod"})
    assert memory(a_gated_look(gate, build=build)).waiting is not None


def test_gates_that_cannot_be_read_hold_everything_back_if_that_is_wanted() -> None:
    """R35."""
    plan = a_look(a_build(status=a_status()), SLOT, gates=Gates(problem="forbidden"))
    waiting = memory(plan).waiting
    assert waiting is not None
    assert (waiting.reason, waiting.message) == (
        Blocker.GATE_CLOSED,
        "the operator cannot read the gates, and holds builds back for it: forbidden",
    )


def with_durations(*seconds: int) -> BuildStatus:
    """Give the status of a build whose last successes took so long."""
    return replace(a_status(), durations=seconds)


ESTIMATES = {
    "its author says it": (timedelta(minutes=40), with_durations(7_200), some_timeouts(), "40m"),
    "the only success": (None, with_durations(600), some_timeouts(), "10m"),
    "the second longest of ten": (None, with_durations(*range(60, 660, 60)), some_timeouts(), "9m"),
    "the third longest of twenty": (None, with_durations(*range(1_200, 0, -60)), some_timeouts(), "18m"),
    "the longest of nine": (None, with_durations(*[60] * 8, 3_600), some_timeouts(), "1h"),
    "no success yet": (None, with_durations(), some_timeouts(waiting="10m", configuring="20m"), "30m"),
    "no success yet, and a bound on the run": (None, with_durations(), some_timeouts(run="15m"), "15m"),
    "a bound on the run that is none": (
        None,
        with_durations(),
        some_timeouts(waiting="1m", configuring="2m", run="12h"),
        "3m",
    ),
}


@pytest.mark.parametrize(("said", "status", "timeouts", "estimate"), ESTIMATES.values(), ids=list(ESTIMATES))
def test_how_long_a_build_takes_is_said_known_or_bounded(
    said: timedelta | None, status: BuildStatus, timeouts: Timeouts, estimate: str
) -> None:
    """R33."""
    build = a_build(spec=a_spec(estimated_duration=said, timeouts=timeouts), status=status)
    lengths = {"40m": 40, "10m": 10, "9m": 9, "18m": 18, "1h": 60, "30m": 30, "15m": 15, "3m": 3}
    assert estimate_of(build) == timedelta(minutes=lengths[estimate])


AHEAD_OF_A_WINDOW = {
    "it ends as the window begins": (None, "2026-11-24T03:10:00", True),
    "it would end in the window": (None, "2026-11-24T03:09:59", False),
    "with its margin it ends as the window begins": ("5m", "2026-11-24T03:15:00", True),
    "with its margin it would end in the window": ("5m", "2026-11-24T03:14:59", False),
}


@pytest.mark.parametrize(("margin", "begin", "starts"), AHEAD_OF_A_WINDOW.values(), ids=list(AHEAD_OF_A_WINDOW))
def test_a_build_starts_only_if_it_ends_before_the_next_window(margin: str | None, begin: str, *, starts: bool) -> None:
    """R33."""
    gate = a_gate("rollout", once(begin, WINDOW_END), margin=margin)
    plan = a_gated_look(gate, build=a_build(spec=QUICK, status=a_status()))
    assert bool(created(plan)) == starts
    if not starts:
        waiting = memory(plan).waiting
        assert waiting is not None
        assert waiting.message.endswith("40m" + (", with a margin of 5m" if margin else ""))


def test_a_recurring_window_is_seen_ahead() -> None:
    gate = a_gate("rollout", again("0 3 * * *", "2h"))
    assert created(a_gated_look(gate, build=a_build(spec=QUICK, status=a_status()))) == ()
    short = a_spec(estimated_duration=timedelta(minutes=30))
    assert created(a_gated_look(gate, build=a_build(spec=short, status=a_status())))


def test_a_gate_that_closes_by_and_by_is_shown_as_closed() -> None:
    held = a_status(waiting=a_wait(reason=Blocker.ROLLOUT_IMMINENT, message="old"))
    plan = a_gated_look(AHEAD, build=a_build(status=held), now=WINDOW_BEGIN, written=SLOT)
    waiting = memory(plan).waiting
    assert waiting is not None
    assert (waiting.slot, waiting.reason, waiting.since_at) == (at(SLOT), Blocker.GATE_CLOSED, at(SLOT))
    assert waiting.message == f"{TEXT} by window upgrade until 2026-11-24T05:00:00Z"


def test_another_reason_that_came_too_soon_to_be_written_is_written_when_a_minute_has_passed() -> None:
    """R41: what becomes of the slot will be told by it."""
    held = a_status(waiting=a_wait())
    plan = a_gated_look(CLOSED, build=a_build(status=held), now="2026-11-24T02:30:20", written="2026-11-24T02:30:00")
    assert memory(plan).waiting == a_wait()
    assert plan.wake.steady == at("2026-11-24T02:31:00")


def test_a_gate_that_has_opened_too_soon_to_be_written_is_no_reason_when_a_minute_has_passed() -> None:
    child = an_app_server(slot="2026-11-23T02:30:00")
    status = a_status(waiting=a_wait(reason=Blocker.GATE_CLOSED, message=TEXT), runs=[a_run(child)])
    look = partial(a_look, a_build(status=status), children=[child], pods=[a_pod(child)], written="2026-11-24T02:30:00")
    plan = look("2026-11-24T02:30:20")
    assert (memory(plan).waiting, plan.wake.steady) == (status.waiting, at("2026-11-24T02:31:00"))
    later = memory(look("2026-11-24T02:31:00")).waiting
    assert later is not None
    assert (later.reason, later.message) == (Blocker.BUILD_IN_PROGRESS, "")


def test_nothing_is_written_while_nothing_changes() -> None:
    held = a_look(a_build(status=a_status()), SLOT, gates=Gates(known=(CLOSED,)))
    assert held.status is not None
    assert a_gated_look(CLOSED, build=a_build(status=held.status), now=WINDOW_BEGIN).status is None


def test_a_long_reason_is_cut_to_what_status_holds() -> None:
    gate = replace(CLOSED, spec=replace(CLOSED.spec, reason="x" * 2_000))
    waiting = memory(a_gated_look(gate)).waiting
    assert waiting is not None
    assert len(waiting.message) == LONGEST_MESSAGE


def test_what_waited_starts_when_the_gate_opens_or_goes() -> None:
    held = a_build(status=a_status(waiting=a_wait(reason=Blocker.GATE_CLOSED, message=TEXT)))
    for gates in ((a_gate(),), ()):
        assert created(a_gated_look(*gates, build=held, now=WINDOW_END)) == ("nightly-20261124-023000-1",)


def test_after_a_closing_only_the_newest_slot_starts_and_the_others_say_why_they_did_not() -> None:
    """R13: as with other blockers, and the Event names the gate."""
    held = a_pattern_build(waiting=a_wait(slot=ONE, reason=Blocker.GATE_CLOSED, message=TEXT))
    plan = a_look(held, TWO, gates=Gates(known=(CLOSED,)))
    after = memory(plan)
    told_by = [(entry.slot, entry.reason, entry.message) for entry in after.ledger[:1]]
    assert told_by == [(at(ONE), Fate.GATE_CLOSED, TEXT)]
    assert after.waiting == a_wait(slot=TWO, reason=Blocker.GATE_CLOSED, message=TEXT)
    (event,) = plan.events
    assert event.note == f"The build due at 2026-11-24T01:00:00Z was skipped: GateClosed, {TEXT}"


def test_a_slot_that_waits_past_its_deadline_says_which_gate_it_waited_for() -> None:
    nightly = a_pattern_build(waiting=a_wait(slot=ONE, reason=Blocker.ROLLOUT_IMMINENT, message=TEXT))
    starting = replace(nightly.spec.starting, deadline=timedelta(minutes=10))
    late = replace(nightly, spec=replace(nightly.spec, starting=starting))
    plan = a_look(late, "2026-11-24T01:10:01", gates=Gates(known=(CLOSED,)))
    assert (memory(plan).ledger[0].reason, memory(plan).ledger[0].message) == (Fate.ROLLOUT_IMMINENT, TEXT)
    assert plan.events[0].note.endswith(f"skipped: RolloutImminent, {TEXT}")


def test_gates_are_asked_before_what_is_in_progress() -> None:
    """R14."""
    child = an_app_server(slot="2026-11-23T02:30:00")
    status = replace(a_status(), runs=(a_run(child),))
    plan = a_look(a_build(status=status), SLOT, children=[child], pods=[a_pod(child)], gates=Gates(known=(CLOSED,)))
    waiting = memory(plan).waiting
    assert waiting is not None
    assert waiting.reason == Blocker.GATE_CLOSED


def test_the_breaker_is_asked_before_gates() -> None:
    """R14."""
    failed = AppServerStatus(state=State.CONFIGURATION_FAILED, finished_at=at(PREVIOUS), result=a_result())
    child = an_app_server(slot=PREVIOUS, status=failed)
    spec = a_spec(breaker=Breaker(failures=1, probe_after=timedelta(days=2)))
    after = memory(a_look(a_build(spec=spec, status=a_status(runs=[a_run(child)])), PREVIOUS, children=[child]))
    plan = a_look(a_build(spec=spec, status=after), SLOT, children=[child], gates=Gates(known=(CLOSED,)))
    assert memory(plan).waiting == a_wait(reason=Blocker.BREAKER_OPEN)


def test_a_build_is_not_replaced_for_a_slot_that_a_gate_holds_back() -> None:
    """R16."""
    child = an_app_server(slot="2026-11-23T02:30:00")
    build = a_build(
        spec=a_spec(concurrency=ConcurrencyPolicy.REPLACE), status=replace(a_status(), runs=(a_run(child),))
    )
    plan = a_look(build, SLOT, children=[child], pods=[a_pod(child)], gates=Gates(known=(CLOSED,)))
    assert [run.replaced_by for run in memory(plan).runs] == [None]


def test_what_has_started_is_recorded_whatever_gates_say() -> None:
    """R22, R32."""
    plan = a_look(a_build(status=a_status()), SLOT, children=[an_app_server()], gates=Gates(known=(CLOSED,)))
    assert memory(plan).ledger[0].reason == Fate.DUE
    assert [run.id for run in memory(plan).runs] == ["20261124-023000"]


def test_a_retry_asks_no_gate() -> None:
    """R18, R32."""
    status = AppServerStatus(state=State.CONFIGURATION_FAILED, finished_at=at(PREVIOUS), result=a_result())
    child = an_app_server(slot=PREVIOUS, status=status)
    run = a_run(child, next_attempt="2026-11-23T02:40:00")
    build = a_build(spec=a_spec(retries=some_retries(limit=2)), status=a_status(runs=[run]))
    plan = a_look(build, "2026-11-23T02:40:00", children=[child], gates=Gates(known=(CLOSED,)))
    assert created(plan) == ("nightly-20261123-023000-2",)


def test_a_recovery_asks_no_gate() -> None:
    """R30, R32."""
    lost = AppServerStatus(state=State.TERMINATED, finished_at=at(SLOT), terminated_at=at(SLOT))
    child = an_app_server(slot="2026-11-23T02:30:00", status=lost)
    plan = a_look(a_build(status=a_status()), "2026-11-24T02:29:00", children=[child], gates=Gates(known=(CLOSED,)))
    (create,) = (one for one in plan.first if isinstance(one, CreateAppServer))
    assert create.trigger == Trigger.RECOVERY


def test_a_run_by_hand_waits_for_gates_too() -> None:
    """R26: it is admitted when they open."""
    child = an_app_server(token=REQUEST)
    build = a_build(run_now=REQUEST, status=a_status())
    held = a_look(build, "2026-11-24T02:00:00", children=[child], gates=Gates(known=(AHEAD,)))
    assert memory(held).runs == ()
    assert held.wake.wall == at(SLOT)
    after = a_look(build, "2026-11-24T02:00:00", children=[child], gates=Gates(known=(a_gate(),)))
    assert [run.trigger for run in memory(after).runs] == [Trigger.MANUAL]


def test_a_run_by_hand_says_which_gate_it_waits_for() -> None:
    child = an_app_server(token=REQUEST, state=State.NEW)
    plan = an_attempt_look(child, parent=a_build(status=a_status()), gates=Gates(known=(CLOSED,)))
    assert plan.status is not None
    assert plan.status.message == f"waits for its turn: {TEXT}"


NAMED = {
    "until a window begins": ("2026-11-24T02:00:00", f"{TEXT.removesuffix('is closed')}closes at", WINDOW_BEGIN),
    "until it ends": (WINDOW_BEGIN, f"{TEXT} by window upgrade until", WINDOW_END),
    "and then no more": (WINDOW_END, "another build of this PeriodicBuild is in progress", None),
}


@pytest.mark.parametrize(("now", "why", "wake"), NAMED.values(), ids=list(NAMED))
def test_a_run_by_hand_names_another_gate_when_time_comes(now: str, why: str, wake: str | None) -> None:
    old = AppServerStatus(state=State.NEW, message="waits for its turn: something of old")
    child = an_app_server(token=REQUEST, status=old)
    plan = an_attempt_look(child, now, parent=a_build(status=a_status()), gates=Gates(known=(AHEAD,)))
    assert plan.status is not None
    assert plan.status.message.startswith(f"waits for its turn: {why}")
    assert plan.wake == Wake(wall=at_if_any(wake))
    told = replace(child, status=plan.status)
    again = an_attempt_look(told, now, parent=a_build(status=a_status()), gates=Gates(known=(AHEAD,)))
    assert again == AppServerPlan(wake=plan.wake), "once it is said, it still wakes"


@pytest.mark.parametrize("attempt", [an_app_server(), an_app_server(token=REQUEST)], ids=["of a slot", "by hand"])
def test_a_run_that_has_started_goes_on_whatever_gates_say(attempt: AppServer) -> None:
    """R32."""
    assert an_attempt_look(attempt, gates=Gates(known=(CLOSED,))) == AppServerPlan(
        first=(CreatePod(app_server=attempt),)
    )


def test_an_annotation_lets_one_build_pass_the_gates_it_names_and_the_ledger_says_so() -> None:
    """R32."""
    gates = Gates(known=(CLOSED, a_gate("audit", closed=True)))
    build = a_build(status=a_status(), overrides=["rollout", "audit", "gone"])
    plan = a_look(build, SLOT, gates=gates)
    (create,) = (one for one in plan.first if isinstance(one, CreateAppServer))
    assert create.overridden == ("audit", "rollout")
    started = replace(an_app_server(), overridden=create.overridden)
    after = a_look(build, SLOT, children=[started], gates=gates)
    (entry,) = memory(after).ledger[:1]
    assert (entry.reason, entry.message) == (Fate.GATE_OVERRIDDEN, "in spite of gate audit and gate rollout")
    assert after.events[0].note.endswith("nightly-20261124-023000-1, in spite of gate audit and gate rollout")


def test_an_annotation_that_names_one_of_two_gates_waits_for_the_other() -> None:
    gates = Gates(known=(CLOSED, a_gate("audit", closed=True)))
    waiting = memory(a_look(a_build(status=a_status(), overrides=["audit"]), SLOT, gates=gates)).waiting
    assert waiting is not None
    assert waiting.message == TEXT


def test_an_annotation_that_names_an_open_gate_is_no_override() -> None:
    (create,) = a_look(a_build(status=a_status(), overrides=["rollout"]), SLOT, gates=Gates(known=(a_gate(),))).first
    assert isinstance(create, CreateAppServer)
    assert create.overridden == ()


def test_a_run_by_hand_says_which_gate_it_was_started_in_spite_of() -> None:
    child = an_app_server(token=REQUEST)
    build = a_build(run_now=REQUEST, status=a_status(), overrides=["rollout"])
    plan = a_look(build, "2026-11-24T02:00:00", children=[child], gates=Gates(known=(CLOSED,)))
    assert "BuildStarted" in told(plan)
    assert plan.events[0].note.endswith("in spite of gate rollout")


def test_a_switch_of_the_service_asks_no_gate() -> None:
    """R28, R32: the look owes the reading of the Service, whatever gates say."""
    up = an_app_server(slot="2026-11-23T02:30:00", state=State.RUNNING)
    spec = a_spec(activation=ActivationPolicy(service_name="openedx", fallback_for=timedelta(hours=1)))
    build = a_build(spec=spec, status=a_status())
    free = a_look(build, "2026-11-24T02:00:00", children=[up])
    gated = a_look(build, "2026-11-24T02:00:00", children=[up], gates=Gates(known=(CLOSED,)))
    assert gated.first == free.first
    assert gated.status == free.status
