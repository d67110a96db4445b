"""Pods that belong to nobody are removed, whatever has made them so, and then the builds that they held back go on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pykube
import pytest
from tests.cluster.cluster import Cluster
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see_gone
from tests.e2e.staging import open_client, set_stage
from tests.integration.others import a_foreign_pod
from tests.integration.simulated_specs import a_build_spec
from tests.operator_process import OperatorProcess, install
from tests.schema.manifests import COMPLETE_SPEC

pytestmark = pytest.mark.control_plane

LEFT = "20260101-000000-1"
"""The end of the name of an attempt that this operator has never seen."""


@pytest.fixture(scope="module")
def hasty(control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """Give an operator whose patience is short."""
    install(control_plane)
    process = OperatorProcess.of(control_plane, tmp_path_factory.mktemp("hasty") / "operator.log")
    process.module = "tests.integration.hasty_operator"
    process.start()
    yield process
    process.stop()
    assert "this is a bug" not in process.log.read_text()


@pytest.fixture(scope="module")
def place(control_plane: Cluster, hasty: OperatorProcess) -> Iterator[Stage]:
    """Give all tests one namespace: the sweep comes to all strays at the same time."""
    for api in open_client(control_plane):
        yield from set_stage(control_plane, api, hasty)


def a_pod_under_way(place: Stage, name: str) -> tuple[PeriodicBuild, pykube.Pod]:
    """Give a build whose pod waits for a node for ever, which is known of it."""
    build = place.create(name, a_build_spec())
    return build, place.pod(place.attempt(build, 1, "WaitingForServer"))


def a_pod_named(
    place: Stage, build: str, controller: dict[str, str] | None, *, namespace: str | None = None
) -> pykube.Pod:
    """Give a pod with our labels."""
    name = f"{build}-{LEFT}"
    ours = {"periodic-build": build, "run": LEFT[:-2], "app-server": name}
    metadata: dict[str, Any] = {"labels": {f"periodicbuild.dev/{key}": value for key, value in ours.items()}}
    if namespace is not None:
        metadata["namespace"] = namespace
    if controller is not None:
        metadata["ownerReferences"] = [controller | {"controller": True}]
    return a_foreign_pod(place, name, **metadata)


@pytest.fixture(scope="module")
def orphaned(place: Stage) -> tuple[PeriodicBuild, pykube.Pod]:
    """Delete an AppServer, and leave its pod to nobody."""
    build, pod = a_pod_under_way(place, "orphaned")
    place.kubectl("delete", "appservers", str(pod.name), "--cascade=orphan")
    return build, pod


@pytest.fixture(scope="module")
def cut_off(place: Stage) -> tuple[PeriodicBuild, pykube.Pod]:
    """Take the owner references away by hand; the AppServer stays."""
    build, pod = a_pod_under_way(place, "cut-off")
    pod.patch({"metadata": {"ownerReferences": None}})
    return build, pod


@pytest.fixture(scope="module")
def restored(place: Stage) -> tuple[PeriodicBuild, pykube.Pod]:
    """Bring a pod back whose controller has another uid since; the garbage collector does not know its API version."""
    build = place.create("restored", a_build_spec(enabled=False))
    name = AppServer.made_of(place.api, place.namespace, f"restored-{LEFT}", COMPLETE_SPEC).name
    old = {"apiVersion": "periodicbuild.dev/v1alpha0", "kind": "AppServer", "name": name, "uid": str(uuid.uuid4())}
    return build, a_pod_named(place, "restored", old)


@pytest.fixture(scope="module")
def copied(place: Stage) -> tuple[PeriodicBuild, pykube.Pod]:
    """Let something else control a pod with our labels."""
    keeper = pykube.ConfigMap(place.api, {"metadata": {"name": "keeper", "namespace": place.namespace}})
    keeper.create()
    controller = {"apiVersion": "v1", "kind": "ConfigMap", "name": "keeper", "uid": keeper.obj["metadata"]["uid"]}
    pod = a_pod_named(place, "copied", controller)
    return place.create("copied", a_build_spec(enabled=False)), pod


@pytest.fixture(scope="module")
def left_over(place: Stage) -> pykube.Pod:
    """Leave a pod in a namespace that has no PeriodicBuild, nor anything else of ours."""
    return a_pod_named(place, "left-over", None, namespace=place.new_namespace())


@pytest.fixture(scope="module", autouse=True)
def _at_the_same_time(orphaned: object, cut_off: object, restored: object, copied: object, left_over: object) -> None:
    """Make all of them before the first test waits."""


def reasons(place: Stage, pod: pykube.Pod) -> list[str]:
    """Give the reasons of the Events about a pod that the operator has recorded."""
    listed = place.api.get(url="events", version="events.k8s.io/v1", namespace=pod.namespace)
    listed.raise_for_status()
    about = [one for one in listed.json()["items"] if one["regarding"].get("uid") == pod.metadata["uid"]]
    return [one["reason"] for one in about if one["reportingController"] == "periodicbuild.dev/operator"]


def assert_removed_and_told(place: Stage, pod: pykube.Pod) -> None:
    """See a pod go, and the one Event about it."""
    see_gone(pod)
    eventually(lambda: reasons(place, pod) == ["StrayPodRemoved"], "one Event says so")


def assert_goes_on(place: Stage, build: PeriodicBuild) -> None:
    """See the run that was asked for while the stray was there get its pod."""
    manual = f"{build.name}-m-6b86b273-1"
    pods = pykube.Pod.objects(place.api, namespace=place.namespace)
    eventually(
        lambda: pods.get_or_none(name=manual), f"{build.name} goes on", otherwise=lambda: place.kubectl("get", "pods")
    )


@pytest.mark.parametrize("case", ["orphaned", "cut_off", "restored"])
def test_a_build_waits_for_a_stray_which_is_removed_and_then_goes_on(
    place: Stage, request: pytest.FixtureRequest, case: str
) -> None:
    build, pod = request.getfixturevalue(case)
    build.run_now("1")

    assert_removed_and_told(place, pod)
    assert_goes_on(place, build)


def test_a_stray_without_any_periodic_build_is_removed_as_well(place: Stage, left_over: pykube.Pod) -> None:
    assert_removed_and_told(place, left_over)


def test_a_pod_that_something_else_controls_is_left_alone_and_holds_nothing_back(
    place: Stage, copied: tuple[PeriodicBuild, pykube.Pod], left_over: pykube.Pod
) -> None:
    build, pod = copied
    build.run_now("1")
    assert_goes_on(place, build)
    see_gone(left_over)

    assert pod.exists()
    assert reasons(place, pod) == []


def test_they_are_counted_and_none_is_left(
    hasty: OperatorProcess, left_over: pykube.Pod, restored: tuple[PeriodicBuild, pykube.Pod]
) -> None:
    see_gone(left_over, restored[1])

    assert hasty.metric("periodicbuild_stray_pods_removed_total") == 4
    assert hasty.metric("periodicbuild_stray_pods") == 0
