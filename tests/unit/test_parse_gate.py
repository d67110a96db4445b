"""A BuildGate is read whatever it says: what cannot be understood is closed, or said to be a problem (R35)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.builders import a_cron, at

from periodicbuild.core.gates import Gate, GateSpec
from periodicbuild.core.scopes import Operator, Requirement, Scope
from periodicbuild.core.windows import Recurring, Span, Unreadable
from periodicbuild.kube.parse import gate_from_json

BEGIN, END = "2026-12-01T22:00:00Z", "2026-12-02T02:00:00+01:00"


def parsed(**spec: Any) -> GateSpec:
    """Read a spec."""
    return gate(spec=spec).spec


def gate(**parts: Any) -> Gate:
    """Read a gate."""
    metadata = {"name": "rollout", "uid": "uid-rollout", "resourceVersion": "7", "generation": 3}
    return gate_from_json(msgspec.json.encode({"metadata": metadata, **parts}))


def test_everything_is_read() -> None:
    spec = parsed(
        scope={
            "namespaces": ["apps"],
            "selector": {
                "matchLabels": {"tier": "prod"},
                "matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["a", "b"]}],
            },
        },
        closed=True,
        windows=[
            {"name": "upgrade", "once": {"startTime": BEGIN, "endTime": END}},
            {"name": "freeze", "recurring": {"cron": " 0 22 * *  5", "duration": "8h", "timeZone": "Europe/Berlin"}},
        ],
        margin="5m",
        reason="database upgrade",
        owner="platform@example.com",
        expireTime="2027-01-01T00:00:00Z",
    )
    assert spec.scope == Scope(
        namespaces=frozenset({"apps"}),
        requirements=(
            Requirement(key="tier", operator=Operator.IN, values=frozenset({"prod"})),
            Requirement(key="x", operator=Operator.NOT_IN, values=frozenset({"a", "b"})),
        ),
    )
    assert [window.when for window in spec.windows] == [
        Span(start=at("2026-12-01T22:00:00"), end=at("2026-12-02T01:00:00")),
        Recurring(cron=a_cron("0 22 * * 5", zone="Europe/Berlin"), lasts=timedelta(hours=8)),
    ]
    assert (spec.closed, spec.margin, spec.problem) == (True, timedelta(minutes=5), None)
    assert (spec.reason, spec.owner, spec.expires_at) == ("database upgrade", "platform@example.com", at("2027-01-01"))


def test_an_empty_spec_is_an_open_gate_about_everything() -> None:
    assert parsed() == GateSpec()
    assert gate().spec == gate(spec=None).spec == GateSpec()


def test_metadata_says_which_gate_it_is() -> None:
    read = gate()
    assert (read.ref.kind, read.ref.namespace, read.ref.name, read.ref.uid) == (
        "BuildGate",
        "",
        "rollout",
        "uid-rollout",
    )
    assert (read.resource_version, read.generation) == ("7", 3)


WINDOWS = {
    "an unknown zone": (
        {"recurring": {"cron": "0 22 * * 5", "duration": "8h", "timeZone": "Europe/Berln"}},
        "spec.windows[w].recurring.timeZone: 'Europe/Berln' is not a time zone of tzdata",
    ),
    "a cron expression that cannot be read": (
        {"recurring": {"cron": "0 25 * * 5", "duration": "8h"}},
        "spec.windows[w].recurring.cron: the second field (hour) cannot be '25'",
    ),
    "no cron expression": ({"recurring": {"duration": "8h"}}, "spec.windows[w].recurring.cron: 'None' has 1 fields"),
    "no duration": ({"recurring": {"cron": "0 2 * * *"}}, "spec.windows[w].recurring.duration: it is missing"),
    "a duration that is none": (
        {"recurring": {"cron": "0 2 * * *", "duration": "long"}},
        "spec.windows[w].recurring.duration: 'long' is not a duration",
    ),
    "its end before its begin": (
        {"once": {"startTime": "2026-12-02T00:00:00Z", "endTime": "2026-12-01T00:00:00Z"}},
        "spec.windows[w].once: endTime is not after startTime",
    ),
    "an instant that is none": (
        {"once": {"startTime": "tomorrow", "endTime": END}},
        "spec.windows[w].once.startTime: 'tomorrow' is no instant",
    ),
    "both arms": (
        {"once": {"startTime": BEGIN, "endTime": END}, "recurring": {}},
        "spec.windows[w]: exactly one of once and recurring has to be given",
    ),
    "an arm that only a newer operator knows": (
        {"whenever": {}},
        "spec.windows[w]: exactly one of once and recurring has to be given: add one, or remove what is not known",
    ),
    "an arm that is no object": ({"once": "now"}, "spec.windows[w].once: 'now' has no fields"),
}


@pytest.mark.parametrize(("window", "why"), WINDOWS.values(), ids=list(WINDOWS))
def test_a_window_that_cannot_be_understood_says_why_and_hides_no_other(window: dict[str, Any], why: str) -> None:
    good = {"name": "good", "once": {"startTime": BEGIN, "endTime": END}}
    broken, other = parsed(windows=[{"name": "w", **window}, good]).windows
    assert isinstance(broken.when, Unreadable)
    assert broken.when.why.startswith(why)
    assert isinstance(other.when, Span)


def test_a_window_that_is_no_object_is_one_without_a_name() -> None:
    (window,) = parsed(windows=["always"]).windows
    assert window.name == ""
    assert window.problem is not None


PROBLEMS = {
    "a scope that is no object": ({"scope": "all"}, "spec.scope: 'all' has no fields"),
    "a selector that is no object": ({"scope": {"selector": ["x"]}}, "spec.scope.selector: ['x'] has no fields"),
    "namespaces that are no list": ({"scope": {"namespaces": "apps"}}, "spec.scope.namespaces: 'apps' is no list"),
    "an operator that only a newer operator knows": (
        {"scope": {"selector": {"matchExpressions": [{"key": "x", "operator": "Like"}]}}},
        "spec.scope.selector.matchExpressions: operator 'Like' is not known",
    ),
    "a switch that is none": ({"closed": "yes"}, "spec.closed: 'yes' is neither true nor false"),
    "windows that are no list": ({"windows": {}}, "spec.windows: {} is no list"),
    "a margin that is none": ({"margin": "wide"}, "spec.margin: 'wide' is not a duration"),
    "an end that is none": ({"expireTime": "soon"}, "spec.expireTime: 'soon' is no instant"),
}


@pytest.mark.parametrize(("spec", "why"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_what_cannot_be_understood_otherwise_is_a_problem_of_the_gate(spec: dict[str, Any], why: str) -> None:
    read = parsed(reason="upgrade", owner="me", **spec)
    assert (read.reason, read.owner) == ("upgrade", "me")
    assert read.problem is not None
    assert read.problem.startswith(why)
