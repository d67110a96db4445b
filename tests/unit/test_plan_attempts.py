"""One attempt under way: its pod, its stages, and what is worth a write (design 2.2, R19, R22, R26, R41, R43)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_build, a_container, a_pod, a_run, an_app_server, at, by_hand, some_timeouts
from tests.builders.looks import REQUEST, a_refusal, a_status, an_attempt_look

from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild, Pod
from periodicbuild.core.messages import LONGEST_MESSAGE
from periodicbuild.core.plans import AppServerPlan, ConfirmAbsence, CreatePod, Refusal, Refused, Seen, Wake
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import State

A_SECOND_LATER = "2026-11-24T02:30:01"
JUST_UNDER_2_S_LATER = "2026-11-24T02:30:01.900000"
TWO_SECONDS_LATER = "2026-11-24T02:30:02"
JUST_UNDER_30_S_LATER = "2026-11-24T02:30:29"
HALF_A_MINUTE_LATER = "2026-11-24T02:30:30"
FIVE_MINUTES_LATER = "2026-11-24T02:35:00"
AN_HOUR_LATER = "2026-11-24T03:30:00"
LONG_AFTER = "2026-11-24T09:00:00"
SOON = "2026-11-24T02:40:00"
NEW = an_app_server()
NOTHING = AppServerPlan()


def test_a_new_attempt_creates_its_pod() -> None:
    """R42: once its run is in the status of its PeriodicBuild."""
    assert an_attempt_look(NEW) == AppServerPlan(first=(CreatePod(app_server=NEW),))


LEFT_ALONE = {
    "it is being deleted": (replace(NEW, is_deleting=True), None),
    "its PeriodicBuild is being deleted": (NEW, a_build(is_deleting=True, status=a_status(runs=[a_run(NEW)]))),
    "its run is not recorded yet": (NEW, a_build(status=a_status())),
    "another attempt of its run is the newest": (
        NEW,
        a_build(status=a_status(runs=[a_run(an_app_server(attempt=2))])),
    ),
}


@pytest.mark.parametrize(("app_server", "parent"), LEFT_ALONE.values(), ids=list(LEFT_ALONE))
def test_nothing_is_done_for_an_attempt_if(app_server: AppServer, parent: PeriodicBuild | None) -> None:
    """R43, R42."""
    assert an_attempt_look(app_server, parent=parent) == NOTHING


def test_nothing_is_done_for_an_attempt_whose_owner_is_gone() -> None:
    """R43: it has no verdict, and no pod."""
    assert an_attempt_look(NEW, has_parent=False, pod=a_pod(phase="Failed")) == NOTHING


def test_a_complete_one_without_a_controller_is_an_orphan_and_left_alone() -> None:
    """Design 2.2: one Event."""
    orphan = replace(by_hand(), run="try-it")
    plan = an_attempt_look(orphan)
    assert replace(plan, events=()) == NOTHING
    (event,) = plan.events
    assert (event.regarding, event.type, event.reason, event.key) == (orphan.ref, "Warning", "Orphaned", "")
    assert event.note == "This AppServer has no controller, so nobody runs it; PeriodicBuild nightly will not adopt it"


def test_one_made_by_hand_for_nothing_says_so_once() -> None:
    """Design 2.2."""
    status = an_attempt_look(by_hand(), has_parent=False).status
    assert status == AppServerStatus(
        state=State.NEW,
        message="PeriodicBuild nightly does not exist in this namespace; create it, or delete this AppServer",
    )
    assert an_attempt_look(replace(by_hand(), status=status, has_status=True), has_parent=False) == NOTHING


def test_one_made_by_hand_waits_for_its_completion() -> None:
    """Design 2.2: by its PeriodicBuild."""
    assert an_attempt_look(by_hand(), parent=a_build()) == NOTHING


MANUAL = an_app_server(token=REQUEST)
WAITS_FOR_TURN = AppServerStatus(
    state=State.NEW, message="waits for its turn: another build of this PeriodicBuild is in progress"
)
LOST_ITS_RUN = replace(MANUAL, status=AppServerStatus(state=State.CONFIGURING_SERVER), has_status=True)
TURNS = {
    "it is remembered at first": (
        MANUAL,
        None,
        SLOT,
        AppServerPlan(seen=Seen(state=State.NEW, since_at=at(SLOT)), wake=Wake(steady=at(TWO_SECONDS_LATER))),
    ),
    "it is said after two seconds": (
        MANUAL,
        (State.NEW, SLOT),
        TWO_SECONDS_LATER,
        AppServerPlan(status=WAITS_FOR_TURN, seen=Seen(state=State.NEW, since_at=at(SLOT))),
    ),
    "it is New again, if its run was lost and its pod is gone": (
        LOST_ITS_RUN,
        (State.NEW, SLOT),
        TWO_SECONDS_LATER,
        AppServerPlan(status=WAITS_FOR_TURN, seen=Seen(state=State.NEW, since_at=at(SLOT))),
    ),
}


@pytest.mark.parametrize(("app_server", "seen", "steady", "plan"), TURNS.values(), ids=list(TURNS))
def test_while_a_manual_run_waits_for_its_turn(
    app_server: AppServer, seen: tuple[State, str] | None, steady: str, plan: AppServerPlan
) -> None:
    """R26, R41."""
    assert an_attempt_look(app_server, steady, parent=a_build(status=a_status()), seen=seen) == plan


NO = "exceeded quota"
FIRST_REFUSED = SLOT


def refused(kind: Refused, *, retry: str = SOON) -> Refusal:
    return a_refusal(NEW.ref.name, kind, retry=retry, since=FIRST_REFUSED, message=NO)


PASSING = [Refused.QUOTA_EXCEEDED, Refused.NAME_STILL_IN_USE, Refused.API_ERROR]


@pytest.mark.parametrize("kind", PASSING)
def test_a_refusal_that_may_pass_is_waited_for_in_silence(kind: Refused) -> None:
    """R19, R41: for 30 s."""
    plan = an_attempt_look(NEW, JUST_UNDER_30_S_LATER, refusal=refused(kind))
    assert plan == AppServerPlan(wake=Wake(steady=at(HALF_A_MINUTE_LATER)))


@pytest.mark.parametrize("kind", PASSING)
def test_a_refusal_that_lasts_is_said(kind: Refused) -> None:
    """R20, R41: with the first try, from which `timeouts.waiting` counts."""
    plan = an_attempt_look(NEW, HALF_A_MINUTE_LATER, refusal=refused(kind))
    assert plan.status == AppServerStatus(
        message=f"the pod is refused for now ({kind}): exceeded quota", pod_requested_at=at(FIRST_REFUSED)
    )


def test_after_a_refusal_was_said_only_the_back_off_and_the_time_out_are_waited_for() -> None:
    """R41."""
    refusal = refused(Refused.QUOTA_EXCEEDED)
    said = an_attempt_look(NEW, HALF_A_MINUTE_LATER, refusal=refusal)
    assert said.status is not None
    plan = an_attempt_look(replace(NEW, status=said.status, has_status=True), FIVE_MINUTES_LATER, refusal=refusal)
    assert plan == AppServerPlan(wake=Wake(steady=at(SOON)))


def test_a_refusal_too_long_for_the_api_is_cut() -> None:
    refusal = replace(refused(Refused.FORBIDDEN), message="x" * (LONGEST_MESSAGE + 1))
    status = an_attempt_look(NEW, SLOT, refusal=refusal).status
    assert status is not None
    assert status.message == "x" * 1021 + "..."


def test_a_refused_pod_is_tried_again_after_its_back_off() -> None:
    """R19."""
    plan = an_attempt_look(NEW, SOON, refusal=refused(Refused.QUOTA_EXCEEDED))
    assert plan == AppServerPlan(first=(CreatePod(app_server=NEW),))


def test_a_refused_pod_is_waited_for_no_longer_than_its_time_out() -> None:
    """R20."""
    plan = an_attempt_look(NEW, FIVE_MINUTES_LATER, refusal=refused(Refused.QUOTA_EXCEEDED, retry=LONG_AFTER))
    assert plan.wake.steady == at(AN_HOUR_LATER)


def test_at_its_time_out_a_pod_whose_create_was_not_answered_is_looked_for_first() -> None:
    """R17, R22: it may be there, and then the next build must not begin beside it."""
    unanswered = refused(Refused.API_ERROR)
    plan = an_attempt_look(NEW, AN_HOUR_LATER, refusal=unanswered)
    assert plan == AppServerPlan(first=(ConfirmAbsence(kind="Pod", name=NEW.ref.name, uid=""),))
    failed = an_attempt_look(NEW, AN_HOUR_LATER, refusal=unanswered, pod_is_absent=True).status
    assert failed is not None
    assert (failed.state, failed.result and failed.result.reason) == (State.ERROR, "ApiError")


TERMINATING = {
    "waits in silence": (SLOT, AppServerPlan(wake=Wake(steady=at(SOON)))),
    "is tried again after its back-off": (SOON, AppServerPlan(first=(CreatePod(app_server=NEW),))),
    "has no time-out": (AN_HOUR_LATER, AppServerPlan(first=(CreatePod(app_server=NEW),))),
}


@pytest.mark.parametrize(("steady", "plan"), TERMINATING.values(), ids=list(TERMINATING))
def test_a_pod_refused_because_its_namespace_goes(steady: str, plan: AppServerPlan) -> None:
    """R43."""
    assert an_attempt_look(NEW, steady, refusal=refused(Refused.NAMESPACE_TERMINATING)) == plan


PENDING = a_pod(phase="Pending", containers=[a_container(waiting_reason="ImagePullBackOff", waiting_message="no")])
RUNS = a_pod(image_digests=["sha256:1"])
OF_A_POD = AppServerStatus(pod=NEW.ref.name, pod_requested_at=at(SLOT), node="node-1")
WAITING = replace(OF_A_POD, state=State.WAITING_FOR_SERVER, message="container main: no")
CONFIGURING = replace(
    OF_A_POD,
    state=State.CONFIGURING_SERVER,
    message="waits until the pod is Ready",
    configuring_at=at(SLOT),
    image_digests=("sha256:1",),
)
WAITING_ENDS = AN_HOUR_LATER
CONFIGURING_ENDS = "2026-11-24T05:00:00"

STAGES = {
    "waiting": (PENDING, WAITING, WAITING_ENDS),
    "configuring": (RUNS, CONFIGURING, CONFIGURING_ENDS),
}


@pytest.mark.parametrize(("pod", "status", "ends"), STAGES.values(), ids=list(STAGES))
def test_a_stage_is_written_once_it_has_lasted(pod: Pod, status: AppServerStatus, ends: str) -> None:
    """Design 2.2, R41: often the end is known before."""
    seen = Seen(state=status.state, since_at=at(SLOT))
    first = an_attempt_look(NEW, SLOT, pod=pod)
    assert first == AppServerPlan(seen=seen, wake=Wake(steady=at(TWO_SECONDS_LATER)))
    before = an_attempt_look(NEW, JUST_UNDER_2_S_LATER, pod=pod, seen=(status.state, SLOT))
    assert before == first
    after = an_attempt_look(NEW, TWO_SECONDS_LATER, pod=pod, seen=(status.state, SLOT))
    assert after == AppServerPlan(status=status, seen=seen, wake=Wake(steady=at(ends)))
    written = replace(NEW, status=status, has_status=True)
    assert an_attempt_look(written, FIVE_MINUTES_LATER, pod=pod) == AppServerPlan(wake=Wake(steady=at(ends)))


UNDER_PRESSURE = [("02", "04"), ("04", "08"), ("08", "16"), ("16", "30"), ("29.9", "30")]


@pytest.mark.parametrize(("second", "then"), UNDER_PRESSURE)
def test_while_writes_stand_in_line_a_stage_has_to_last_longer(second: str, then: str) -> None:
    """R41, decision 0026: it is looked at again, ever less often, since the pressure may be gone before."""
    seen = Seen(state=State.CONFIGURING_SERVER, since_at=at(SLOT))
    at_work = (State.CONFIGURING_SERVER, SLOT)
    plan = an_attempt_look(NEW, f"2026-11-24T02:30:{second}", pod=RUNS, seen=at_work, is_pressed=True)
    assert plan == AppServerPlan(seen=seen, wake=Wake(steady=at(f"2026-11-24T02:30:{then}")))


def test_a_stage_is_written_under_pressure_after_half_a_minute() -> None:
    """R41, decision 0026: whoever looks sees that the build is at work."""
    at_work = (State.CONFIGURING_SERVER, SLOT)
    assert an_attempt_look(NEW, HALF_A_MINUTE_LATER, pod=RUNS, seen=at_work, is_pressed=True).status == CONFIGURING


def test_an_end_is_written_at_once_under_pressure() -> None:
    """R41: it is what the PeriodicBuild goes on with."""
    plan = an_attempt_look(NEW, pod=a_pod(phase="Running", is_ready=True), is_pressed=True)
    assert plan.status is not None
    assert plan.status.state == State.RUNNING


def test_a_stage_that_was_seen_before_another_begins_anew() -> None:
    """R41: what was seen of the wait says nothing of the configuring."""
    plan = an_attempt_look(NEW, TWO_SECONDS_LATER, pod=RUNS, seen=(State.WAITING_FOR_SERVER, SLOT))
    assert plan.seen == Seen(state=State.CONFIGURING_SERVER, since_at=at(TWO_SECONDS_LATER))
    assert plan.status is None


def test_another_cause_of_waiting_is_written_at_once() -> None:
    """R20, R41."""
    pod = a_pod(phase="Pending", unschedulable="0/3 nodes are available")
    written = replace(NEW, status=WAITING, has_status=True)
    plan = an_attempt_look(written, A_SECOND_LATER, pod=pod)
    assert plan.status == replace(WAITING, message="0/3 nodes are available")


def test_what_a_pod_says_beside_its_stage_is_not_worth_a_write_of_its_own() -> None:
    """R41: the end of the attempt writes it."""
    written = replace(NEW, status=CONFIGURING, has_status=True)
    pod = replace(RUNS, image_digests=("sha256:1", "sha256:2"))
    assert an_attempt_look(written, A_SECOND_LATER, pod=pod).status is None


def test_a_message_too_long_for_the_api_is_cut_before_it_is_compared() -> None:
    """R41: its stored self would never be equal to it."""
    pod = a_pod(phase="Pending", unschedulable="x" * (LONGEST_MESSAGE + 1))
    status = an_attempt_look(NEW, TWO_SECONDS_LATER, pod=pod, seen=(State.WAITING_FOR_SERVER, SLOT)).status
    assert status is not None
    assert status.message == "x" * 1021 + "..."
    with_news = replace(pod, image_digests=("sha256:1",))
    assert an_attempt_look(replace(NEW, status=status, has_status=True), A_SECOND_LATER, pod=with_news).status is None


def test_a_message_that_just_fits_is_kept() -> None:
    pod = a_pod(phase="Pending", unschedulable="x" * LONGEST_MESSAGE)
    status = an_attempt_look(NEW, TWO_SECONDS_LATER, pod=pod, seen=(State.WAITING_FOR_SERVER, SLOT)).status
    assert status is not None
    assert status.message == "x" * 1024


def test_a_build_waits_until_its_containers_have_completed() -> None:
    """Design 2.2."""
    build = replace(NEW, succeed_when=SucceedWhen.COMPLETED)
    plan = an_attempt_look(build, TWO_SECONDS_LATER, pod=RUNS, seen=(State.CONFIGURING_SERVER, SLOT))
    assert plan.status == replace(CONFIGURING, message="waits until the containers have completed")


def test_what_was_known_of_a_pod_is_kept_while_it_says_nothing_new() -> None:
    written = replace(NEW, status=replace(CONFIGURING, node="node-1", message="before"), has_status=True)
    plan = an_attempt_look(written, FIVE_MINUTES_LATER, pod=a_pod(node=None, created=FIVE_MINUTES_LATER))
    assert plan.status == CONFIGURING


def test_the_budget_of_the_run_wakes_an_attempt_before_its_stage_does() -> None:
    """R20."""
    written = replace(NEW, timeouts=some_timeouts(run="10m"), status=CONFIGURING, has_status=True)
    assert an_attempt_look(written, A_SECOND_LATER, pod=RUNS) == AppServerPlan(wake=Wake(steady=at(SOON)))


def test_a_pod_that_status_names_is_looked_for_before_it_is_missed() -> None:
    """R22: absence is a fact only after a live 404."""
    plan = an_attempt_look(replace(NEW, status=CONFIGURING, has_status=True), A_SECOND_LATER)
    assert plan == AppServerPlan(first=(ConfirmAbsence(kind="Pod", name=NEW.ref.name, uid=""),))
