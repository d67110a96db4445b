"""What waits for the API's permission, and says so: names still in use, quotas that are full (R14, R19, R20, R41).

The one idea a newcomer would miss: such a wait is written only after half a minute.  So what has to last that long is
begun before everything else, side by side, and looked at last.
"""

from __future__ import annotations

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.others import STAYS, a_foreign_pod, a_full_quota, a_hand_made_app_server, let_go
from tests.integration.simulated_specs import a_build_spec, every, in_seconds, name_of, text_of
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes


@pytest.fixture(scope="module")
def waits(shared_stage: Stage) -> dict[str, PeriodicBuild]:
    """Give PeriodicBuilds that wait from the beginning of this module on."""
    in_use = a_build_whose_name_is_in_use(shared_stage, "in-use")
    crowded = shared_stage.new_namespace()
    a_full_quota(shared_stage, crowded)
    return {
        "full": shared_stage.create("full", a_build_spec(), namespace=crowded),
        "in use": in_use,
    }


@pytest.fixture(autouse=True)
def _begun(waits: dict[str, PeriodicBuild]) -> None:
    """Begin what lasts before the first test."""


def a_build_whose_name_is_in_use(stage: Stage, name: str) -> PeriodicBuild:
    """Create a PeriodicBuild for whose first slot an AppServer exists that is being deleted and does not go."""
    slot = in_seconds(2)
    a_hand_made_app_server(stage, name_of(name, slot), "gone", finalizers=[STAYS]).delete()
    return stage.create(name, a_build_spec(schedule=every("24h", notBefore=text_of(slot))))


def refused(operator: OperatorProcess, resource: str, code: int) -> float:
    """Count the creates of a resource that were refused with a code."""
    return operator.metric(rf'periodicbuild_kube_requests_total\{{code="{code}",resource="{resource}",verb="create"\}}')


def test_a_slot_starts_when_a_dying_app_server_of_its_name_is_gone(
    shared_stage: Stage, operator: OperatorProcess
) -> None:
    before = refused(operator, "appservers", 409)
    slot = in_seconds(2)
    dying = a_hand_made_app_server(shared_stage, name_of("dying-app-server", slot), "gone", finalizers=[STAYS])
    dying.delete()
    schedule = every("24h", notBefore=text_of(slot))
    build = shared_stage.create("dying-app-server", a_build_spec(schedule=schedule))
    eventually(lambda: refused(operator, "appservers", 409) >= before + 2, "the operator has tried twice")
    build.reload()
    assert build.fates == []

    let_go(dying)

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it starts, and was looked at in time (R10)")


def test_an_attempt_goes_on_when_a_dying_pod_of_its_name_is_gone(
    shared_stage: Stage, operator: OperatorProcess
) -> None:
    before = refused(operator, "pods", 409)
    slot = in_seconds(2)
    dying = a_foreign_pod(shared_stage, name_of("dying-pod", slot), finalizers=[STAYS])
    dying.delete()
    build = shared_stage.create("dying-pod", a_build_spec(schedule=every("24h", notBefore=text_of(slot))))
    eventually(lambda: refused(operator, "pods", 409) >= before + 2, "the operator has tried twice")

    let_go(dying)

    app_server = shared_stage.attempt(build, 1, "Completed")
    assert app_server.name == name_of("dying-pod", slot)


def test_a_full_quota_that_is_raised_lets_the_attempt_go_on(shared_stage: Stage, operator: OperatorProcess) -> None:
    before = refused(operator, "pods", 403)
    namespace = shared_stage.new_namespace()
    quota = a_full_quota(shared_stage, namespace)
    build = shared_stage.create("waits", a_build_spec(), namespace=namespace)
    eventually(lambda: refused(operator, "pods", 403) >= before + 3, "dry run and pod are refused, the pod twice")
    see(build, lambda one: one.condition("Ready").status == "True", "a full quota is no mistake of the template")

    quota.patch({"spec": {"hard": {"pods": "1"}}})

    shared_stage.attempt(build, 1, "Completed")
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "nothing was lost")


def test_a_full_quota_that_stays_full_ends_the_attempt_at_the_time_out(shared_stage: Stage) -> None:
    namespace = shared_stage.new_namespace()
    a_full_quota(shared_stage, namespace)
    build = shared_stage.create("too-long", a_build_spec(timeouts={"waiting": "3s"}), namespace=namespace)

    app_server = shared_stage.attempt(build, 1, "Error")

    assert app_server.result == {"failureClass": "Timeout", "reason": "QuotaExceeded", "stage": "Waiting"}
    assert "exceeded quota: pods" in app_server.read("status.result.message")
    see(build, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "the run has failed")


def test_an_attempt_says_after_half_a_minute_which_quota_it_waits_for(
    shared_stage: Stage, waits: dict[str, PeriodicBuild]
) -> None:
    (app_server,) = eventually(lambda: shared_stage.app_servers(waits["full"]) or None, "the attempt is there")

    see(app_server, lambda one: "exceeded quota: pods" in one.condition("Succeeded").message, "the quota is named")

    assert app_server.state == "New"
    assert "QuotaExceeded" in app_server.condition("Succeeded").message


def test_a_slot_says_after_half_a_minute_that_its_name_is_still_in_use(
    shared_stage: Stage, waits: dict[str, PeriodicBuild]
) -> None:
    build = see(waits["in use"], lambda one: one.read("status.waiting"), "it waits in status")

    assert build.read("status.waiting.reason") == "NameStillInUse"
    assert build.slots == {"due": 1}

    build.disable()
    see(build, lambda one: one.fates == ["Skipped/Disabled"], "a slot that waits is closed like any other")
    let_go(shared_stage.app_server(build, name_of(build.name, build.instant("status.schedule.cursorTime"))))
