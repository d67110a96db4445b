"""What the operator does with AppServers and pods that are not, or not yet, its own (design 2.2, 2.4)."""

from __future__ import annotations

import pykube
import pytest
from tests.e2e.objects import AppServer
from tests.e2e.stage import Stage, eventually, see
from tests.integration.others import a_foreign_pod, a_hand_made_app_server
from tests.integration.simulated_specs import a_build_spec, every, in_seconds, name_of, text_of
from tests.schema.manifests import COMPLETE_SPEC

pytestmark = pytest.mark.simulated_nodes


def test_an_app_server_waits_for_its_periodic_build_to_exist_and_then_runs(stage: Stage) -> None:
    app_server = a_hand_made_app_server(stage, "by-hand", "later")
    see(
        app_server, lambda one: "PeriodicBuild later does not exist" in one.condition("Succeeded").message, "it says so"
    )
    assert app_server.state == "New"

    build = stage.create("later", a_build_spec(enabled=False))

    see(app_server, lambda one: one.state == "Completed", "it is adopted and runs")
    assert app_server.controller_uid == build.uid
    assert (app_server.read("spec.run"), app_server.read("spec.trigger")) == ("by-hand", "Manual")
    see(build, lambda one: one.read("status.lastSuccess.run") == "by-hand", "its success counts (R27)")


def test_an_app_server_without_controller_that_is_complete_is_left_alone_with_one_event(stage: Stage) -> None:
    build = stage.create("openedx", a_build_spec(enabled=False))
    orphan = AppServer.made_of(stage.api, stage.namespace, "orphan", COMPLETE_SPEC)
    eventually(lambda: stage.events(orphan) == ["Orphaned"], "an Event says so")

    other = a_hand_made_app_server(stage, "adopted", build.name)
    see(other, lambda one: one.state == "Completed", "the operator has gone on")
    orphan.patch({"metadata": {"labels": {"looked-at": "again"}}})
    build.run_now("1")
    eventually(lambda: len(stage.app_servers(build)) == 2, "the operator has gone on again")

    orphan.reload()
    assert (orphan.controller_uid, orphan.read("status")) == (None, None)
    assert stage.events(orphan) == ["Orphaned"]
    assert not pykube.Pod.objects(stage.api, namespace=stage.namespace).get_or_none(name="orphan")


def test_someone_elses_pod_fails_the_attempt_and_the_next_one_has_another_name(stage: Stage) -> None:
    slot = in_seconds(3)
    foreign = a_foreign_pod(stage, name_of("nightly", slot))
    schedule = every("24h", notBefore=text_of(slot))
    build = stage.create("nightly", a_build_spec(schedule=schedule, retries={"limit": 1, "delay": "1s"}))

    first = stage.attempt(build, 1, "Error")
    second = stage.attempt(build, 2, "Completed")

    assert first.result == {"failureClass": "Infrastructure", "reason": "NameCollision", "stage": "Waiting"}
    assert second.name == name_of("nightly", slot, 2)
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the run has succeeded")
    foreign.reload()
    assert "deletionTimestamp" not in foreign.metadata


def test_someone_elses_app_server_under_the_name_of_a_slot_is_a_slot_missed(stage: Stage) -> None:
    slot = in_seconds(3)
    foreign = a_hand_made_app_server(stage, name_of("nightly", slot), "somebody-else")
    build = stage.create("nightly", a_build_spec(schedule=every("2s", notBefore=text_of(slot))))

    see(build, lambda one: one.fates[-2:] == ["Started/Due: Succeeded", "Missed/NameCollision"], "and the next runs")
    build.disable()

    assert "SlotMissed" in stage.events(build)
    foreign.reload()
    assert foreign.controller_uid is None
    assert build.read("status.ledger")[-1]["slotTime"] == text_of(slot)


def test_a_request_whose_name_is_taken_is_dropped_with_an_event(stage: Stage) -> None:
    build = stage.create("nightly", a_build_spec(enabled=False))
    a_hand_made_app_server(stage, "nightly-m-6b86b273-1", "somebody-else")

    build.run_now("1")

    see(build, lambda one: one.read("status.manual.token") == "1", "the request is handled")
    eventually(lambda: stage.events(build) == ["NameCollision"], "an Event says so")
    assert stage.app_servers(build) == []
