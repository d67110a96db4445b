"""The secrets that a pod template holds in plain text are known, so that no log shows them (R24)."""

from __future__ import annotations

import json
from typing import Any

from periodicbuild.core.facts import TemplateJson
from periodicbuild.kube.template_secrets import secrets_in


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
