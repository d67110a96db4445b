"""The Service in a real cluster: who points it where, and what GitOps tools and people do to it (R28, R29)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.e2e.stage import Stage, eventually, see
from tests.integration.serving import (
    LABEL,
    OTHER,
    SERVER,
    SERVICE,
    a_manifest,
    a_served_build,
    active_server,
    another_server,
    apply,
    ask_for,
    look_again,
    make_unready,
    now_active,
    read_anew,
    see_activated,
    selector_of,
    switched_over,
)
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes


def test_the_first_server_is_activated_and_the_next_one_takes_over(stage: Stage) -> None:
    apply(stage, a_manifest())
    build = a_served_build(stage)

    first = active_server(stage, build, 1)
    see(first, lambda one: one.condition("Active")[:2] == ("True", "Serving"), "it says so")
    another_server(stage, build)

    second = active_server(stage, build, 2)
    see(first, lambda one: one.condition("Active")[:2] == ("False", "Fallback"), "the first one is the fallback")
    see(second, lambda one: one.condition("Active")[:2] == ("True", "Serving"), "the second one serves")
    assert build.read("status.activation.previous") == first.name
    assert (build.instant("status.activation.fallbackUntilTime") - build.instant("status.activation.time")).days == 2
    assert [pod.name for pod in stage.pods(build)] == sorted([first.name, second.name])
    eventually(lambda: stage.events(build).count("Activated") == 2, "Events tell of it")


def test_the_fallback_goes_when_its_time_is_over(stage: Stage) -> None:
    apply(stage, a_manifest())
    build = a_served_build(stage, activation={"serviceName": SERVICE, "fallbackFor": "3s"})
    first = active_server(stage, build, 1)
    another_server(stage, build)
    active_server(stage, build, 2)

    see(first, lambda one: one.state == "Terminated", "it is removed")
    see(first, lambda one: one.condition("Active")[:2] == ("False", "Superseded"), "and superseded")


PROBLEMS: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "does not exist": (None, "ServiceNotFound", "create it"),
    "has not opted in": (a_manifest(opted_in=False), "ServiceNotOptedIn", "activated-by: nightly"),
    "has opted in for another": (a_manifest("another"), "ServiceNotOptedIn", "activated-by: nightly"),
    "is a name of somewhere else": (
        a_manifest(type="ExternalName", externalName="example.com"),
        "ServiceNotSuitable",
        "ExternalName",
    ),
}


@pytest.mark.parametrize(("manifest", "reason", "words"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_a_service_is_left_alone_and_pointed_later_if_it(
    stage: Stage, manifest: dict[str, Any] | None, reason: str, words: str
) -> None:
    if manifest is not None:
        assert apply(stage, manifest) == ""
    build = a_served_build(stage)
    stage.attempt(build, 1, "Running")

    assert words in see_activated(build, "False", reason)
    assert manifest is None or selector_of(stage) is None
    second = another_server(stage, build)
    see(build, lambda one: one.condition("Activated").reason == reason, "nothing has changed")
    stage.attempt(build, 1, "Terminated")  # of two that cannot be activated the newest is kept

    if manifest is not None:
        stage.kubectl("delete", "service", SERVICE)
    apply(stage, a_manifest())
    look_again(build)
    assert active_server(stage, build, 2).name == second.name


def test_the_first_activation_takes_over_whatever_selector_there_was(stage: Stage) -> None:
    """The label is the consent."""
    apply(stage, a_manifest(selector=OTHER))
    active_server(stage, a_served_build(stage), 1)


def test_a_selector_changed_by_someone_else_is_left_alone_until_a_person_asks(
    stage: Stage, operator: OperatorProcess
) -> None:
    apply(stage, a_manifest())
    build = a_served_build(stage)
    first = active_server(stage, build, 1)
    patch = json.dumps([{"op": "replace", "path": "/spec/selector", "value": OTHER}])
    stage.kubectl("patch", "service", SERVICE, "--type=json", f"--patch={patch}")

    read_anew(operator)
    see_activated(build, "False", "SelectorChanged")
    second = another_server(stage, build)
    for _ in range(3):
        look_again(build)
    stage.outlast()
    build.reload()
    assert (build.condition("Activated").reason, selector_of(stage)) == ("SelectorChanged", OTHER)
    assert [one.state for one in stage.app_servers(build)] == ["Running", "Running"]
    assert stage.events(build).count("SelectorChanged") == 1

    ask_for(build, second.name)
    active_server(stage, build, 2)
    see(build, lambda one: one.read("status.askedActivation.answer") == "Activated", "the request is answered")
    assert build.read("status.activation.previous") == first.name


def test_a_service_deleted_and_made_anew_is_pointed_anew(stage: Stage, operator: OperatorProcess) -> None:
    apply(stage, a_manifest())
    build = a_served_build(stage)
    first = active_server(stage, build, 1)
    since = build.read("status.activation.time")

    stage.kubectl("delete", "service", SERVICE)
    read_anew(operator)
    see_activated(build, "False", "ServiceNotFound")
    apply(stage, a_manifest(selector=OTHER))
    see_activated(build, "True", "Activated")

    assert selector_of(stage) == {SERVER: first.name}
    assert build.read("status.activation.time") == since
    assert [one.state for one in stage.app_servers(build)] == ["Running"]


def test_what_a_crash_leaves_behind_is_noted_by_the_next_look(stage: Stage, operator: OperatorProcess) -> None:
    """R42: the switch was made, and its status never written."""
    apply(stage, a_manifest())
    build = a_served_build(stage)
    first = active_server(stage, build, 1)
    stage.kubectl("label", "service", SERVICE, f"{LABEL}-")
    second = another_server(stage, build)
    see_activated(build, "False", "ServiceNotOptedIn")

    operator.stop()
    stage.kubectl("label", "service", SERVICE, f"{LABEL}={build.name}")
    patch = json.dumps([{"op": "replace", "path": "/spec/selector", "value": {SERVER: second.name}}])
    stage.kubectl("patch", "service", SERVICE, "--type=json", f"--patch={patch}")
    operator.start()

    active_server(stage, build, 2)
    assert build.read("status.activation.previous") == first.name
    assert [one.state for one in stage.app_servers(build)] == ["Running", "Running"]


def test_what_is_ready_while_nobody_looks_is_activated_then(stage: Stage, operator: OperatorProcess) -> None:
    """R42: the outcome was written, and the switch never made."""
    build = a_served_build(stage)
    stage.attempt(build, 1, "Running")
    see(build, lambda one: not one.runs, "its outcome is written")
    operator.stop()
    apply(stage, a_manifest())
    operator.start()
    active_server(stage, build, 1)


def test_a_server_that_loses_readiness_soon_is_switched_back_from_once(stage: Stage) -> None:
    build, first, second = switched_over(stage)

    make_unready(stage, second)

    see(build, lambda one: one.read("status.activation.appServer") == first.name, "it is switched back")
    assert selector_of(stage) == {SERVER: first.name}
    assert build.read("status.activation.rolledBack") == second.name
    see(second, lambda one: one.state == "Terminated", "what was no good goes")
    look_again(build)
    stage.outlast()
    assert stage.events(build).count("ActivationRolledBack") == 1
    assert selector_of(stage) == {SERVER: first.name}

    another_server(stage, build)
    active_server(stage, build, 3)


def test_a_manual_server_is_activated_when_asked_for_and_not_before(stage: Stage) -> None:
    apply(stage, a_manifest())
    build = a_served_build(stage)
    first = active_server(stage, build, 1)
    manual = stage.create_by_hand(build, "by-hand")
    see(manual, lambda one: one.state == "Running", "it is up")
    stage.outlast()
    assert selector_of(stage) == {SERVER: first.name}

    ask_for(build, "by-hand")
    now_active(stage, build, manual)
    ask_for(build, first.name, "2")
    now_active(stage, build, first)
    assert build.read("status.activation.rolledBack") == "by-hand"
    ask_for(build, "nobody", "3")
    see(build, lambda one: one.read("status.askedActivation.answer") == "ServerNotFound", "it is refused")
    eventually(lambda: "ActivationRefused" in stage.events(build), "an Event says so")


def test_deleting_the_periodic_build_leaves_the_selector(stage: Stage) -> None:
    apply(stage, a_manifest())
    build = a_served_build(stage)
    first = active_server(stage, build, 1)

    build.delete()

    eventually(lambda: not build.exists() and not first.exists(), "both are gone")
    stage.outlast()
    assert selector_of(stage) == {SERVER: first.name}


def test_a_service_that_may_not_be_changed_is_said_to_be(stage: Stage) -> None:
    """As where a policy of the cluster forbids it."""
    apply(stage, a_manifest())
    name = f"no-selectors-in-{stage.namespace}"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["services"]}]
    here = {"matchLabels": {"kubernetes.io/metadata.name": stage.namespace}}
    policy = {
        "matchConstraints": {"resourceRules": rules, "namespaceSelector": here},
        "validations": [{"expression": "false", "message": "hands off", "reason": "Forbidden"}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    for kind, spec in (("ValidatingAdmissionPolicy", policy), ("ValidatingAdmissionPolicyBinding", binding)):
        body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        stage.cluster.kubectl("create", "--filename=-", input=json.dumps(body))
    relabelled = a_manifest()
    relabelled["metadata"]["labels"]["version"] = "2"
    eventually(lambda: "hands off" in apply(stage, relabelled, "--server-side"), "the policy works")

    build = a_served_build(stage)
    assert "hands off" in see_activated(build, "False", "Forbidden")

    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        stage.cluster.kubectl("delete", f"{kind}/{name}")
    see_activated(build, "True", "Activated")
