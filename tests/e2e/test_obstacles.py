"""What stands in the way of a pod: others' objects under its name, and a quota (design 2.4, R19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pykube
import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.e2e.templates import SUCCEED, WORK_FOR_EVER, WORK_UNTIL_TOLD, a_build_spec, a_template, every

pytestmark = pytest.mark.real_node


def test_someone_elses_pod_is_left_alone_and_the_next_attempt_has_another_name(stage: Stage) -> None:
    build, name = create_for_a_slot_to_come(stage)
    metadata = {"name": name, "namespace": stage.namespace}
    theirs = pykube.Pod(stage.api, {"metadata": metadata} | a_template(WORK_FOR_EVER))
    theirs.create()

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the second attempt has succeeded")

    first, second = stage.app_servers(build)
    assert first.result == {"failureClass": "Infrastructure", "stage": "Waiting", "reason": "NameCollision"}
    assert (first.state, second.state) == ("Error", "Completed")
    theirs.reload()
    assert theirs.obj["status"]["phase"] == "Running"
    assert "deletionTimestamp" not in theirs.metadata


def test_someone_elses_app_server_costs_the_slot_and_is_left_alone(stage: Stage) -> None:
    build, name = create_for_a_slot_to_come(stage)
    other = stage.create("other", a_build_spec(enabled=False))
    theirs = stage.create_by_hand(other, name, template=a_template(SUCCEED))

    see(build, lambda one: one.fates == ["Missed/NameCollision"], "the slot is missed, and the ledger says why")

    see(theirs, lambda one: one.state == "Completed", "theirs is built")
    assert theirs.controller_uid == other.uid
    assert stage.app_servers(build) == []
    assert build.read("status.schedule.nextSlotTime") is not None
    eventually(lambda: stage.events(build) == ["SlotMissed"], "an Event tells of it")


def test_an_exceeded_quota_is_waited_for_as_long_as_a_build_may_wait(stage: Stage) -> None:
    holder = stage.create("holder", a_build_spec(WORK_UNTIL_TOLD))
    at_work = stage.attempt(holder, 1, "ConfiguringServer")
    stage.kubectl("create", "quota", "one", "--hard=pods=1")
    eventually(lambda: "pods: 1/1" in stage.kubectl("get", "quota"), "the quota is used up")
    patient = stage.create("patient", a_build_spec())
    impatient = stage.create("impatient", a_build_spec(timeouts={"waiting": "5s"}))

    see(impatient, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "one has waited long enough")
    (refused,) = stage.app_servers(impatient)
    assert refused.state == "Error"
    assert refused.result == {"failureClass": "Timeout", "stage": "Waiting", "reason": "QuotaExceeded"}
    assert "exceeded quota: one" in refused.read("status.result.message")

    stage.tell(at_work)
    see(patient, lambda one: one.fates == ["Started/Due: Succeeded"], "the other has had its turn")


def create_for_a_slot_to_come(stage: Stage) -> tuple[PeriodicBuild, str]:
    """Create a PeriodicBuild with one retry, and give the name that its first attempt will need in a few seconds."""
    slot = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    schedule = every("24h") | {"notBefore": f"{slot:%Y-%m-%dT%H:%M:%SZ}"}
    build = stage.create("site", a_build_spec(schedule=schedule, retries={"limit": 1, "delay": "1s"}))
    return build, f"site-{slot:%Y%m%d-%H%M%S}-1"
