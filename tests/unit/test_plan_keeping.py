"""Which pods run and which records stay (R29)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import SLOT, a_build, a_pod, a_run, a_spec, an_app_server, at
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status

from periodicbuild.core.facts import AppServer, AppServerStatus, Pod
from periodicbuild.core.plans import DeleteAppServer, DeletePod, ThenAction
from periodicbuild.core.reasons import State, Trigger

NOW = "2026-11-24T01:00:00"
DAY_BEFORE = "2026-11-22T02:30:00"
PREVIOUS_NOON = "2026-11-23T12:00:00"


def an_attempt(
    slot: str = PREVIOUS, state: State = State.RUNNING, *, attempt: int = 1, ended: str | None = None
) -> AppServer:
    """Give an attempt that ended with its slot, unless told otherwise."""
    status = AppServerStatus(state=state, finished_at=at(ended or slot) if state.is_finished else None)
    return an_app_server(slot=slot, attempt=attempt, status=status)


def removed(*children: AppServer, pods: tuple[Pod, ...] | None = None, now: str = NOW) -> tuple[ThenAction, ...]:
    """Give what a look removes, with pods under all children and a history without bounds."""
    build = a_build(spec=a_spec(history=(99, 99)), status=a_status())
    there = tuple(a_pod(child) for child in children) if pods is None else pods
    return a_look(build, NOW, steady=now, children=children, pods=there).then


def pod_of(child: AppServer) -> DeletePod:
    return DeletePod(name=child.ref.name, uid=f"pod-{child.ref.uid}")


OLD, NEW = an_attempt(DAY_BEFORE), an_attempt(PREVIOUS)
RETRIED = an_attempt(PREVIOUS, attempt=2)
RECOVERED = replace(an_attempt(PREVIOUS), trigger=Trigger.RECOVERY, slot=None, created_at=at("2026-11-23T12:00:00"))
TERMINATED = an_attempt(PREVIOUS, State.TERMINATED)
BUILT = an_attempt(DAY_BEFORE, State.COMPLETED)


def test_the_newest_success_runs_and_older_servers_are_removed() -> None:
    """R29."""
    assert removed(NEW, OLD) == (pod_of(OLD),)


def test_the_newest_is_told_by_its_slot_and_then_by_its_attempt() -> None:
    """R29."""
    assert removed(RETRIED, replace(NEW, run="another")) == (pod_of(NEW),)
    retried_late = replace(OLD, created_at=at(NOW))
    assert removed(NEW, retried_late) == (pod_of(OLD),)


def test_a_recovered_server_is_as_new_as_its_creation() -> None:
    """R29, R28: its slot is the instant of the loss."""
    assert removed(OLD, replace(RECOVERED, run="r-1")) == (pod_of(OLD),)


PODS_KEPT = {
    "the only server": ((NEW,), None),
    "an older server, while nothing newer runs": ((OLD, TERMINATED), (a_pod(OLD),)),
    "what is not a server": ((NEW, BUILT), None),
    "a server that is being deleted": ((NEW, replace(OLD, is_deleting=True)), None),
    "a pod that is being deleted": ((NEW, OLD), (a_pod(NEW), a_pod(OLD, is_deleting=True))),
    "a pod that is gone": ((NEW, OLD), (a_pod(NEW),)),
}


@pytest.mark.parametrize(("children", "pods"), PODS_KEPT.values(), ids=list(PODS_KEPT))
def test_nothing_is_done_to(children: tuple[AppServer, ...], pods: tuple[Pod, ...] | None) -> None:
    """R29."""
    assert removed(*children, pods=pods) == ()


MANUAL = replace(
    an_app_server(token=REQUEST, created=PREVIOUS),
    status=AppServerStatus(state=State.RUNNING, finished_at=at("2026-11-23T03:00:00")),
    has_status=True,
)
JUST_UNDER_48_H_LATER = "2026-11-25T02:59:59"
AFTER_48_H = "2026-11-25T03:00:00"


def test_a_manual_server_runs_for_48_hours() -> None:
    """R29: after it became Ready, beside the newest scheduled one, by the steady clock."""
    assert removed(NEW, MANUAL, now=JUST_UNDER_48_H_LATER) == ()
    assert removed(NEW, MANUAL, now=AFTER_48_H) == (pod_of(MANUAL),)


def test_the_end_of_a_manual_server_is_woken_for() -> None:
    build = a_build(status=a_status())
    assert a_look(build, NOW, children=[MANUAL], pods=[a_pod(MANUAL)]).wake.steady == at(AFTER_48_H)


def test_a_manual_server_without_a_time_counts_from_its_creation() -> None:
    unknown = replace(MANUAL, status=AppServerStatus(state=State.RUNNING))
    assert removed(unknown, now="2026-11-25T02:29:59") == ()
    assert removed(unknown, now="2026-11-25T02:30:00") == (pod_of(MANUAL),)


def test_a_manual_server_supersedes_no_scheduled_one() -> None:
    """R29: it is not activated by itself."""
    later = replace(MANUAL, created_at=at(NOW))
    assert removed(OLD, later) == ()


def day(n: int, state: State, *, attempt: int = 1) -> AppServer:
    """Give an attempt of the run of the n-th day before `PREVIOUS`."""
    slot = at(PREVIOUS) - timedelta(days=n)
    return an_attempt(slot.isoformat(), state, attempt=attempt)


DONE = [day(n, State.COMPLETED) for n in range(5)]
FAILED = [day(n, State.ERROR) for n in range(5)]
CANCELLED = [day(n, State.CANCELLED) for n in range(5)]
LOST = day(1, State.TERMINATED)
LIVE = day(0, State.CONFIGURING_SERVER)
FAILED_AGAIN = day(1, State.ERROR, attempt=2)
MIXED = [DONE[0], FAILED[1], DONE[2], FAILED[3], CANCELLED[4]]

HISTORIES = {
    "the newest successes": ((3, 1), DONE, DONE[3:]),
    "the newest failures": ((3, 2), FAILED, FAILED[2:]),
    "the newest cancelled, by the limit of failures": ((3, 2), CANCELLED, CANCELLED[2:]),
    "the newest success always": ((0, 0), DONE, DONE[1:]),
    "the newest failure always": ((0, 0), FAILED, FAILED[1:]),
    "no cancelled one, if the limit says so": ((0, 0), CANCELLED, CANCELLED),
    "each kind by itself": ((1, 1), MIXED, [DONE[2], FAILED[3]]),
    "a server that was terminated is a success": ((1, 1), [DONE[0], LOST], [LOST]),
    "all, within the limits": ((5, 5), DONE, []),
}


@pytest.mark.parametrize(("limits", "children", "pruned"), HISTORIES.values(), ids=list(HISTORIES))
def test_history_keeps(limits: tuple[int, int], children: list[AppServer], pruned: list[AppServer]) -> None:
    """R29: counted in runs that have ended, newest first, whatever the order of the list."""
    build = a_build(spec=a_spec(history=limits), status=a_status())
    plan = a_look(build, NOW, children=reversed(children))
    assert plan.then == tuple(DeleteAppServer(name=one.ref.name, uid=one.ref.uid) for one in pruned)


TWO_DAYS_AND_A_HALF = timedelta(days=2, hours=12)
AGED = {
    "older successes": (DONE, DONE[3:]),
    "older failures": (FAILED, FAILED[3:]),
    "older cancelled ones, even the last": (CANCELLED[3:], CANCELLED[3:]),
    "not the newest success, however old": ([DONE[4]], []),
    "not the newest failure, however old": ([FAILED[4]], []),
}


@pytest.mark.parametrize(("children", "pruned"), AGED.values(), ids=list(AGED))
def test_of_old_age_go(children: list[AppServer], pruned: list[AppServer]) -> None:
    """R29: within the limits."""
    build = a_build(spec=a_spec(history=(9, 9), max_age=TWO_DAYS_AND_A_HALF), status=a_status())
    plan = a_look(build, PREVIOUS_NOON, children=children)
    assert plan.then == tuple(DeleteAppServer(name=one.ref.name, uid=one.ref.uid) for one in pruned)


def test_what_will_be_too_old_is_looked_at_when_it_is() -> None:
    """R29: to the second, if nothing else happens."""
    build = a_build(spec=a_spec(history=(9, 9), max_age=TWO_DAYS_AND_A_HALF), status=a_status())
    until = at(PREVIOUS) - timedelta(days=2) + TWO_DAYS_AND_A_HALF
    assert a_look(build, PREVIOUS_NOON, children=DONE[:3]).wake.steady == until
    assert a_look(build, until, children=DONE[:3]).then == (
        DeleteAppServer(name=DONE[2].ref.name, uid=DONE[2].ref.uid),
    )
    assert a_look(build, until - timedelta(seconds=1), children=DONE[:3]).then == ()


def pruned(*children: AppServer, runs: tuple[AppServer, ...] = (), limits: tuple[int, int] = (1, 1)) -> set[str]:
    """Give the names of the records a look removes; `runs` are in progress."""
    build = a_build(spec=a_spec(history=limits), status=a_status(runs=[a_run(one, next_attempt=SLOT) for one in runs]))
    then = a_look(build, NOW, children=children).then
    return {action.name for action in then if isinstance(action, DeleteAppServer)}


def test_the_attempts_of_a_run_go_together() -> None:
    """R29: by the outcome of the last."""
    attempts = [day(1, State.ERROR, attempt=1), day(1, State.COMPLETED, attempt=2)]
    assert pruned(DONE[0], *attempts, limits=(1, 9)) == {one.ref.name for one in attempts}
    assert pruned(*attempts, DONE[2]) == {DONE[2].ref.name}


UNTOUCHED = {
    "a run in progress": ((DONE[0], FAILED[0], FAILED[1]), (FAILED[1],)),
    "a run with an unfinished attempt": ((FAILED[0], replace(LIVE, run=FAILED[1].run), FAILED_AGAIN), ()),
    "one that is not complete": ((DONE[0], replace(DONE[1], run=None)), ()),
    "one that is being deleted": ((DONE[0], replace(DONE[1], is_deleting=True)), ()),
}


@pytest.mark.parametrize(("children", "runs"), UNTOUCHED.values(), ids=list(UNTOUCHED))
def test_history_leaves_alone(children: tuple[AppServer, ...], runs: tuple[AppServer, ...]) -> None:
    """R29."""
    assert pruned(*children, runs=runs) == set()


def test_a_run_is_as_old_as_its_end() -> None:
    """R29: not as its slot."""
    late = an_attempt(DAY_BEFORE, State.COMPLETED, ended=NOW)
    assert pruned(late, DONE[0]) == {DONE[0].ref.name}


def test_a_run_without_an_end_is_as_old_as_its_creation() -> None:
    unknown = replace(DONE[1], status=AppServerStatus(state=State.COMPLETED))
    assert pruned(DONE[0], unknown) == {unknown.ref.name}


MANUAL_ONES = tuple(
    replace(MANUAL, run=f"m-{n}", ref=replace(MANUAL.ref, name=f"m-{n}", uid=f"uid-m-{n}")) for n in range(3)
)
ENDED_LATER = AppServerStatus(state=State.RUNNING, finished_at=at(NOW))


def test_the_record_of_a_server_that_is_meant_to_run_stays() -> None:
    """R29: its pod would go with it; older ones beyond the limits go."""
    later = tuple(replace(one, status=ENDED_LATER) for one in MANUAL_ONES)
    assert pruned(NEW, OLD, *later) == {OLD.ref.name}
    assert pruned(*MANUAL_ONES) == set()
