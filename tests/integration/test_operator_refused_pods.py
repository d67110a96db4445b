"""A pod that the API server will not have: shown when the spec is applied, and final for an attempt (2.1, R19)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.stage import Stage, see
from tests.integration.others import a_restricted_namespace, an_admission_policy, remove_admission_policy
from tests.integration.simulated_specs import Spec, a_build_spec, a_template

pytestmark = pytest.mark.simulated_nodes

INVALID_PODS: dict[str, tuple[dict[str, Any], str]] = {
    "two volumes of one name": (
        {"volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "scratch", "emptyDir": {}}]},
        'spec.volumes[1].name: Duplicate value: "scratch"',
    ),
    "a mount without its volume": (
        {"containers": [{"name": "main", "image": "a", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]},
        'spec.containers[0].volumeMounts[0].name: Not found: "data"',
    ),
    "a port whose name is too long": (
        {
            "containers": [
                {"name": "main", "image": "a", "ports": [{"containerPort": 80, "name": "much-too-long-a-name"}]}
            ]
        },
        "spec.containers[0].ports[0].name: Invalid value",
    ),
}
"""What the schema of a pod template lets pass and the validation of pods does not."""

NEVER_RETRIED = {"limit": 2, "delay": "1s"}
"""Retries that a refused pod must not use."""


@pytest.mark.parametrize(("pod", "sentence"), INVALID_PODS.values(), ids=INVALID_PODS)
def test_an_invalid_pod_is_shown_at_apply_time_though_the_schedule_is_off(
    stage: Stage, pod: dict[str, Any], sentence: str
) -> None:
    build = stage.create("invalid", a_build_spec(pod=pod, enabled=False))

    see(build, lambda one: one.condition("Ready").status == "False", "the template is refused")

    assert build.condition("Ready").reason == "InvalidTemplate"
    assert sentence in build.condition("Ready").message
    assert stage.app_servers(build) == []


def test_a_mended_template_is_ready_for_its_generation(stage: Stage) -> None:
    pod, _ = INVALID_PODS["two volumes of one name"]
    build = stage.create("mended", a_build_spec(pod=pod, enabled=False))
    see(build, lambda one: one.condition("Ready").reason == "InvalidTemplate", "the template is refused")

    build.patch({"spec": {"enabled": True, "template": {"spec": {"volumes": None}}}})

    see(build, lambda one: one.condition("Ready").status == "True", "the template is accepted")
    (ready,) = [one for one in build.read("status.conditions") if one["type"] == "Ready"]
    assert ready["observedGeneration"] == build.read("metadata.generation") == 2
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "its slot runs")


def assert_refused_and_final(stage: Stage, build_spec: Spec, namespace: str, reason: str, sentence: str) -> None:
    """See what a refused template leads to: the condition, one failed attempt, no retry."""
    build = stage.create("refused", build_spec, namespace=namespace)
    see(build, lambda one: one.condition("Ready").status == "False", "the template is refused")
    assert build.condition("Ready").reason == {"Invalid": "InvalidTemplate"}.get(reason, reason)
    assert sentence in build.condition("Ready").message

    app_server = stage.attempt(build, 1, "Error")
    assert app_server.result == {"failureClass": "Infrastructure", "reason": reason, "stage": "Waiting"}
    assert sentence in app_server.read("status.result.message")
    see(build, lambda one: one.fates == ["Started/Due: Failed/NotRetried"], "the run has failed without a retry")
    assert len(stage.app_servers(build)) == 1


def test_a_slot_of_an_invalid_template_fails_without_retry(stage: Stage) -> None:
    pod, sentence = INVALID_PODS["two volumes of one name"]

    assert_refused_and_final(stage, a_build_spec(pod=pod, retries=NEVER_RETRIED), stage.namespace, "Invalid", sentence)


def test_pod_security_is_shown_at_apply_time_and_fails_a_slot_without_retry(stage: Stage) -> None:
    restricted = a_restricted_namespace(stage)

    assert_refused_and_final(
        stage, a_build_spec(retries=NEVER_RETRIED), restricted, "Forbidden", 'violates PodSecurity "restricted:latest"'
    )


@pytest.fixture(params=["Forbidden", "Invalid"])
def policy(request: pytest.FixtureRequest, stage: Stage) -> Iterator[str]:
    """Refuse every pod of the test's namespace, and give the reason."""
    name = an_admission_policy(stage, stage.namespace, request.param, "no pods on Fridays")
    yield request.param
    remove_admission_policy(stage, name)


def test_an_admission_policy_is_shown_at_apply_time_and_fails_a_slot_without_retry(stage: Stage, policy: str) -> None:
    assert_refused_and_final(stage, a_build_spec(retries=NEVER_RETRIED), stage.namespace, policy, "no pods on Fridays")


def test_a_template_that_is_refused_does_not_stop_another_one(stage: Stage) -> None:
    refused = stage.create("refused", a_build_spec(pod=INVALID_PODS["a mount without its volume"][0]))
    accepted = stage.create("accepted", a_build_spec())

    see(accepted, lambda one: one.fates == ["Started/Due: Succeeded"], "it runs")
    see(refused, lambda one: one.fates == ["Started/Due: Failed/NotRetried"], "the other has failed")


def test_a_template_with_a_pod_security_context_passes_where_one_without_does_not(stage: Stage) -> None:
    restricted = a_restricted_namespace(stage)
    careful = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            a_template()["spec"]["containers"][0]
            | {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
        ],
    }

    build = stage.create("careful", a_build_spec(pod=careful), namespace=restricted)

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it runs")
