"""Namespaces that enforce the Pod Security Standard `restricted`: what obeys it runs, what does not is told at once."""

from __future__ import annotations

import pytest
from tests.e2e.stage import Stage, eventually, see
from tests.e2e.templates import SERVE, SUCCEED, Spec, a_build_spec, a_server_spec

pytestmark = pytest.mark.real_node

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
OBEDIENT_POD = {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}}
OBEDIENT_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
UNSEEN = "grep -q '^CapEff:[[:space:]]0*$' /proc/self/status && grep -q '^Seccomp:[[:space:]]2$' /proc/self/status"
"""Succeeds where the kernel gives no capability and filters system calls."""


def obedient(spec: Spec) -> Spec:
    """Give a spec whose pod obeys."""
    pod = spec["template"]["spec"]
    containers = [one | {"securityContext": OBEDIENT_CONTAINER} for one in pod["containers"]]
    return spec | {"template": {"spec": pod | {"containers": containers, "securityContext": OBEDIENT_POD}}}


def test_builds_and_servers_that_obey_run(stage: Stage) -> None:
    namespace = stage.new_namespace(RESTRICTED)
    build = stage.create("job", obedient(a_build_spec(UNSEEN)), namespace=namespace)
    server = stage.create("site", obedient(a_server_spec(f"{UNSEEN} && {SERVE}")), namespace=namespace)

    stage.attempt(build, 1, "Completed")
    stage.attempt(server, 1, "Running")
    see(build, lambda one: one.condition("Ready").status == "True", "nothing is said against it")


def test_a_pod_that_does_not_obey_is_refused_when_it_is_applied_and_not_tried_again(stage: Stage) -> None:
    namespace = stage.new_namespace(RESTRICTED)
    spec = a_build_spec(SUCCEED, retries={"limit": 2, "delay": "1s"})
    build = stage.create("job", spec | {"enabled": False}, namespace=namespace)

    see(build, lambda one: one.condition("Ready")[:2] == ("False", "Forbidden"), "the refusal shows at once")
    assert 'violates PodSecurity "restricted' in build.condition("Ready").message
    assert build.slots == {}

    build.patch({"spec": {"enabled": True}})
    see(build, lambda one: one.fates == ["Started/Due: Failed/NotRetried"], "the slot has its fate")
    (app_server,) = stage.app_servers(build)
    assert app_server.state == "Error"
    assert app_server.result == {"failureClass": "Infrastructure", "stage": "Waiting", "reason": "Forbidden"}
    assert 'violates PodSecurity "restricted' in app_server.read("status.result.message")
    eventually(lambda: stage.events(app_server) == ["AttemptFailed"], "an Event tells of it")
