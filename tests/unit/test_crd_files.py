"""The committed definitions are what the sources render to, small enough to apply, and hold the core's own grammar."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.schema.definitions import CRDS, SOURCES, definition, definition_text, schema_of
from tests.schema.fields import FIELDS_PAGE, fields_text
from tests.schema.generate import generated, main, outdated

from periodicbuild.core.durations import DURATION_PATTERN, MAX_TEXT_LENGTH
from periodicbuild.core.intervals import AMBIGUOUS_PATTERN, CALENDAR_UNIT_PATTERN, INTERVAL_PATTERN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.schema.definitions import Schema

POLICY = "appserver-template-policy.yaml"
MAX_COMPACT_BYTES = 100_000
"""What `kubectl apply` keeps in an annotation is compact JSON; the limit there is 262,144."""

DURATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "periodicbuilds.yaml": {
        "retries": ("delay", "maxDelay"),
        "timeouts": ("waiting", "configuring", "run"),
    },
    "appservers.yaml": {"timeouts": ("waiting", "configuring", "run")},
}


def spec_of(source: str) -> Schema:
    """Return the fields of the spec of one definition."""
    properties: Schema = schema_of(definition(source))["properties"]["spec"]["properties"]
    return properties


def test_the_committed_files_are_what_is_generated() -> None:
    assert outdated(generated()) == []


def test_the_check_passes_without_a_cluster() -> None:
    assert main(["--check"]) == 0


def test_a_file_that_was_edited_by_hand_is_found(tmp_path: Path) -> None:
    edited = tmp_path / "edited.yaml"
    edited.write_text("edited", "utf-8")

    assert outdated({edited: "generated", tmp_path / "missing.yaml": "generated"}) == [
        edited,
        tmp_path / "missing.yaml",
    ]


def test_the_table_of_fields_is_what_is_generated() -> None:
    assert FIELDS_PAGE.read_text("utf-8") == fields_text()


def test_the_folder_holds_only_what_is_to_be_applied() -> None:
    assert sorted(path.name for path in CRDS.iterdir()) == sorted([*SOURCES, POLICY])


@pytest.mark.parametrize("source", SOURCES)
def test_a_generated_file_says_from_what_and_how(source: str) -> None:
    header = (CRDS / source).read_text("utf-8").split("apiVersion:")[0]

    assert "python -m tests.schema.generate" in header
    assert re.search(r"/openapi/v3/api/v1 of Kubernetes 1\.[0-9]+\.[0-9]+ ", header)


@pytest.mark.parametrize("source", SOURCES)
def test_the_text_reads_back_as_the_definition(source: str) -> None:
    assert yaml.safe_load(definition_text(source)) == definition(source)


@pytest.mark.parametrize("source", SOURCES)
def test_a_definition_is_small_enough_for_client_side_apply(source: str) -> None:
    assert len(json.dumps(definition(source), separators=(",", ":")).encode()) < MAX_COMPACT_BYTES


@pytest.mark.parametrize(
    ("source", "part", "field"),
    [
        (source, part, field)
        for source, parts in DURATIONS.items()
        for part, names in parts.items()
        for field in names
    ],
)  # fmt: skip
def test_a_duration_has_the_pattern_of_the_parser(source: str, part: str, field: str) -> None:
    schema = spec_of(source)[part]["properties"][field]

    assert (schema["pattern"], schema["maxLength"]) == (DURATION_PATTERN, MAX_TEXT_LENGTH)


def test_the_interval_has_the_patterns_of_the_parser() -> None:
    schema = spec_of("periodicbuilds.yaml")["schedule"]["properties"]["interval"]["properties"]["every"]
    (rule,) = schema["x-kubernetes-validations"]

    assert f"self.matches('{INTERVAL_PATTERN}')" in rule["rule"]
    assert f"self.matches('{AMBIGUOUS_PATTERN}')" in rule["messageExpression"]
    assert f"self.matches('{CALENDAR_UNIT_PATTERN}')" in rule["messageExpression"]
    assert schema["maxLength"] == MAX_TEXT_LENGTH


def test_no_name_of_the_grammar_is_left_unreplaced() -> None:
    assert not re.search(r"\b[A-Z]+_(?:PATTERN|SECONDS|LENGTH)\b|SECONDS\(", "".join(map(definition_text, SOURCES)))


def test_the_policy_writes_out_every_default_that_the_api_server_would_add() -> None:
    policy, _ = yaml.safe_load_all((CRDS / POLICY).read_text("utf-8"))

    constraints = policy["spec"]["matchConstraints"]
    assert set(constraints) == {"matchPolicy", "namespaceSelector", "objectSelector", "resourceRules"}
    assert all(rule["scope"] == "*" for rule in constraints["resourceRules"])
