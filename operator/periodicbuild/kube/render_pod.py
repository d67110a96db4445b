"""Pods: the template as it is, plus what makes the pod ours (design 2.1, 2.4).

Must not judge a template: what is wrong with it the API server says better.

The one idea a newcomer would miss: the dry run must send what the real creation sends, so that a policy of the cluster
judges the same pod; only its name is left to the server, lest it meets a real one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from periodicbuild.core.notices import ObjectRef
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.kube.kinds import (
    APP_SERVER,
    APP_SERVER_LABEL,
    APP_SERVERS,
    BUILD_LABEL,
    POD,
    PODS,
    RUN_LABEL,
    SLOT_ANNOTATION,
)
from periodicbuild.kube.render_values import instant_text, owner_reference

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, PeriodicBuild

DRY_RUN: Final = "dry-run"
"""Run id of a pod that never comes to be."""

_RESTART_POLICY: Final = {SucceedWhen.READY: "Always", SucceedWhen.COMPLETED: "Never"}


class _Metadata(msgspec.Struct):
    labels: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None


class _Template(msgspec.Struct):
    metadata: _Metadata | None = None
    spec: dict[str, msgspec.Raw] | None = None


_decode = msgspec.json.Decoder(_Template).decode


def render_pod(app_server: AppServer) -> bytes:
    """Render the pod of an AppServer, for POST; one without a usable template becomes a pod that the API refuses."""
    template = _read(app_server.template)
    metadata = _metadata(template, app_server.ref, build=app_server.build_name, run=app_server.run)
    metadata["name"] = app_server.ref.name
    if app_server.slot is not None:
        metadata["annotations"][SLOT_ANNOTATION] = instant_text(app_server.slot)
    return _pod(metadata, template, app_server.succeed_when)


def render_dry_run_pod(build: PeriodicBuild) -> bytes:
    """Render what the next pod would look like, for POST with `dryRun=All`: its AppServer and uid do not exist."""
    template = _read(build.spec.template)
    name = f"{build.ref.name}-{DRY_RUN}"
    owner = ObjectRef(
        api_version=APP_SERVERS.api_version,
        kind=APP_SERVER,
        namespace=build.ref.namespace,
        name=name,
        uid=build.ref.uid,
    )
    metadata = _metadata(template, owner, build=build.ref.name, run=DRY_RUN)
    metadata["generateName"] = f"{name}-"
    return _pod(metadata, template, build.spec.succeed_when)


def _read(template: bytes | None) -> _Template:
    try:
        return _decode(template or b"{}")
    except msgspec.MsgspecError:
        return _Template()


def _metadata(template: _Template, app_server: ObjectRef, *, build: str, run: str | None) -> dict[str, Any]:
    given = template.metadata or _Metadata()
    ours = {BUILD_LABEL: build, RUN_LABEL: run or app_server.name, APP_SERVER_LABEL: app_server.name}
    return {
        "namespace": app_server.namespace,
        "labels": {**(given.labels or {}), **ours},
        "annotations": dict(given.annotations or {}),
        "ownerReferences": [owner_reference(app_server)],
    }


def _pod(metadata: dict[str, Any], template: _Template, succeed_when: SucceedWhen) -> bytes:
    spec: dict[str, Any] = {**(template.spec or {})}
    if spec.get("restartPolicy") in (None, msgspec.Raw(b"null")):
        spec["restartPolicy"] = _RESTART_POLICY[succeed_when]
    return msgspec.json.encode({"apiVersion": PODS.api_version, "kind": POD, "metadata": metadata, "spec": spec})
