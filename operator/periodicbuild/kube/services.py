"""A Service on both ways: what activation reads of it, and the patch that points it at a server (R28).

The one idea a newcomer would miss: the patch tests what was read.  A Service that has been made anew, has taken its
consent back or was pointed elsewhere in between is left as it is, and read again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from periodicbuild.core.services import Service
from periodicbuild.kube.kinds import ACTIVATED_BY_LABEL, APP_SERVER_LABEL


class _Labels(msgspec.Struct):
    activated_by: str | None = msgspec.field(name=ACTIVATED_BY_LABEL, default=None)


class _Metadata(msgspec.Struct):
    name: str
    uid: str
    labels: _Labels | None = None


class _Spec(msgspec.Struct):
    type: str = ""
    selector: dict[str, str] | None = None


class _Service(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec


_decode = msgspec.json.Decoder(_Service).decode


def service_from_json(raw: bytes) -> Service:
    """Read the Service in an answer of the API; raises msgspec.DecodeError for anything else."""
    stored = _decode(raw)
    selector = stored.spec.selector or None
    names_one = selector is not None and set(selector) == {APP_SERVER_LABEL}
    return Service(
        name=stored.metadata.name,
        uid=stored.metadata.uid,
        activated_by=stored.metadata.labels.activated_by if stored.metadata.labels is not None else None,
        is_external=stored.spec.type == "ExternalName",
        selector=tuple(sorted(selector.items())) if selector is not None else None,
        app_server=selector[APP_SERVER_LABEL] if selector is not None and names_one else None,
    )


def render_switch(service: Service, app_server: str) -> bytes:
    """Render the JSON patch that points a Service at the pods of one AppServer, if it is as it was read."""
    label = ACTIVATED_BY_LABEL.replace("/", "~1")
    selector = dict(service.selector) if service.selector is not None else None
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": service.uid},
        {"op": "test", "path": f"/metadata/labels/{label}", "value": service.activated_by},
        {"op": "test", "path": "/spec/selector", "value": selector},  # null equals absent
        {"op": "add", "path": "/spec/selector", "value": {APP_SERVER_LABEL: app_server}},
    ]
    return msgspec.json.encode(patch)
