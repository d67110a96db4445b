"""A status whose `runs` were taken out by hand: what has a pod is under way and is taken up again (R44)."""

from __future__ import annotations

import pytest
from tests.builders import SLOT, a_build, a_pod, a_run, a_schedule_status, an_app_server, an_entry
from tests.builders.looks import REQUEST, a_look, a_status, memory, told

from periodicbuild.core.facts import AppServer
from periodicbuild.core.reasons import State

NEXT_DAY = "2026-11-24T12:00:00"
STARTED = a_status(ledger=[an_entry()], schedule=a_schedule_status(anchor=SLOT, cursor=SLOT))

UNDER_WAY = {
    "a first attempt whose slot has its fate": an_app_server(state=State.CONFIGURING_SERVER),
    "a later attempt": an_app_server(attempt=2, state=State.WAITING_FOR_SERVER),
    "a manual run": an_app_server(token=REQUEST, state=State.CONFIGURING_SERVER),
    "an attempt of an older epoch": an_app_server(epoch=0, state=State.CONFIGURING_SERVER),
}


@pytest.mark.parametrize("child", UNDER_WAY.values(), ids=list(UNDER_WAY))
def test_a_run_that_was_taken_out_of_runs_is_taken_up_again(child: AppServer) -> None:
    plan = a_look(a_build(status=STARTED), NEXT_DAY, children=[child], pods=[a_pod(child)])
    assert (memory(plan).runs, memory(plan).ledger) == ((a_run(child),), STARTED.ledger)
    assert told(plan) == ()


OVER = {
    "failed": an_app_server(state=State.CONFIGURATION_FAILED),
    "succeeded": an_app_server(state=State.RUNNING),
    "is being deleted": an_app_server(state=State.CONFIGURING_SERVER, is_deleting=True),
    "was cancelled": an_app_server(state=State.CONFIGURING_SERVER, cancelled=True),
}


@pytest.mark.parametrize("child", OVER.values(), ids=list(OVER))
def test_one_that_is_over_is_history(child: AppServer) -> None:
    plan = a_look(a_build(status=STARTED), NEXT_DAY, children=[child], pods=[a_pod(child)])
    assert memory(plan).runs == ()


def test_one_without_a_pod_has_not_begun() -> None:
    child = an_app_server(attempt=2, state=State.WAITING_FOR_SERVER)
    plan = a_look(a_build(status=STARTED), NEXT_DAY, children=[child])
    assert memory(plan).runs == ()
