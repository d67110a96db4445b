"""AppServers that a person made, and manual runs whose record was lost (R26, R44, design 2.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import (
    a_build,
    a_pod,
    a_run,
    a_schedule_status,
    an_app_server,
    at,
    by_hand,
)
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_refusal, a_status, memory

from periodicbuild.core.facts import AppServer, AppServerStatus
from periodicbuild.core.plans import AdoptAppServer
from periodicbuild.core.reasons import State
from periodicbuild.core.status import BuildStatus

BEFORE_DUE = "2026-11-24T01:00:00"
LATER = "2026-11-24T03:00:00"
REQUESTED = an_app_server(token=REQUEST, created=BEFORE_DUE)
ANOTHER = by_hand(name="another")


def completion(of: AppServer, *, epoch: int = 1) -> AdoptAppServer:
    spec = a_build().spec
    return AdoptAppServer(
        app_server=of,
        epoch=epoch,
        succeed_when=spec.succeed_when,
        timeouts=spec.timeouts,
        template=spec.template,
    )


def test_an_app_server_made_by_hand_is_completed() -> None:
    """R26, design 2.2: from the PeriodicBuild as it is now."""
    build = a_build(status=a_status(schedule=a_schedule_status(epoch=3, anchor=PREVIOUS, cursor=PREVIOUS)))
    assert a_look(build, BEFORE_DUE, strangers=[by_hand()]).first == (completion(by_hand(), epoch=3),)


LEFT_ALONE = {
    "one that is complete: an orphan": replace(by_hand(), run="try-it"),
    "one that is being deleted": replace(by_hand(), is_deleting=True),
}


@pytest.mark.parametrize("stranger", LEFT_ALONE.values(), ids=list(LEFT_ALONE))
def test_the_operator_leaves_alone(stranger: AppServer) -> None:
    """Design 2.2: only that one."""
    plan = a_look(a_build(status=a_status()), BEFORE_DUE, strangers=[stranger, ANOTHER])
    assert plan.first == (completion(ANOTHER),)


def test_a_refused_completion_is_tried_again_after_its_back_off() -> None:
    """It holds no other back."""
    build = a_build(status=a_status())
    refusal = a_refusal("try-it", retry=LATER)
    strangers = [by_hand(), ANOTHER]
    before = a_look(build, BEFORE_DUE, strangers=strangers, refusals=[refusal])
    assert (before.first, before.wake.steady) == ((completion(ANOTHER),), at(LATER))
    assert a_look(build, LATER, strangers=strangers, refusals=[refusal]).first == tuple(map(completion, strangers))


def test_a_completed_one_is_a_manual_run_under_its_own_name() -> None:
    """Design 2.2."""
    child = an_app_server(slot=None, run="try-it", name="try-it", created=BEFORE_DUE)
    assert memory(a_look(a_build(status=a_status()), BEFORE_DUE, children=[child])).runs == (a_run(child),)


def test_a_manual_run_whose_record_was_lost_goes_on() -> None:
    """R44: its pod is there, so it had its turn."""
    child = replace(REQUESTED, status=AppServerStatus(state=State.CONFIGURING_SERVER))
    plan = a_look(a_build(status=a_status()), BEFORE_DUE, children=[child], pods=[a_pod(child)])
    assert (memory(plan).runs, plan.has_started) == ((a_run(child),), False)


KNOWN_OR_OVER = {
    "known already": (REQUESTED, a_status(runs=[a_run(REQUESTED)])),
    "over": (replace(REQUESTED, status=AppServerStatus(state=State.ERROR)), a_status()),
    "cancelled": (replace(REQUESTED, cancelled=True), a_status()),
    "being deleted": (replace(REQUESTED, is_deleting=True), a_status()),
}


@pytest.mark.parametrize(("child", "status"), KNOWN_OR_OVER.values(), ids=list(KNOWN_OR_OVER))
def test_a_manual_run_with_a_pod_is_not_taken_up_again_when_it_is(child: AppServer, status: BuildStatus) -> None:
    plan = a_look(a_build(status=status), BEFORE_DUE, children=[child], pods=[a_pod(child)])
    assert memory(plan).runs == status.runs
