"""Turn the cluster's own OpenAPI into the structural schema of a pod template.

The API server publishes what a PodTemplateSpec is; a CRD must repeat it, as a structural schema without references.
What a newcomer would miss: every default, list type and map type goes, and the template as a whole is atomic.
Published defaults are Go zero values on required fields, so they would switch `required` off and write noise into
stored objects; list maps inside the template double the price of each status write.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Schema = dict[str, Any]

OPENAPI_PATH = "/openapi/v3/api/v1"
"""Where the API server publishes the schemas of the core group."""

_TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_REFERENCE = "#/components/schemas/"
_KEPT = ("type", "format", "enum", "required")
_DROPPED_FROM_SPEC = ("ephemeralContainers",)
"""Not allowed in templates, and 8 kB long."""

_ANY_INT_OR_STRING: Schema = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
_QUANTITY_PATTERN = r"^[+-]?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+|[KMGTPE]i|[munkMGTPE]|)$"

_OWN_LABELS_RULE = {
    "rule": "self.all(key, !key.startsWith('periodicbuild.dev/'))",
    "message": "labels under periodicbuild.dev/ are set by the operator: remove them from the template",
}


class UnexpectedSchemaError(Exception):
    """The published OpenAPI has a construct that this generator does not know: read it and extend the generator."""


def fetch_pod_template(kubectl: Callable[..., str]) -> Schema:
    """Read version and OpenAPI of the running cluster through `kubectl(*args)`; the result is what is committed."""
    version = json.loads(kubectl("get", "--raw", "/version"))["gitVersion"]
    return {"kubernetesVersion": version, "schema": pod_template(json.loads(kubectl("get", "--raw", OPENAPI_PATH)))}


def read_pod_template(path: Path) -> Schema:
    """Read the committed pod template: `kubernetesVersion` and `schema`."""
    committed: Schema = json.loads(path.read_text("utf-8"))
    return committed


def pod_template_text(template: Schema) -> str:
    """Render for the committed file: one key per line, so that a new Kubernetes shows as a readable difference."""
    return json.dumps(template, indent=0, sort_keys=True) + "\n"


def pod_template(openapi: Schema) -> Schema:
    """Build the schema of `spec.template` from the OpenAPI document of the core group."""
    schema = _inlined(_reference(_TEMPLATE), openapi["components"]["schemas"], ())
    spec = schema["properties"]["spec"]
    for name in _DROPPED_FROM_SPEC:
        del spec["properties"][name]
    spec["properties"]["containers"]["minItems"] = 1
    metadata = {
        "type": "object",
        "description": "Labels and annotations of the pods; nothing else, the operator names them.",
        "properties": _metadata_properties(),
    }
    return {
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "required": ["spec"],
        "properties": {"metadata": metadata, "spec": {"description": "The pods, as in any workload.", **spec}},
    }


def _metadata_properties() -> Schema:
    strings: Schema = {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 64}
    return {
        "labels": {
            "description": "Labels of the pods; those under periodicbuild.dev/ belong to the operator.",
            **strings,
            "x-kubernetes-validations": [_OWN_LABELS_RULE],
        },
        "annotations": {"description": "Annotations of the pods.", **strings},
        "creationTimestamp": {
            "description": "Ignored; here because `kubectl create --dry-run` prints it.",
            "type": "string",
            "format": "date-time",
            "nullable": True,
        },
    }


def _reference(name: str) -> Schema:
    return {"$ref": _REFERENCE + name}


def _inlined(node: Schema, schemas: Schema, path: tuple[str, ...]) -> Schema:
    """Copy a schema with its references replaced by their targets; `path` holds the references being followed."""
    target = _referenced(node)
    if target is None:
        return _copied(node, schemas, path)
    if target == _QUANTITY:
        return {**_ANY_INT_OR_STRING, "pattern": _QUANTITY_PATTERN}
    if target == _INT_OR_STRING:
        return dict(_ANY_INT_OR_STRING)
    if target in path:
        message = f"{target} contains itself ({' > '.join(path)}): a structural schema cannot express it"
        raise UnexpectedSchemaError(message)
    return _inlined(schemas[target], schemas, (*path, target))


def _referenced(node: Schema) -> str | None:
    """Name what a schema refers to: a reference stands alone, or as the one member of `allOf` beside a default."""
    members = node.get("allOf", [node])
    if len(members) != 1 or "oneOf" in node or "anyOf" in node:
        message = f"a union that is neither Quantity nor IntOrString: {json.dumps(node)[:200]}"
        raise UnexpectedSchemaError(message)
    reference = members[0].get("$ref")
    return reference.removeprefix(_REFERENCE) if reference else None


def _copied(node: Schema, schemas: Schema, path: tuple[str, ...]) -> Schema:
    copy: Schema = {key: node[key] for key in _KEPT if key in node}
    if "properties" in node:
        copy["properties"] = {
            name: _inlined(child, schemas, path)
            for name, child in sorted(node["properties"].items())
            if not (path[-1] == _TEMPLATE and name == "metadata")
        }
    for key in ("items", "additionalProperties"):
        if key in node:
            copy[key] = _inlined(node[key], schemas, path)
    return copy
