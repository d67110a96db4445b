"""An AppServer is read whatever it says; belonging is the uid of its controller, its state is a condition's reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.builders import A_TEMPLATE, SLOT, a_build, a_result, an_app_server, at, by_hand, some_timeouts

from periodicbuild.core.facts import AppServer, AppServerStatus
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import FailureClass, State, Trigger
from periodicbuild.kube.changes import Decoder
from periodicbuild.kube.parse import app_server_from_json

METADATA: dict[str, Any] = {
    "name": "nightly-20261124-023000-1",
    "namespace": "team-a",
    "uid": "uid-nightly-20261124-023000-1",
    "resourceVersion": "200",
    "creationTimestamp": "2026-11-24T02:30:00Z",
    "labels": {"team": "x"},
    "ownerReferences": [
        {"kind": "ConfigMap", "uid": "someone"},
        {"apiVersion": "periodicbuild.dev/v1alpha1", "kind": "PeriodicBuild", "uid": "uid-nightly", "controller": True},
    ],
}
SPEC: dict[str, Any] = {
    "periodicBuildRef": {"name": "nightly"},
    "trigger": "Schedule",
    "run": "20261124-023000",
    "attempt": 1,
    "slotTime": "2026-11-24T02:30:00Z",
    "epoch": 1,
    "succeedWhen": "Ready",
    "timeouts": {"waiting": "1h", "configuring": "2h30m"},
    "template": msgspec.Raw(A_TEMPLATE),
}
SUCCEEDED = {
    "type": "Succeeded",
    "status": "False",
    "reason": "ConfigurationFailed",
    "message": "main exited with 1",
    "lastTransitionTime": "2026-11-24T03:00:00Z",
}
READY = {
    "type": "Ready",
    "status": "False",
    "reason": "PodNotReady",
    "message": "",
    "lastTransitionTime": "2026-11-24T02:31:00Z",
}


def parsed(*, metadata: Any = METADATA, spec: Any = SPEC, status: Any = None) -> AppServer:
    body = {"metadata": metadata, "spec": spec, **({} if status is None else {"status": status})}
    return app_server_from_json(msgspec.json.encode(body))


def test_a_complete_one_is_read_field_by_field() -> None:
    assert parsed() == an_app_server(a_build(), slot=SLOT)


def test_without_run_it_was_made_by_hand_and_what_its_author_gave_is_known() -> None:
    server = parsed(
        metadata={"name": "try-it", "namespace": "team-a", "uid": "uid-try-it", "labels": {"team": "x"}},
        spec={"periodicBuildRef": {"name": "nightly"}, "succeedWhen": "Completed", "timeouts": {"waiting": "5m"}},
    )
    given = {"/metadata/labels", "/spec/succeedWhen", "/spec/timeouts", "/spec/timeouts/waiting"}
    assert server == replace(
        by_hand(given=given),
        resource_version="",
        created_at=server.created_at,
        succeed_when=SucceedWhen.COMPLETED,
        timeouts=some_timeouts(waiting="5m"),
    )


def test_the_token_and_the_mark_of_an_own_template_are_annotations() -> None:
    annotations = {"periodicbuild.dev/run-now": "please", "periodicbuild.dev/own-template": "true"}
    server = parsed(metadata={**METADATA, "annotations": annotations})
    assert (server.token, server.has_own_template) == ("please", True)


def test_an_object_without_controller_belongs_to_nobody() -> None:
    assert parsed(metadata={**METADATA, "ownerReferences": METADATA["ownerReferences"][:1]}).controller_uid is None


def test_the_whole_status_is_read() -> None:
    server = parsed(
        status={
            "conditions": [SUCCEEDED, READY],
            "pod": "nightly-20261124-023000-1",
            "podRequestTime": "2026-11-24T02:30:01Z",
            "configuringTime": "2026-11-24T02:31:00Z",
            "finishTime": "2026-11-24T03:00:00Z",
            "result": {
                "failureClass": "Build",
                "reason": "NonZeroExit",
                "stage": "Configuring",
                "container": "main",
                "exitCode": 1,
            },
            "logTail": "make: *** [all] Error 1",
            "node": "node-1",
            "imageDigests": ["debian@sha256:1"],
        }
    )
    assert server.has_status
    assert server.status == AppServerStatus(
        state=State.CONFIGURATION_FAILED,
        message="main exited with 1",
        is_ready=False,
        pod="nightly-20261124-023000-1",
        pod_requested_at=at("2026-11-24T02:30:01"),
        configuring_at=at("2026-11-24T02:31:00"),
        finished_at=at("2026-11-24T03:00:00"),
        result=a_result(),
        node="node-1",
        image_digests=("debian@sha256:1",),
        log_tail="make: *** [all] Error 1",
    )
    assert server.status.succeeded_changed_at == at("2026-11-24T03:00:00")
    assert server.status.ready_changed_at == at("2026-11-24T02:31:00")


@pytest.mark.parametrize("status", [None, {}], ids=["absent", "empty"])
def test_before_the_first_write_it_is_new(status: Any) -> None:
    server = parsed(status=status)
    assert (server.has_status, server.status) == (False, AppServerStatus())


def test_no_pod_is_not_the_same_as_a_pod_that_is_not_ready() -> None:
    assert parsed(status={"conditions": [{**READY, "reason": "NoPod"}]}).status.is_ready is None
    assert parsed(status={"conditions": [READY]}).status.is_ready is False
    assert parsed(status={"conditions": [{**READY, "status": "True", "reason": "PodReady"}]}).status.is_ready is True


UNKNOWN_STATES = {
    "a success that stays up": ("True", "Ready", State.RUNNING),
    "a success that ends": ("True", "Completed", State.COMPLETED),
    "a failure": ("False", "Ready", State.ERROR),
    "no outcome yet": ("Unknown", "Ready", State.NEW),
}


@pytest.mark.parametrize(("status", "succeed_when", "state"), UNKNOWN_STATES.values(), ids=UNKNOWN_STATES.keys())
def test_a_state_of_a_newer_operator_keeps_its_outcome(status: str, succeed_when: str, state: State) -> None:
    condition = {**SUCCEEDED, "status": status, "reason": "Levitating"}
    server = parsed(spec={**SPEC, "succeedWhen": succeed_when}, status={"conditions": [condition]})
    assert server.state is state


def test_a_failure_class_of_a_newer_operator_counts_as_the_builds_own() -> None:
    result = parsed(status={"result": {"failureClass": "Astral", "reason": "Comet"}}).status.result
    assert result == a_result(
        failure_class=FailureClass.BUILD, reason="Comet", stage="", container=None, exit_code=None
    )


def test_parts_of_a_status_that_cannot_be_read_are_left_out_and_the_others_stay() -> None:
    status = parsed(
        status={"conditions": [5, SUCCEEDED], "pod": 7, "finishTime": "soon", "result": {}, "node": "node-1"}
    ).status
    assert status == AppServerStatus(state=State.CONFIGURATION_FAILED, message="main exited with 1", node="node-1")


@pytest.mark.parametrize("spec", [None, "nonsense", 5, [], {}], ids=repr)
def test_a_spec_that_is_none_gives_an_attempt_of_nobody(spec: Any) -> None:
    server = parsed(metadata={**METADATA, "labels": {}}, spec=spec)
    assert (server.build_name, server.run, server.attempt, server.template) == ("", None, 1, None)


def test_fields_of_the_wrong_type_count_as_left_out() -> None:
    server = parsed(
        spec={
            "periodicBuildRef": "nightly",
            "trigger": 5,
            "run": 7,
            "attempt": "one",
            "slotTime": "soon",
            "epoch": -1,
            "succeedWhen": [],
            "timeouts": "1h",
            "cancelled": "no",
        }
    )
    assert (server.trigger, server.run, server.attempt, server.slot) == (Trigger.MANUAL, None, 1, None)
    assert (server.epoch, server.succeed_when, server.timeouts) == (0, SucceedWhen.READY, some_timeouts())
    assert not server.cancelled


def test_a_trigger_of_a_newer_operator_is_the_schedules_if_there_is_a_slot() -> None:
    assert parsed(spec={**SPEC, "trigger": "Whim"}).trigger is Trigger.SCHEDULE


def test_objects_of_a_list_share_their_template() -> None:
    page = msgspec.json.encode({"metadata": {}, "items": [{"metadata": METADATA, "spec": SPEC}] * 2})
    one, other = Decoder(app_server_from_json).page(page).items
    assert one == other
    assert one.template is other.template
