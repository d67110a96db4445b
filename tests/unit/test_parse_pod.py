"""A pod is what scheduler and kubelet said about it, container by container."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.builders import a_container, a_pod, an_app_server

from periodicbuild.core.facts import Pod
from periodicbuild.kube.parse import pod_from_json

SERVER = an_app_server()
METADATA: dict[str, Any] = {
    "name": SERVER.ref.name,
    "namespace": "team-a",
    "uid": f"pod-{SERVER.ref.uid}",
    "resourceVersion": "300",
    "creationTimestamp": "2026-11-24T02:30:00Z",
    "labels": {
        "app": "x",
        "periodicbuild.dev/periodic-build": "nightly",
        "periodicbuild.dev/run": "20261124-023000",
        "periodicbuild.dev/app-server": SERVER.ref.name,
    },
    "ownerReferences": [
        {"apiVersion": "periodicbuild.dev/v1alpha1", "kind": "AppServer", "uid": SERVER.ref.uid, "controller": True}
    ],
}
RUNNING = {"running": {"startedAt": "2026-11-24T02:30:00Z"}}


def ended(exit_code: int, **fields: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": exit_code, **fields}}


def parsed(*, spec: Any = None, **status: Any) -> Pod:
    body = {"metadata": METADATA, "spec": {"nodeName": "node-1", **(spec or {})}, "status": status}
    return pod_from_json(msgspec.json.encode(body))


def condition(type_: str, status: str, **fields: str) -> dict[str, str]:
    return {"type": type_, "status": status, "lastTransitionTime": "2026-11-24T02:30:00Z", **fields}


def test_a_running_pod_is_read_field_by_field() -> None:
    pod = parsed(
        phase="Running",
        conditions=[condition("Ready", "True")],
        containerStatuses=[{"name": "main", "imageID": "debian@sha256:1", "state": RUNNING, "lastState": {}}],
    )
    assert pod == a_pod(SERVER, is_ready=True, image_digests=["debian@sha256:1"])


def test_a_new_pod_has_nothing_yet() -> None:
    body = msgspec.json.encode({"metadata": METADATA, "spec": {}, "status": {"phase": "Pending"}})
    assert pod_from_json(body) == a_pod(SERVER, phase="Pending", node=None)


UNSCHEDULABLE = {
    "no node": (condition("PodScheduled", "False", reason="Unschedulable", message="0/3 nodes"), "0/3 nodes"),
    "no node and no words": (condition("PodScheduled", "False", reason="Unschedulable"), "Unschedulable"),
    "a gate of its author": (condition("PodScheduled", "False", reason="SchedulingGated"), None),
    "scheduled": (condition("PodScheduled", "True"), None),
}


@pytest.mark.parametrize(("said", "message"), UNSCHEDULABLE.values(), ids=UNSCHEDULABLE.keys())
def test_unschedulable_is_only_what_the_scheduler_calls_so(said: dict[str, str], message: str | None) -> None:
    assert parsed(phase="Pending", conditions=[said]).unschedulable == message


def test_a_disruption_is_known_by_its_reason() -> None:
    assert parsed(conditions=[condition("DisruptionTarget", "True", reason="EvictionByEvictionAPI")]).disruption == (
        "EvictionByEvictionAPI"
    )
    assert (
        parsed(conditions=[condition("DisruptionTarget", "False", reason="PreemptionByScheduler")]).disruption is None
    )


CONTAINERS = {
    "waits for its image": (
        {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}},
        a_container(waiting_reason="ImagePullBackOff", waiting_message="no such image"),
    ),
    "has no state yet": ({}, a_container(has_run=False)),
    "runs": ({"state": RUNNING}, a_container()),
    "has ended well": (
        {"state": ended(0, reason="Completed")},
        a_container(exit_code=0, exit_reason="Completed"),
    ),
    "was killed": (
        {"state": ended(137, reason="OOMKilled")},
        a_container(exit_code=137, exit_reason="OOMKilled", signal=9),
    ),
    "was ended by a signal that the runtime names": (
        {"state": ended(0, signal=15, reason="Error")},
        a_container(exit_code=0, exit_reason="Error", signal=15),
    ),
    "exited with a code that is no signal": ({"state": ended(128)}, a_container(exit_code=128)),
    "exited with the highest code": ({"state": ended(255)}, a_container(exit_code=255)),
    "was restarted and runs again": (
        {"state": RUNNING, "lastState": ended(1, reason="Error")},
        a_container(exit_code=1, exit_reason="Error", is_terminated=False),
    ),
    "crashes again and again": (
        {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended(1, reason="Error")},
        a_container(waiting_reason="CrashLoopBackOff", exit_code=1, exit_reason="Error", is_terminated=False),
    ),
    "has ended twice": (
        {"state": ended(2, reason="Error"), "lastState": ended(1, reason="Error")},
        a_container(exit_code=2, exit_reason="Error"),
    ),
}


@pytest.mark.parametrize(("status", "container"), CONTAINERS.values(), ids=CONTAINERS.keys())
def test_a_container(status: dict[str, Any], container: Any) -> None:
    assert parsed(containerStatuses=[{"name": "main", **status}]).containers == (container,)


def test_a_restartable_init_container_is_a_sidecar() -> None:
    pod = parsed(
        spec={"initContainers": [{"name": "proxy", "restartPolicy": "Always"}, {"name": "fetch"}]},
        initContainerStatuses=[{"name": "proxy", "state": RUNNING}, {"name": "fetch", "state": ended(0)}],
        containerStatuses=[{"name": "main", "state": RUNNING}],
    )
    assert pod.containers == (
        a_container("proxy", is_sidecar=True),
        a_container("fetch", is_init=True, exit_code=0),
        a_container("main"),
    )


def test_image_digests_are_different_few_and_short() -> None:
    ids = ["", "a@sha256:1", "a@sha256:1", "b" * 300, *(f"c@sha256:{number}" for number in range(20))]
    pod = parsed(containerStatuses=[{"name": f"c{number}", "imageID": id_} for number, id_ in enumerate(ids)])
    assert pod.image_digests[:3] == ("a@sha256:1", "b" * 256, "c@sha256:0")
    assert len(pod.image_digests) == 10


OWNER: dict[str, Any] = METADATA["ownerReferences"][0]
LABELS: dict[str, str] = METADATA["labels"]
OURS: dict[str, tuple[dict[str, Any], bool]] = {
    "an AppServer controls it": ({}, True),
    "an AppServer of a version that is served no more": (
        {"ownerReferences": [{**OWNER, "apiVersion": "periodicbuild.dev/v1alpha0"}]},
        True,
    ),
    "nothing controls it": ({"ownerReferences": None}, True),
    "an AppServer owns it and does not control it": ({"ownerReferences": [{**OWNER, "controller": False}]}, True),
    "a ReplicaSet controls it": (
        {"ownerReferences": [{**OWNER, "apiVersion": "apps/v1", "kind": "ReplicaSet"}]},
        False,
    ),
    "an AppServer of another group": ({"ownerReferences": [{**OWNER, "apiVersion": "example.com/v1"}]}, False),
    "one label is missing": (
        {"labels": {name: value for name, value in LABELS.items() if name != "periodicbuild.dev/run"}},
        False,
    ),
    "its label names another AppServer: a copy": ({"name": "debug"}, False),
    "no labels at all": ({"labels": None}, False),
}


@pytest.mark.parametrize(("metadata", "expected"), OURS.values(), ids=OURS)
def test_a_pod_is_ours_by_its_labels_and_by_what_controls_it(metadata: dict[str, Any], *, expected: bool) -> None:
    pod = pod_from_json(msgspec.json.encode({"metadata": {**METADATA, **metadata}}))
    assert pod.is_ours is expected
