"""What holds for every field of the definitions outside the pod template, found by walking the whole schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.schema.definitions import SOURCES, definition, schema_of
from tests.schema.fields import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.schema.definitions import Schema

SET_ONCE = "self == oldSelf"

DEFAULTS = {
    "spec.enabled": False,
    "spec.schedule.interval.afterManualRun": "Restart",
    "spec.schedule.calendar.days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    "spec.schedule.calendar.timeZone": "Etc/UTC",
    "spec.schedule.cron.timeZone": "Etc/UTC",
    "spec.concurrencyPolicy": "Forbid",
    "spec.retries": {},
    "spec.retries.limit": 0,
    "spec.succeedWhen": "Ready",
    "spec.recovery": "Restart",
    "spec.history": {},
    "spec.history.successfulLimit": 3,
    "spec.history.failedLimit": 1,
}
"""The only defaults of the schema: they are meaning. What a release may improve is the operator's."""


def walk(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Give each part of a schema with its path, except the pod template's inside; list items as `path[]`."""
    yield path, schema
    if path.endswith(".template"):
        return
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")


def every_field(*below: str) -> dict[str, Schema]:
    """Return all fields of all kinds below spec or status, by `Kind.path`."""
    crds = [definition(source) for source in SOURCES]
    return {
        crd["spec"]["names"]["kind"] + path: field
        for crd in crds
        for part in below
        for path, field in walk(schema_of(crd)["properties"][part], f".{part}")
    }


def violations(below: tuple[str, ...], *, of_type: str, holds: Callable[[Schema], bool]) -> list[str]:
    """Name the fields of a type for which something does not hold."""
    return [path for path, field in every_field(*below).items() if field.get("type") == of_type and not holds(field)]


BOTH = ("spec", "status")


def test_every_field_has_a_description() -> None:
    named = {path: field for path, field in every_field(*BOTH).items() if not path.endswith("[]")}

    assert [path for path, field in named.items() if not field.get("description")] == []


def test_every_text_has_a_length_or_a_list_of_values() -> None:
    assert violations(BOTH, of_type="string", holds=lambda field: "maxLength" in field or "enum" in field) == []


def test_every_integer_has_both_bounds() -> None:
    assert violations(BOTH, of_type="integer", holds=lambda field: {"minimum", "maximum", "format"} <= set(field)) == []


def test_every_list_has_a_length_and_a_list_type() -> None:
    required = {"maxItems", "x-kubernetes-list-type"}

    assert violations(BOTH, of_type="array", holds=lambda field: required <= set(field)) == []


def test_status_has_no_closed_list_of_values() -> None:
    assert [path for path, field in every_field("status").items() if "enum" in field] == []


def test_status_has_no_defaults() -> None:
    assert [path for path, field in every_field("status").items() if "default" in field] == []


def test_instants_in_status_end_in_time_and_lengths_in_seconds() -> None:
    status = every_field("status")
    instants = {path.rpartition(".")[2] for path, field in status.items() if field.get("format") == "date-time"}

    assert {name for name in instants if not name.endswith("Time")} == {"time", "upcoming[]"}
    assert [path for path in status if path.lower().endswith("duration") or "durations" in path.lower()] == [
        "PeriodicBuild.status.durationsSeconds",
        "PeriodicBuild.status.durationsSeconds[]",
    ]


def test_the_defaults_of_the_schema_are_the_ones_with_meaning() -> None:
    found = {path: field["default"] for path, field in every_field("spec").items() if "default" in field}

    assert found == {f"PeriodicBuild.{path}": value for path, value in DEFAULTS.items()} | {
        "BuildGate.spec.closed": False,
        "BuildGate.spec.windows[].recurring.timeZone": "Etc/UTC",
    }


@pytest.mark.parametrize("source", SOURCES)
def test_both_parts_of_an_object_are_written_apart(source: str) -> None:
    (version,) = definition(source)["spec"]["versions"]

    assert version["subresources"] == {"status": {}}
    assert (version["name"], version["served"], version["storage"]) == ("v1alpha1", True, True)


def test_every_rule_says_what_to_do_in_a_whole_sentence() -> None:
    rules = [rule for field in every_field(*BOTH).values() for rule in field.get("x-kubernetes-validations", [])]

    assert rules
    assert [rule["message"] for rule in rules if not _names_a_remedy(rule["message"])] == []


def _names_a_remedy(message: str) -> bool:
    return ": " in message or ", like " in message


def test_every_field_of_an_app_server_is_set_once() -> None:
    spec = schema_of(definition("appservers.yaml"))["properties"]["spec"]
    scalars = {path: field for path, field, _ in fields(spec) if "properties" not in field and path != "spec.cancelled"}

    unguarded = [
        path
        for path, field in scalars.items()
        if SET_ONCE not in [rule["rule"] for rule in field.get("x-kubernetes-validations", [])]
    ]

    assert unguarded == []


def test_no_optional_field_of_an_app_server_can_come_and_go() -> None:
    spec = schema_of(definition("appservers.yaml"))["properties"]["spec"]
    before, after, *_ = [rule["rule"] for rule in spec["x-kubernetes-validations"]]
    optional = set(spec["properties"]) - {"periodicBuildRef", "run", "cancelled"}

    assert {name for name in optional if f"(!has(oldSelf.{name}) || has(self.{name}))" in before} == optional
    assert {name for name in optional if f"has(self.{name}) == has(oldSelf.{name})" in after} == optional
    assert "!has(oldSelf.run) || (has(self.run) &&" in after


def test_no_rule_compares_templates() -> None:
    template = schema_of(definition("appservers.yaml"))["properties"]["spec"]["properties"]["template"]

    assert "x-kubernetes-validations" not in template
