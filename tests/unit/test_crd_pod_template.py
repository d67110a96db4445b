"""The pod template's schema: all that a pod can be, and nothing that costs on each write or fills in a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.schema.definitions import POD_TEMPLATE
from tests.schema.pod_template import UnexpectedSchemaError, pod_template, pod_template_text, read_pod_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.schema.pod_template import Schema

COMMITTED = read_pod_template(POD_TEMPLATE)["schema"]
META_V1 = "io.k8s.apimachinery.pkg"

PUBLISHED: Schema = {
    "io.k8s.api.core.v1.PodTemplateSpec": {
        "type": "object",
        "properties": {
            "metadata": {"default": {}, "allOf": [{"$ref": "#/components/schemas/Meta"}]},
            "spec": {"default": {}, "allOf": [{"$ref": "#/components/schemas/Spec"}]},
        },
    },
    "Spec": {
        "type": "object",
        "description": "dropped",
        "required": ["containers"],
        "properties": {
            "ephemeralContainers": {"type": "array", "items": {"type": "object"}},
            "containers": {
                "type": "array",
                "items": {"default": {}, "allOf": [{"$ref": "#/components/schemas/Container"}]},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-patch-strategy": "merge",
            },
        },
    },
    "Container": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "default": "", "description": "dropped"},
            "description": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string", "default": ""}},
            "policy": {"type": "string", "enum": ["Always", "Never"], "default": "Always"},
            "port": {"$ref": f"#/components/schemas/{META_V1}.util.intstr.IntOrString"},
            "cpu": {"$ref": f"#/components/schemas/{META_V1}.api.resource.Quantity"},
        },
    },
}
"""What an API server publishes, with one example of everything the generator has to deal with."""


def generated(**changed: Any) -> Schema:
    """Generate from the published schemas with some of them changed."""
    return pod_template({"components": {"schemas": {**PUBLISHED, **changed}}})


def container_of(schema: Schema) -> Schema:
    """Return the schema of one container."""
    container: Schema = schema["properties"]["spec"]["properties"]["containers"]["items"]
    return container


def parts(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Walk a schema by its structure, so that a field may have any name."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from parts(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from parts(schema[key], f"{path}[]")


def test_references_are_replaced_and_only_types_are_kept() -> None:
    assert container_of(generated()) == {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
            "policy": {"type": "string", "enum": ["Always", "Never"]},
            "port": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
            "cpu": {
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "x-kubernetes-int-or-string": True,
                "pattern": r"^[+-]?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+|[KMGTPE]i|[munkMGTPE]|)$",
            },
        },
    }


def test_containers_that_templates_may_not_have_are_left_out() -> None:
    assert set(generated()["properties"]["spec"]["properties"]) == {"containers"}


def test_a_schema_that_contains_itself_is_refused() -> None:
    endless = {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Container"}}}

    with pytest.raises(UnexpectedSchemaError, match="Container contains itself"):
        generated(Container=endless)


@pytest.mark.parametrize(
    "union",
    [
        {"oneOf": [{"type": "string"}, {"type": "number"}]},
        {"anyOf": [{"type": "string"}, {"type": "number"}]},
        {"allOf": [{"$ref": "#/components/schemas/Spec"}, {"$ref": "#/components/schemas/Container"}]},
    ],
)
def test_a_union_that_nobody_has_looked_at_is_refused(union: Schema) -> None:
    with pytest.raises(UnexpectedSchemaError, match="a union that is neither Quantity nor IntOrString"):
        generated(Container={"type": "object", "properties": {"new": union}})


def test_the_committed_file_is_in_the_form_that_is_generated() -> None:
    assert pod_template_text(json.loads(POD_TEMPLATE.read_text("utf-8"))) == POD_TEMPLATE.read_text("utf-8")


def test_the_template_is_one_value_and_its_inside_has_no_list_types_and_no_defaults() -> None:
    inside = dict(parts(COMMITTED))
    top = inside.pop("")
    costly = {"default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"}

    assert top["x-kubernetes-map-type"] == "atomic"
    assert [path for path, part in inside.items() if costly & set(part)] == []


def test_every_part_of_the_template_has_a_type() -> None:
    untyped = [
        path for path, part in parts(COMMITTED) if "type" not in part and "x-kubernetes-int-or-string" not in part
    ]

    assert untyped == []


def test_the_metadata_is_labels_annotations_and_an_ignored_timestamp() -> None:
    metadata = COMMITTED["properties"]["metadata"]["properties"]

    assert set(metadata) == {"labels", "annotations", "creationTimestamp"}
    assert metadata["creationTimestamp"]["nullable"] is True


def test_a_template_needs_at_least_one_container() -> None:
    spec = COMMITTED["properties"]["spec"]

    assert COMMITTED["required"] == ["spec"]
    assert "containers" in spec["required"]
    assert spec["properties"]["containers"]["minItems"] == 1


def test_the_schema_is_complete() -> None:
    assert {"initContainers", "volumes", "affinity", "tolerations", "securityContext", "resourceClaims"} <= set(
        COMMITTED["properties"]["spec"]["properties"]
    )
