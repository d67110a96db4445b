"""One fact is one Event, whatever its note, its instant or its sender (R37)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from periodicbuild.core.notices import EventFact, EventType, ObjectRef
from periodicbuild.kube.event_body import Reporter, clean_note, event_body, event_name, event_namespace

NOW = datetime(2026, 11, 22, 2, 30, 0, 123456, tzinfo=UTC)
REPORTER = Reporter(instance="periodicbuild-0")
DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

NIGHTLY = ObjectRef(
    api_version="periodicbuild.dev/v1alpha1", kind="PeriodicBuild", namespace="team-a", name="nightly", uid="uid-1"
)
FAILED = EventFact(
    regarding=NIGHTLY,
    type=EventType.WARNING,
    reason="BuildFailed",
    action="EndRun",
    note="attempt 1 of 1 failed with exit code 2",
    key="20261122-023000",
)


def body_of(fact: EventFact) -> dict[str, Any]:
    """Render and read back."""
    body: dict[str, Any] = json.loads(event_body(fact, REPORTER, NOW))
    return body


def test_the_body_has_all_that_the_api_requires() -> None:
    assert body_of(FAILED) == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(FAILED), "namespace": "team-a"},
        "eventTime": "2026-11-22T02:30:00.123456Z",
        "reportingController": "periodicbuild.dev/operator",
        "reportingInstance": "periodicbuild-0",
        "type": "Warning",
        "reason": "BuildFailed",
        "action": "EndRun",
        "note": "attempt 1 of 1 failed with exit code 2",
        "regarding": {
            "apiVersion": "periodicbuild.dev/v1alpha1",
            "kind": "PeriodicBuild",
            "namespace": "team-a",
            "name": "nightly",
            "uid": "uid-1",
        },
    }


def test_the_name_is_the_same_for_ever() -> None:
    """A literal, because a changed hash would repeat every Event at the next upgrade."""
    assert event_name(FAILED) == "nightly.93c88db7de56be4a"


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        pytest.param(replace(FAILED, note="other words"), True, id="another wording is the same fact"),
        pytest.param(replace(FAILED, type=EventType.NORMAL), True, id="another loudness is the same fact"),
        pytest.param(replace(FAILED, key="20261123-023000"), False, id="another run is another fact"),
        pytest.param(replace(FAILED, reason="BuildSucceeded"), False, id="another reason is another fact"),
        pytest.param(
            replace(FAILED, regarding=replace(NIGHTLY, uid="uid-2")), False, id="a re-created object is another one"
        ),
        pytest.param(
            replace(FAILED, reason="BuildFailed2", key="0261122-023000"), False, id="parts do not run into each other"
        ),
    ],
)
def test_a_fact_is_its_object_reason_and_key(other: EventFact, *, is_same: bool) -> None:
    assert (event_name(other) == event_name(FAILED)) is is_same


@pytest.mark.parametrize(
    "name",
    ["a", "x" * 253, "y" * 235 + "-" + "z" * 17, "y" * 234 + ".-" + "z" * 17, "w" * 236 + "." + "v" * 16, "a.b-c"],
)
def test_the_name_of_the_event_is_a_dns_subdomain(name: str) -> None:
    event = event_name(replace(FAILED, regarding=replace(NIGHTLY, name=name)))
    assert DNS_SUBDOMAIN.fullmatch(event)
    assert len(event) <= 253


def test_events_about_objects_without_namespace_live_in_default() -> None:
    assert event_namespace(replace(NIGHTLY, namespace="")) == "default"


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\r\n\tand a tab", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m\x00", "[31mred[0m"),
        ("left\u202eto right", "leftto right"),
        ("half a \ud83d pair", "half a  pair"),
        ("\u2028separators\u2029", "separators"),
        ("", ""),
    ],
)
def test_a_note_is_one_printable_line(note: str, expected: str) -> None:
    assert clean_note(note) == expected


@pytest.mark.parametrize("char", ["x", "é", "日", "🚀"])
def test_a_long_note_is_cut_to_1024_bytes_between_characters(char: str) -> None:
    note = clean_note(char * 2000)
    assert 1018 <= len(note.encode()) <= 1024
    assert set(note.removesuffix("...")) == {char}


@pytest.mark.parametrize("char", ["x", "é", "🚀"])
def test_a_note_of_exactly_1024_bytes_is_kept(char: str) -> None:
    note = char * (1024 // len(char.encode()))
    assert clean_note(note) == note
