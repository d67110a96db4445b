"""What keeps a due slot from starting, and when that is worth a write (R10, R14, R15, R16, R17, R41)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_build, a_pod, a_run, an_app_server, an_entry, at
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_refusal, a_status, a_wait, created, memory

from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
from periodicbuild.core.plans import ConfirmAbsence, Refused
from periodicbuild.core.reasons import Blocker, Fate, State
from periodicbuild.core.status import Slots, Waiting

NAME = "nightly-20261124-023000-1"
JUST_UNDER_30_S_LATE = "2026-11-24T02:30:29.900000"
HALF_A_MINUTE_LATE = "2026-11-24T02:30:30"
A_MINUTE_LATE = "2026-11-24T02:31:00"
OVER_A_MINUTE_LATE = "2026-11-24T02:31:01"
LATER = "2026-11-24T03:00:00"
A_DAY_LATE = "2026-11-25T02:30:00"
"""An interval has no deadline; in line it stands as if it had this one."""


def previous(state: State | None = None, *, cancelled: bool = False, is_deleting: bool = False) -> AppServer:
    return an_app_server(slot=PREVIOUS, state=state, cancelled=cancelled, is_deleting=is_deleting)


FAILED = previous(State.ERROR)
CANCELLED = previous(State.CANCELLED, cancelled=True)
UNFINISHED = previous(State.CONFIGURING_SERVER)
DELETING = previous(State.NEW, is_deleting=True)
DELETING_FAILED = previous(State.ERROR, is_deleting=True)
RUNNING = previous(State.RUNNING)

BUSY = {
    "an unfinished attempt whose pod is there": (UNFINISHED, a_pod(UNFINISHED)),
    "a failed attempt whose pod is still there": (FAILED, a_pod(FAILED, is_deleting=True)),
    "a cancelled attempt whose pod is still there": (CANCELLED, a_pod(CANCELLED, is_deleting=True)),
    "an unfinished attempt that is being deleted": (DELETING, None),
}
FREE = {
    "a server that runs": (RUNNING, a_pod(RUNNING, is_ready=True)),
    "a failed attempt whose pod is gone": (FAILED, None),
    "a cancelled attempt whose pod is gone": (CANCELLED, None),
    "a failed attempt that is being deleted": (DELETING_FAILED, None),
}


@pytest.mark.parametrize(("child", "pod"), BUSY.values(), ids=list(BUSY))
def test_a_slot_waits_behind(child: AppServer, pod: Pod | None) -> None:
    """R16 Forbid, R17: and the wait is written at once."""
    plan = a_look(a_build(status=a_status()), SLOT, children=[child], pods=[pod] if pod else [])
    after = memory(plan)
    assert (after.waiting, after.slots) == (a_wait(), Slots(due=2, started=1))
    assert (plan.first, plan.unwritten, plan.is_in_progress) == ((), None, True)


@pytest.mark.parametrize(("child", "pod"), FREE.values(), ids=list(FREE))
def test_a_slot_does_not_wait_behind(child: AppServer, pod: Pod | None) -> None:
    """R17: nor does it hold a place in the pool."""
    pods = [pod] if pod else []
    assert created(a_look(a_build(status=a_status()), SLOT, children=[child], pods=pods)) == (NAME,)
    assert not a_look(a_build(status=a_status()), PREVIOUS, children=[child], pods=pods).is_in_progress


def test_a_slot_waits_behind_a_run_in_progress() -> None:
    """R17: in New, too, once its run is in `runs`."""
    build = a_build(status=a_status(runs=[a_run(previous())]))
    assert memory(a_look(build, SLOT, children=[previous()])).waiting == a_wait()


def test_a_slot_waits_behind_the_pods_of_an_app_server_that_is_gone() -> None:
    """R17: the garbage collector is about to take them."""
    assert memory(a_look(a_build(status=a_status()), SLOT, has_stray_pods=True)).waiting == a_wait()


def test_a_slot_does_not_wait_behind_a_run_between_attempts() -> None:
    """R17, R21: it is given up in the look that records the start."""
    build = a_build(status=a_status(runs=[a_run(FAILED, next_attempt=LATER)]))
    assert created(a_look(build, SLOT, children=[FAILED])) == (NAME,)


def test_a_waiting_slot_starts_as_soon_as_nothing_blocks() -> None:
    """R14."""
    assert created(a_look(a_build(status=a_status(waiting=a_wait())), LATER)) == (NAME,)


REFUSALS = {
    Refused.FORBIDDEN: Blocker.FORBIDDEN,
    Refused.INVALID: Blocker.INVALID,
    Refused.QUOTA_EXCEEDED: Blocker.FORBIDDEN,
    Refused.NAME_STILL_IN_USE: Blocker.NAME_STILL_IN_USE,
    Refused.NAMESPACE_TERMINATING: Blocker.API_ERROR,
    Refused.API_ERROR: Blocker.API_ERROR,
}


@pytest.mark.parametrize(("kind", "blocker"), REFUSALS.items())
def test_a_refused_start_waits_for_its_back_off(kind: Refused, blocker: Blocker) -> None:
    """R14, R41: it is remembered, and written only after 30 s."""
    plan = a_look(a_build(status=a_status()), SLOT, refusals=[a_refusal(NAME, kind, retry=LATER)])
    assert (plan.first, plan.unwritten) == ((), a_wait(reason=blocker))
    assert memory(plan) == a_status()
    assert (plan.wake.wall, plan.wake.steady) == (at(HALF_A_MINUTE_LATE), at(LATER))


def test_a_refused_start_is_tried_again_after_its_back_off() -> None:
    """R14."""
    plan = a_look(a_build(status=a_status()), SLOT, refusals=[a_refusal(NAME, retry=SLOT)])
    assert created(plan) == (NAME,)


def test_a_slot_that_may_not_start_yet_waits_for_the_start_rate() -> None:
    """R15, R41."""
    plan = a_look(a_build(status=a_status()), SLOT, may_start=False)
    assert (plan.first, plan.unwritten) == ((), a_wait(reason=Blocker.START_RATE))
    assert plan.start_by == at(A_DAY_LATE)


def test_a_slot_waits_for_a_place_among_the_builds_that_may_run_at_once() -> None:
    """R15, R41."""
    plan = a_look(a_build(status=a_status()), SLOT, has_place=False)
    assert (plan.first, plan.unwritten) == ((), a_wait(reason=Blocker.POOL_FULL))
    assert plan.start_by == at(A_DAY_LATE)


REFUSED = a_refusal(NAME, retry=LATER)

ORDER = {
    "in progress before all": (True, True, False, Blocker.BUILD_IN_PROGRESS),
    "a refusal before the pool": (False, True, False, Blocker.API_ERROR),
    "the pool before the start rate": (False, False, False, Blocker.POOL_FULL),
    "the start rate last": (False, False, True, Blocker.START_RATE),
}


@pytest.mark.parametrize(("is_busy", "is_refused", "has_place", "blocker"), ORDER.values(), ids=list(ORDER))
def test_the_first_blocker_in_order_is_the_reason_shown(
    is_busy: bool,  # noqa: FBT001 - columns
    is_refused: bool,  # noqa: FBT001
    has_place: bool,  # noqa: FBT001
    blocker: Blocker,
) -> None:
    """R14."""
    plan = a_look(
        a_build(status=a_status(waiting=a_wait(reason=Blocker.FORBIDDEN))),
        SLOT,
        has_stray_pods=is_busy,
        refusals=[REFUSED] if is_refused else [],
        has_place=has_place,
        may_start=False,
    )
    assert memory(plan).waiting == a_wait(reason=blocker)
    assert (plan.start_by is not None) == (blocker in {Blocker.POOL_FULL, Blocker.START_RATE})


SINCE_SLOT = a_wait(reason=Blocker.API_ERROR)
OF_ANOTHER_SLOT = a_wait(PREVIOUS, reason=Blocker.API_ERROR)

UNWRITTEN = {
    "not before 30 s": (SINCE_SLOT, JUST_UNDER_30_S_LATE, None, SINCE_SLOT),
    "after 30 s, with its first look": (SINCE_SLOT, HALF_A_MINUTE_LATE, SINCE_SLOT, None),
    "the wait of another slot says nothing": (
        OF_ANOTHER_SLOT,
        HALF_A_MINUTE_LATE,
        None,
        a_wait(reason=Blocker.API_ERROR, since=HALF_A_MINUTE_LATE),
    ),
}


@pytest.mark.parametrize(("seen", "wall", "written", "unwritten"), UNWRITTEN.values(), ids=list(UNWRITTEN))
def test_a_passing_wait_is_written(
    seen: Waiting, wall: str, written: Waiting | None, unwritten: Waiting | None
) -> None:
    """R41."""
    plan = a_look(a_build(status=a_status()), wall, refusals=[REFUSED], unwritten=seen)
    assert (memory(plan).waiting, plan.unwritten) == (written, unwritten)


REWRITES = {
    "at once, when nothing was written lately": (None, Blocker.API_ERROR),
    "a minute after the last write": (SLOT, Blocker.API_ERROR),
    "not sooner": ("2026-11-24T02:30:01", Blocker.BUILD_IN_PROGRESS),
}


@pytest.mark.parametrize(("written", "shown"), REWRITES.values(), ids=list(REWRITES))
def test_a_mere_change_of_reason_is_written(written: str | None, shown: Blocker) -> None:
    """R41: at most once a minute; the slot waits since its first look all the same."""
    build = a_build(status=a_status(waiting=a_wait()))
    plan = a_look(build, A_MINUTE_LATE, refusals=[REFUSED], written=written)
    assert memory(plan).waiting == a_wait(reason=shown)


def test_an_unchanged_wait_is_not_written_again() -> None:
    """R41: what was written once leaves nothing to say."""
    status = a_look(a_build(status=a_status()), SLOT, has_stray_pods=True).status
    plan = a_look(a_build(status=status), LATER, has_stray_pods=True)
    assert (plan.status, plan.events) == (None, ())


TAKEN = a_refusal(NAME, Refused.NAME_COLLISION, retry=LATER)


def test_a_slot_whose_name_is_taken_by_someone_else_was_missed() -> None:
    """Design 2.4, R10."""
    after = memory(a_look(a_build(status=a_status(waiting=a_wait())), LATER, refusals=[TAKEN]))
    assert after.ledger[0] == an_entry(fate=Fate.NAME_COLLISION, decided=LATER)
    assert after.waiting is None


def test_a_slot_whose_name_is_taken_waits_while_a_build_is_in_progress() -> None:
    """R14: the first blocker is shown, and the other one may pass."""
    plan = a_look(a_build(status=a_status()), SLOT, refusals=[TAKEN], has_stray_pods=True)
    assert memory(plan).waiting == a_wait()


CAUGHT_UP = {
    "a first look in time": (None, None, A_MINUTE_LATE, Fate.DUE),
    "a first look over a minute late": (None, None, OVER_A_MINUTE_LATE, Fate.CAUGHT_UP),
    "a first look in time and a long wait": (a_wait(since=A_MINUTE_LATE), None, LATER, Fate.DUE),
    "a late first look and a wait": (a_wait(since=OVER_A_MINUTE_LATE), None, LATER, Fate.CAUGHT_UP),
    "a wait that was not written": (None, a_wait(since=A_MINUTE_LATE), LATER, Fate.DUE),
    "the wait of another slot": (None, a_wait(PREVIOUS, since=PREVIOUS), LATER, Fate.CAUGHT_UP),
}


@pytest.mark.parametrize(("waiting", "unwritten", "started", "fate"), CAUGHT_UP.values(), ids=list(CAUGHT_UP))
def test_a_start_is_called_due_or_caught_up_by_its_first_look(
    waiting: Waiting | None, unwritten: Waiting | None, started: str, fate: Fate
) -> None:
    """R10: not by how long it waited."""
    child = an_app_server(created=started)
    build = a_build(status=a_status(waiting=waiting))
    plan = a_look(build, started, children=[child], unwritten=unwritten)
    assert memory(plan).ledger[0] == an_entry(fate=fate, decided=started)
    assert plan.unwritten is None


def test_the_reasons_of_a_wait_are_kept_apart_from_its_slot() -> None:
    """R41: a start rate that frees up starts the slot that waited for something else."""
    waiting = replace(a_wait(reason=Blocker.START_RATE), since_at=at(A_MINUTE_LATE))
    assert created(a_look(a_build(status=a_status(waiting=waiting)), LATER)) == (NAME,)


UNANSWERED = a_refusal(NAME, Refused.UNANSWERED, retry=LATER)
ENDINGS = {
    "it is time to try again": a_build(status=a_status()),
    "the schedule was edited": a_build(every="1h", status=a_status()),
    "the schedule was turned off": a_build(enabled=False, status=a_status()),
    "its status was lost": a_build(),
    "another run was asked for": a_build(run_now=REQUEST, status=a_status()),
}


@pytest.mark.parametrize("build", ENDINGS.values(), ids=list(ENDINGS))
def test_a_create_that_was_never_answered_is_looked_for_before_anything_else(build: PeriodicBuild) -> None:
    """R22: its slot may have started, and then it can have no other fate."""
    plan = a_look(build, LATER, refusals=[UNANSWERED], unwritten=a_wait(reason=Blocker.API_ERROR))
    assert plan.first == (ConfirmAbsence(kind="AppServer", name=NAME, uid=None),)
    assert plan.status is None
    assert plan.unwritten == a_wait(reason=Blocker.API_ERROR)


def test_while_a_lost_create_is_looked_for_the_first_look_at_its_slot_is_remembered() -> None:
    """R10: an API that is away for an hour makes no build late that was seen in time."""
    build = a_build(status=a_status())
    first = a_look(build, A_MINUTE_LATE, refusals=[UNANSWERED])
    assert first.unwritten == a_wait(reason=Blocker.API_ERROR, since=A_MINUTE_LATE)
    again = a_look(build, LATER, refusals=[UNANSWERED], unwritten=first.unwritten)
    assert again.unwritten == first.unwritten
    waits = a_build(status=a_status(waiting=a_wait()))
    assert a_look(waits, LATER, refusals=[UNANSWERED]).unwritten is None
