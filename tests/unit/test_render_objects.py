"""AppServers and pods as they are sent: the plan word for word, and the template as its author wrote it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.builders import A_TEMPLATE, SLOT, a_build, a_spec, an_app_server, at, by_hand, some_timeouts

from periodicbuild.core.facts import AppServer, TemplateJson
from periodicbuild.core.plans import AdoptAppServer, CreateAppServer
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import Trigger
from periodicbuild.kube.render import render_adoption, render_app_server, render_dry_run_pod, render_pod

BUILD = a_build()
REQUEST = "please"
CREATE = CreateAppServer(
    name="nightly-20261124-023000-1",
    run="20261124-023000",
    attempt=1,
    trigger=Trigger.SCHEDULE,
    slot=at(SLOT),
    epoch=4,
    succeed_when=SucceedWhen.READY,
    timeouts=some_timeouts(run="12h"),
    template=A_TEMPLATE,
)
OWNED_BY_BUILD = {
    "apiVersion": "periodicbuild.dev/v1alpha1",
    "kind": "PeriodicBuild",
    "name": "nightly",
    "uid": "uid-nightly",
    "controller": True,
    "blockOwnerDeletion": False,
}
LABELS = {
    "app.kubernetes.io/managed-by": "periodicbuild",
    "periodicbuild.dev/periodic-build": "nightly",
    "periodicbuild.dev/run": "20261124-023000",
}
TEMPLATE = msgspec.json.decode(A_TEMPLATE)


def sent(body: bytes) -> Any:
    return msgspec.json.decode(body)


def test_an_app_server_is_complete_from_the_start() -> None:
    assert sent(render_app_server(CREATE, BUILD)) == {
        "apiVersion": "periodicbuild.dev/v1alpha1",
        "kind": "AppServer",
        "metadata": {
            "name": "nightly-20261124-023000-1",
            "namespace": "team-a",
            "labels": LABELS,
            "ownerReferences": [OWNED_BY_BUILD],
        },
        "spec": {
            "periodicBuildRef": {"name": "nightly"},
            "trigger": "Schedule",
            "run": "20261124-023000",
            "attempt": 1,
            "slotTime": "2026-11-24T02:30:00Z",
            "epoch": 4,
            "succeedWhen": "Ready",
            "timeouts": {"waiting": "1h", "configuring": "2h30m", "run": "12h"},
            "template": TEMPLATE,
        },
    }


def test_an_app_server_that_answers_a_request_names_its_token_and_has_no_slot() -> None:
    body = sent(render_app_server(replace(CREATE, slot=None, token=REQUEST), BUILD))
    assert body["metadata"]["annotations"] == {"periodicbuild.dev/run-now": REQUEST}
    assert "slotTime" not in body["spec"]


def adoption(server: AppServer, template: TemplateJson = A_TEMPLATE) -> list[dict[str, Any]]:
    adopt = AdoptAppServer(
        app_server=server, epoch=4, succeed_when=SucceedWhen.READY, timeouts=some_timeouts(), template=template
    )
    patch: list[dict[str, Any]] = sent(render_adoption(adopt, BUILD))
    return patch


def additions(patch: list[dict[str, Any]]) -> dict[str, Any]:
    return {operation["path"]: operation["value"] for operation in patch if operation["op"] == "add"}


def test_adoption_is_refused_if_another_did_so_before() -> None:
    assert adoption(by_hand())[:2] == [
        {"op": "test", "path": "/metadata/uid", "value": "uid-try-it"},
        {"op": "test", "path": "/spec/run", "value": None},
    ]


def test_adoption_of_a_bare_one_adds_everything() -> None:
    assert additions(adoption(by_hand())) == {
        "/metadata/labels": {**LABELS, "periodicbuild.dev/run": "try-it"},
        "/metadata/ownerReferences": [OWNED_BY_BUILD],
        "/spec/run": "try-it",
        "/spec/attempt": 1,
        "/spec/trigger": "Manual",
        "/spec/epoch": 4,
        "/spec/succeedWhen": "Ready",
        "/spec/template": TEMPLATE,
        "/spec/timeouts": {"waiting": "1h", "configuring": "2h30m"},
    }


def test_adoption_fills_gaps_and_leaves_alone_what_its_author_wrote() -> None:
    given = [
        *("/metadata/labels", "/metadata/annotations", "/metadata/ownerReferences"),
        *("/spec/trigger", "/spec/attempt", "/spec/succeedWhen", "/spec/timeouts", "/spec/timeouts/waiting"),
        "/spec/template",
    ]
    assert additions(adoption(by_hand(given=given))) == {
        "/metadata/labels/app.kubernetes.io~1managed-by": "periodicbuild",
        "/metadata/labels/periodicbuild.dev~1periodic-build": "nightly",
        "/metadata/labels/periodicbuild.dev~1run": "try-it",
        "/metadata/annotations/periodicbuild.dev~1own-template": "true",
        "/metadata/ownerReferences/-": OWNED_BY_BUILD,
        "/spec/run": "try-it",
        "/spec/epoch": 4,
        "/spec/timeouts/configuring": "2h30m",
    }


def test_an_own_template_is_marked_also_where_there_are_no_annotations() -> None:
    patch = additions(adoption(by_hand(given=["/spec/template"])))
    assert patch["/metadata/annotations"] == {"periodicbuild.dev/own-template": "true"}


def test_a_pod_is_the_template_plus_what_makes_it_ours() -> None:
    template = (
        b'{"metadata":{"labels":{"app":"web"},"annotations":{"note":"x"},"creationTimestamp":null},'
        b'"spec":{"containers":[{"name":"main","resources":{"limits":{"cpu":1.5}}}],"hostUsers":false}}'
    )
    server = an_app_server(BUILD, template=template)
    assert sent(render_pod(server)) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "nightly-20261124-023000-1",
            "namespace": "team-a",
            "labels": {
                "app": "web",
                "periodicbuild.dev/periodic-build": "nightly",
                "periodicbuild.dev/run": "20261124-023000",
                "periodicbuild.dev/app-server": "nightly-20261124-023000-1",
            },
            "annotations": {"note": "x", "periodicbuild.dev/slot": "2026-11-24T02:30:00Z"},
            "ownerReferences": [
                {
                    "apiVersion": "periodicbuild.dev/v1alpha1",
                    "kind": "AppServer",
                    "name": "nightly-20261124-023000-1",
                    "uid": "uid-nightly-20261124-023000-1",
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {
            "containers": [{"name": "main", "resources": {"limits": {"cpu": 1.5}}}],
            "hostUsers": False,
            "restartPolicy": "Always",
        },
    }


RESTART_POLICIES = {
    "a server is kept up": (SucceedWhen.READY, b"{}", "Always"),
    "a build that ends is not repeated": (SucceedWhen.COMPLETED, b"{}", "Never"),
    "null is no choice": (SucceedWhen.COMPLETED, b'{"restartPolicy":null}', "Never"),
    "the author's choice stands": (SucceedWhen.COMPLETED, b'{"restartPolicy":"OnFailure"}', "OnFailure"),
}


@pytest.mark.parametrize(("succeed_when", "spec", "policy"), RESTART_POLICIES.values(), ids=RESTART_POLICIES.keys())
def test_the_restart_policy_follows_from_what_success_means(
    succeed_when: SucceedWhen, spec: bytes, policy: str
) -> None:
    server = an_app_server(a_build(spec=a_spec(succeed_when=succeed_when)), template=b'{"spec":' + spec + b"}")
    assert sent(render_pod(server))["spec"]["restartPolicy"] == policy


def test_a_label_of_ours_in_a_template_does_not_win() -> None:
    template = b'{"metadata":{"labels":{"periodicbuild.dev/run":"mine"}}}'
    labels = sent(render_pod(an_app_server(template=template)))["metadata"]["labels"]
    assert labels["periodicbuild.dev/run"] == "20261124-023000"


def test_a_pod_without_slot_has_no_slot() -> None:
    assert sent(render_pod(an_app_server(slot=None)))["metadata"]["annotations"] == {}


@pytest.mark.parametrize("template", [None, b"", b"null", b"[]", b"nonsense", b'{"spec":5}'], ids=repr)
def test_a_template_that_is_none_becomes_a_pod_for_the_api_to_refuse(template: bytes | None) -> None:
    body = sent(render_pod(an_app_server(template=template)))
    assert body["spec"] == {"restartPolicy": "Always"}


def test_a_dry_run_sends_what_the_next_pod_will_be_under_a_name_that_meets_no_other() -> None:
    dry = sent(render_dry_run_pod(BUILD))
    real = sent(render_pod(an_app_server(BUILD, slot=None)))
    assert dry["spec"] == real["spec"]
    assert dry["metadata"].keys() ^ real["metadata"].keys() == {"name", "generateName"}
    assert dry["metadata"]["labels"].keys() == real["metadata"]["labels"].keys()
    assert dry["metadata"]["generateName"] == "nightly-dry-run-"
