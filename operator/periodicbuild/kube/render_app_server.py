"""AppServers: new ones, and the completion of those that people made (design 2.2).

Must not decide what they contain.

The one idea a newcomer would miss: a JSON patch can only add to what is there, and what its author wrote is immutable.
Adoption therefore fills gaps and nothing else; `AppServer.given` says where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from periodicbuild.core.durations import format_duration
from periodicbuild.core.reasons import Trigger
from periodicbuild.kube.kinds import (
    APP_SERVER,
    APP_SERVERS,
    BUILD_LABEL,
    INPUTS_ANNOTATION,
    MANAGED_BY_LABEL,
    MANAGER,
    OVERRIDDEN_ANNOTATION,
    OWN_TEMPLATE_ANNOTATION,
    RUN_LABEL,
    RUN_NOW_ANNOTATION,
)
from periodicbuild.kube.render_changes import comparison_text
from periodicbuild.kube.render_values import instant_text, owner_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.core.facts import PeriodicBuild, Timeouts
    from periodicbuild.core.plans import AdoptAppServer, CreateAppServer


def render_app_server(create: CreateAppServer, build: PeriodicBuild) -> bytes:
    """Render a complete AppServer, for POST."""
    metadata: dict[str, Any] = {
        "name": create.name,
        "namespace": build.ref.namespace,
        "labels": _labels(build, create.run),
        "ownerReferences": [owner_reference(build.ref)],
    }
    if annotations := dict(_annotations(create)):
        metadata["annotations"] = annotations
    spec: dict[str, Any] = {
        "periodicBuildRef": {"name": build.ref.name},
        "trigger": create.trigger,
        "run": create.run,
        "attempt": create.attempt,
        "epoch": create.epoch,
        "succeedWhen": create.succeed_when,
        "timeouts": _timeouts(create.timeouts),
        "template": msgspec.Raw(create.template),
    }
    if create.slot is not None:
        spec["slotTime"] = instant_text(create.slot)
    return msgspec.json.encode(
        {"apiVersion": APP_SERVERS.api_version, "kind": APP_SERVER, "metadata": metadata, "spec": spec}
    )


def _annotations(create: CreateAppServer) -> Iterator[tuple[str, str]]:
    if create.token is not None:
        yield RUN_NOW_ANNOTATION, create.token
    if create.comparison is not None:
        yield INPUTS_ANNOTATION, comparison_text(create.comparison)
    if create.overridden:
        yield OVERRIDDEN_ANNOTATION, ",".join(create.overridden)


def render_adoption(adopt: AdoptAppServer, build: PeriodicBuild) -> bytes:
    """Render the JSON patch that completes an AppServer made by hand; it is refused if another did so before."""
    server = adopt.app_server
    guards = [
        {"op": "test", "path": "/metadata/uid", "value": server.ref.uid},
        {"op": "test", "path": "/spec/run", "value": None},  # null equals absent
    ]
    return msgspec.json.encode([*guards, *_metadata_patch(adopt, build), *_spec_patch(adopt)])


def render_cancellation(uid: str) -> bytes:
    """Render the JSON patch that cancels an AppServer, as a person would (R16, R25)."""
    return msgspec.json.encode(
        [{"op": "test", "path": "/metadata/uid", "value": uid}, _added("/spec/cancelled", value=True)]
    )


def _metadata_patch(adopt: AdoptAppServer, build: PeriodicBuild) -> Iterator[dict[str, Any]]:
    given = adopt.app_server.given
    yield from _added_fields(given, "/metadata/labels", _labels(build, adopt.app_server.ref.name))
    if "/spec/template" in given:
        yield from _added_fields(given, "/metadata/annotations", {OWN_TEMPLATE_ANNOTATION: "true"})
    owner = owner_reference(build.ref)
    if "/metadata/ownerReferences" in given:
        yield _added("/metadata/ownerReferences/-", owner)
    else:
        yield _added("/metadata/ownerReferences", [owner])


def _spec_patch(adopt: AdoptAppServer) -> Iterator[dict[str, Any]]:
    given = adopt.app_server.given
    fields: dict[str, Any] = {
        "run": adopt.app_server.ref.name,
        "attempt": 1,
        "trigger": Trigger.MANUAL,
        "epoch": adopt.epoch,
        "succeedWhen": adopt.succeed_when,
        "template": msgspec.Raw(adopt.template),
    }
    yield from (_added(path, value) for name, value in fields.items() if (path := f"/spec/{name}") not in given)
    yield from _added_fields(given, "/spec/timeouts", _timeouts(adopt.timeouts))


def _added_fields(given: frozenset[str], parent: str, fields: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Add to an object one by one, or the whole if there is none, as a patch cannot add to what is not there."""
    if parent not in given:
        yield _added(parent, fields)
        return
    for name, value in fields.items():
        path = f"{parent}/{name.replace('~', '~0').replace('/', '~1')}"
        if path not in given:
            yield _added(path, value)


def _added(path: str, value: object) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def _labels(build: PeriodicBuild, run: str) -> dict[str, str]:
    return {MANAGED_BY_LABEL: MANAGER, BUILD_LABEL: build.ref.name, RUN_LABEL: run}


def _timeouts(timeouts: Timeouts) -> dict[str, str]:
    lengths = {"waiting": timeouts.waiting, "configuring": timeouts.configuring, "run": timeouts.run}
    return {name: format_duration(length) for name, length in lengths.items() if length is not None}
