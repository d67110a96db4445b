"""A pod of ours that belongs to nobody goes, but not before it has looked so for the whole of a grace (R22)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.builders import a_now, a_pod, an_app_server

from periodicbuild.core.facts import AppServer, Pod
from periodicbuild.core.plans import DeletePod
from periodicbuild.core.strays import AT_ONCE, Claim, holds_back, is_stray, plan_sweep, removal_of, told_of

SERVER = an_app_server()
NOW = a_now("2026-11-24T03:00:00")
JUST_BEFORE = a_now("2026-11-24T03:01:59")
GRACE_OVER = a_now("2026-11-24T03:02:00")
CUT = a_pod(SERVER, controller_uid=None)
RESTORED = a_pod(SERVER, controller_uid="of-before-the-restore")

BELONGING: dict[str, tuple[Pod, AppServer | None, bool]] = {
    "the pod of an AppServer": (a_pod(SERVER), SERVER, False),
    "its AppServer is gone": (a_pod(SERVER), None, True),
    "its AppServer has another uid": (RESTORED, SERVER, True),
    "nothing controls it, and its AppServer is gone": (CUT, None, True),
    "nothing controls it: that its AppServer is there does not matter": (CUT, SERVER, True),
    "it is not ours: something else controls it, or labels are missing": (a_pod(SERVER, is_ours=False), None, False),
    "it is gone itself": (a_pod(SERVER, is_gone=True), None, False),
}


@pytest.mark.parametrize(("pod", "app_server", "expected"), BELONGING.values(), ids=BELONGING)
def test_a_pod_of_ours_belongs_to_the_app_server_whose_uid_controls_it_or_to_nobody(
    pod: Pod, app_server: AppServer | None, *, expected: bool
) -> None:
    assert is_stray(pod, app_server) is expected


@pytest.mark.parametrize(
    ("phase", "expected"),
    [("Pending", True), ("Running", True), ("Unknown", True), ("Succeeded", False), ("Failed", False)],
)
def test_a_stray_holds_builds_back_until_it_has_ended(phase: str, *, expected: bool) -> None:
    assert holds_back(a_pod(SERVER, phase=phase), None) is expected


def test_a_pod_that_belongs_to_its_app_server_is_none_that_holds_back_as_a_stray() -> None:
    assert not holds_back(a_pod(SERVER, phase="Running"), SERVER)


def test_a_stray_is_due_when_it_has_looked_so_for_the_whole_of_a_grace() -> None:
    first = plan_sweep([CUT], {}, NOW)
    assert first.due == ()
    assert plan_sweep([CUT], first.since, JUST_BEFORE).due == ()
    assert plan_sweep([CUT], first.since, GRACE_OVER).due == (CUT,)


def test_the_grace_is_one_of_the_steady_clock() -> None:
    first = plan_sweep([CUT], {}, NOW)
    stepped = a_now("2026-11-25T03:00:00", steady=JUST_BEFORE.steady)
    assert plan_sweep([CUT], first.since, stepped).due == ()


def test_one_that_has_found_its_app_server_meanwhile_begins_anew() -> None:
    first = plan_sweep([CUT], {}, NOW)
    between = plan_sweep([], first.since, JUST_BEFORE)
    assert between.since == {}
    assert plan_sweep([CUT], between.since, GRACE_OVER).due == ()


def test_one_that_was_given_another_controller_begins_anew() -> None:
    first = plan_sweep([CUT], {}, NOW)
    assert plan_sweep([RESTORED], first.since, GRACE_OVER).due == ()


def test_one_that_could_not_be_removed_has_its_next_turn_after_another_grace() -> None:
    tried = plan_sweep([CUT], plan_sweep([CUT], {}, NOW).since, GRACE_OVER)
    soon = a_now("2026-11-24T03:03:59")
    assert plan_sweep([CUT], tried.since, soon).due == ()
    assert plan_sweep([CUT], tried.since, a_now("2026-11-24T03:04:00")).due == (CUT,)


def test_one_that_goes_already_is_left_to_its_grace_period() -> None:
    going = a_pod(SERVER, controller_uid=None, is_deleting=True)
    assert plan_sweep([going], plan_sweep([going], {}, NOW).since, GRACE_OVER).due == ()


def test_few_go_at_once_and_those_that_have_been_strays_for_longest_go_first() -> None:
    pods = [a_pod(SERVER, name=f"left-{number}", uid=f"{number}", controller_uid=None) for number in range(AT_ONCE + 2)]
    since: dict[Claim, datetime] = {
        (pod.ref.uid, None): NOW.steady - timedelta(seconds=int(pod.ref.uid)) for pod in pods
    }

    plan = plan_sweep(pods, since, GRACE_OVER)

    assert list(plan.due) == pods[:1:-1]
    assert plan_sweep(pods[:2], plan.since, GRACE_OVER).due == (pods[1], pods[0])


def test_it_is_removed_in_the_version_that_was_judged() -> None:
    assert removal_of(CUT) == DeletePod(name=CUT.ref.name, uid=CUT.ref.uid, version="300")


def test_the_event_names_what_it_belonged_to_and_is_the_same_whenever_it_is_told() -> None:
    cut, restored = told_of(CUT), told_of(RESTORED)
    assert (cut.regarding, cut.type, cut.reason, cut.key) == (CUT.ref, "Warning", "StrayPodRemoved", "")
    assert cut.action == "RemovePod"
    assert cut.note == (
        "The pod was removed: by its labels it is of AppServer nightly-20261124-023000-1 of PeriodicBuild nightly,"
        " but nothing controls it any more"
    )
    assert restored.note.endswith("but the one that controls it is gone")
