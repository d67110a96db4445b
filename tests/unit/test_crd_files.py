"""The committed definitions are what the sources render to, small enough to apply, and hold the core's own grammar."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.schema.definitions import CRDS, MARK, SOURCES, definition, definition_text, schema_of
from tests.schema.fields import FIELDS_PAGE, fields_text
from tests.schema.generate import generated, main, outdated
from tests.schema.grammar import TIME_OF_DAY_PATTERN, TIME_ZONE_PATTERN
from tests.schema.policies import WARNINGS, warnings_text

from periodicbuild.core import crons
from periodicbuild.core.calendars import Weekday
from periodicbuild.core.durations import DURATION_FORM, DURATION_PATTERN, MAX_TEXT_LENGTH
from periodicbuild.core.intervals import (
    AMBIGUOUS_PATTERN,
    CALENDAR_UNIT_PATTERN,
    INTERVAL_PATTERN,
    INTERVAL_SECONDS_CEL,
)
from periodicbuild.core.zones import zone_names

if TYPE_CHECKING:
    from pathlib import Path

    from tests.schema.definitions import MARK, Schema

POLICIES = (
    "appserver-rights-policy.yaml",
    "appserver-template-policy.yaml",
    "periodicbuild-activation-policy.yaml",
    "periodicbuild-rights-policy.yaml",
    WARNINGS,
)
MAX_COMPACT_BYTES = 100_000
"""What `kubectl apply` keeps in an annotation is compact JSON; the limit there is 262,144."""

TIMEOUTS = ("timeouts.waiting", "timeouts.configuring", "timeouts.run")
DURATIONS: dict[str, tuple[str, ...]] = {
    "periodicbuilds.yaml": (
        "schedule.calendar.startingDeadline",
        "schedule.calendar.spread",
        "schedule.cron.startingDeadline",
        "schedule.cron.spread",
        "retries.delay",
        "retries.maxDelay",
        "activation.fallbackFor",
        "estimatedDuration",
        *TIMEOUTS,
    ),
    "appservers.yaml": TIMEOUTS,
    "buildgates.yaml": ("margin",),
}


def field_of(path: str, source: str = "periodicbuilds.yaml") -> Schema:
    """Return one field below the spec of a definition."""
    field: Schema = schema_of(definition(source))["properties"]["spec"]
    for name in path.split("."):
        field = field["properties"][name]
    return field


def policy_of(file: str) -> tuple[Schema, Schema]:
    """Return a committed policy and its binding."""
    policy, binding = yaml.safe_load_all((CRDS / file).read_text("utf-8"))
    return policy["spec"], binding["spec"]


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
    assert sorted(path.name for path in CRDS.iterdir()) == sorted([*SOURCES, *POLICIES, "Kustomization"])


@pytest.mark.parametrize("source", SOURCES)
def test_a_generated_file_says_from_what_and_how(source: str) -> None:
    header = (CRDS / source).read_text("utf-8").split("apiVersion:")[0]

    assert "python -m tests.schema.generate" in header
    assert re.search(r"/openapi/v3/api/v1 of Kubernetes 1\.[0-9]+\.[0-9]+ ", header)


@pytest.mark.parametrize("source", SOURCES)
def test_the_text_reads_back_as_the_definition(source: str) -> None:
    read = yaml.safe_load(definition_text(source))

    assert list(read["metadata"].pop("annotations")) == [MARK]
    assert read == definition(source)


@pytest.mark.parametrize("source", SOURCES)
def test_a_definition_is_small_enough_for_client_side_apply(source: str) -> None:
    assert len(json.dumps(definition(source), separators=(",", ":")).encode()) < MAX_COMPACT_BYTES


@pytest.mark.parametrize(("source", "path"), [(source, path) for source, paths in DURATIONS.items() for path in paths])
def test_a_duration_has_the_pattern_of_the_parser(source: str, path: str) -> None:
    schema = field_of(path, source)

    rules = [one["rule"] for one in schema["x-kubernetes-validations"]]

    assert any(f"self.matches('{DURATION_FORM}')" in rule for rule in rules)
    assert schema["maxLength"] == MAX_TEXT_LENGTH


@pytest.mark.parametrize(
    "text", ["1w2d3h4m5s", "90s", "7d", "1d2w", "1h1h", "s", "h1", "1h ", "123456789s", "1H", "1.5h"]
)
def test_the_shorter_form_of_a_duration_lets_nothing_in_but_the_empty_text(text: str) -> None:
    assert bool(re.search(DURATION_FORM, text)) == bool(re.search(DURATION_PATTERN, text))
    assert re.search(DURATION_FORM, "")


def test_the_interval_has_the_patterns_of_the_parser() -> None:
    schema = field_of("schedule.interval.every")
    (rule,) = schema["x-kubernetes-validations"]

    assert f"self.matches('{INTERVAL_PATTERN}')" in rule["rule"]
    assert f"self.matches('{AMBIGUOUS_PATTERN}')" in rule["messageExpression"]
    assert f"self.matches('{CALENDAR_UNIT_PATTERN}')" in rule["messageExpression"]
    assert schema["maxLength"] == MAX_TEXT_LENGTH


def test_the_days_of_a_calendar_are_those_of_the_core() -> None:
    days = field_of("schedule.calendar.days")

    assert days["items"]["enum"] == days["default"] == list(Weekday)


@pytest.mark.parametrize("arm", ["calendar", "cron"])
def test_every_zone_of_the_database_looks_like_one(arm: str) -> None:
    schema = field_of(f"schedule.{arm}.timeZone")

    assert schema["pattern"] == TIME_ZONE_PATTERN
    assert [name for name in zone_names() if not re.search(TIME_ZONE_PATTERN, name)] == []
    assert max(len(name) for name in zone_names()) <= schema["maxLength"]


@pytest.mark.parametrize("text", ["24:00", "2:3", "2:30", "02:60", "02:30:00", " 02:30", "02:30 ", "0230", "-1:00", ""])
def test_a_time_of_day_has_two_digits_and_two(text: str) -> None:
    assert not re.search(TIME_OF_DAY_PATTERN, text)


def test_every_minute_of_a_day_is_a_time_of_day() -> None:
    minutes = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)]

    assert [text for text in minutes if not re.search(TIME_OF_DAY_PATTERN, text)] == []


def test_a_cron_expression_has_the_fields_and_nicknames_of_the_parser() -> None:
    schema = field_of("schedule.cron.expression")
    (rule,) = schema["x-kubernetes-validations"]

    assert schema["maxLength"] == crons.MAX_LENGTH
    assert f"self.trim() in {crons.NICKNAMES}" in rule["rule"]
    assert ", ".join(name for name, _ in crons.FIELDS) in rule["messageExpression"]
    assert ", ".join(crons.NICKNAMES) in rule["messageExpression"]


def test_the_warnings_read_an_interval_as_the_parser_does() -> None:
    assert INTERVAL_SECONDS_CEL.replace("self", "variables.every") in warnings_text()


def test_the_warnings_never_refuse() -> None:
    policy, binding = policy_of(WARNINGS)

    assert (policy["failurePolicy"], binding["validationActions"]) == ("Ignore", ["Warn"])


def test_every_warning_names_its_field_and_a_remedy() -> None:
    policy, _ = policy_of(WARNINGS)

    assert [rule["message"] for rule in policy["validations"] if not re.match(r"spec\..*: ", rule["message"])] == []


def test_no_name_of_the_grammar_is_left_unreplaced() -> None:
    texts = "".join([*map(definition_text, SOURCES), warnings_text()])

    assert not re.search(
        r"\b[A-Z]+_(?:[A-Z]+_)?(?:PATTERN|FORM|SECONDS|LENGTH|NAMES|LIST|NICKNAMES)\b|SECONDS\(", texts
    )


@pytest.mark.parametrize("file", POLICIES)
def test_a_policy_writes_out_every_default_that_the_api_server_would_add(file: str) -> None:
    policy, _ = policy_of(file)

    constraints = policy["matchConstraints"]
    assert set(constraints) == {"matchPolicy", "namespaceSelector", "objectSelector", "resourceRules"}
    assert all(rule["scope"] == "*" for rule in constraints["resourceRules"])
