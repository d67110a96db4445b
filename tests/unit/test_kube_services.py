"""A Service as it is read, and the patch that points it at a server (R28)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.builders.serving import NEW, OLD, a_service

from periodicbuild.core.services import Service
from periodicbuild.kube.services import render_switch, service_from_json

LABEL = "periodicbuild.dev/app-server"


def stored(**spec: Any) -> bytes:
    metadata = {"name": "front", "uid": "uid-front", "labels": {"periodicbuild.dev/activated-by": "nightly"}}
    return msgspec.json.encode({"kind": "Service", "metadata": metadata, "spec": spec})


READ: dict[str, tuple[dict[str, Any], Service]] = {
    "without a selector": ({}, a_service()),
    "with an empty one": ({"selector": {}}, a_service()),
    "with one of our servers": ({"selector": {LABEL: OLD.ref.name}}, a_service(OLD)),
    "with something else": ({"selector": {"app": "web"}}, a_service("web")),
    "of somewhere else": ({"type": "ExternalName"}, a_service(is_external=True)),
}


@pytest.mark.parametrize(("spec", "service"), READ.values(), ids=list(READ))
def test_a_service_is_read(spec: dict[str, Any], service: Service) -> None:
    assert service_from_json(stored(**spec)) == service


def test_a_selector_that_names_more_than_a_server_names_none() -> None:
    """Client-side apply leaves both keys."""
    service = service_from_json(stored(selector={LABEL: OLD.ref.name, "app": "web"}))
    assert (service.app_server, service.selector) == (None, (("app", "web"), (LABEL, OLD.ref.name)))


def test_one_without_labels_has_not_agreed() -> None:
    raw = msgspec.json.encode({"metadata": {"name": "front", "uid": "1"}, "spec": {}})
    assert service_from_json(raw).activated_by is None


@pytest.mark.parametrize(("service", "was"), [(a_service(), None), (a_service(OLD), {LABEL: OLD.ref.name})])
def test_a_switch_tests_what_was_read_and_writes_the_selector_alone(service: Service, was: object) -> None:
    assert msgspec.json.decode(render_switch(service, NEW.ref.name)) == [
        {"op": "test", "path": "/metadata/uid", "value": "uid-front"},
        {"op": "test", "path": "/metadata/labels/periodicbuild.dev~1activated-by", "value": "nightly"},
        {"op": "test", "path": "/spec/selector", "value": was},
        {"op": "add", "path": "/spec/selector", "value": {LABEL: NEW.ref.name}},
    ]
