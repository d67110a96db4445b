"""The secrets that a pod template holds in plain text are known, so that no log shows them (R24)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.builders import a_container, a_pod

from periodicbuild.core.facts import TemplateJson
from periodicbuild.kube.template_secrets import secrets_in, without_secrets


def a_template(**spec: Any) -> TemplateJson:
    return TemplateJson(json.dumps({"metadata": {"labels": {"app": "x"}}, "spec": spec}).encode())


def test_the_values_of_variables_with_a_secret_name_are_known() -> None:
    main = [
        {"name": "DB_PASSWORD", "value": "planted-1"},
        {"name": "HOME", "value": "/root"},
        {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
        {"name": "EMPTY_SECRET", "value": ""},
    ]
    init = [{"name": "github_token", "value": "planted-2"}]
    template = a_template(containers=[{"name": "main", "env": main}], initContainers=[{"name": "fetch", "env": init}])
    assert secrets_in(template) == {"planted-1", "planted-2"}


def test_without_any_there_are_none() -> None:
    assert secrets_in(a_template(containers=[{"name": "main"}])) == frozenset()
    assert secrets_in(None) == frozenset()


def test_what_is_no_template_has_none() -> None:
    assert secrets_in(TemplateJson(b'{"spec": 3}')) == frozenset()


def test_what_the_kubelet_quotes_of_them_is_taken_out() -> None:
    """It quotes a command that cannot be run, and variables in it have their values by then."""
    env = [{"name": "DB_PASSWORD", "value": "planted-1"}]
    template = a_template(containers=[{"name": "main", "env": env}])
    waiting = a_container(waiting_reason="RunContainerError", waiting_message='exec: "planted-1": not found')
    pod = replace(a_pod(containers=[waiting, a_container("other")]), message="killed planted-1")
    shown = without_secrets(pod, template)
    assert shown.message == "killed [redacted]"
    assert [one.waiting_message for one in shown.containers] == ['exec: "[redacted]": not found', ""]
    silent = a_pod()
    assert without_secrets(silent, template) is silent
