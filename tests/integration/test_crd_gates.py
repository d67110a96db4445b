"""What the API server itself says of a BuildGate: bad input is refused with a sentence, everything else is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.schema.installed import install, refusal
from tests.schema.manifests import as_list, build_gate

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

BEGIN, END = "2026-12-01T22:00:00Z", "2026-12-02T02:00:00Z"
EVERYTHING: Final[dict[str, Any]] = {
    "scope": {
        "namespaces": ["apps", "team-a"],
        "selector": {
            "matchLabels": {"tier": "prod"},
            "matchExpressions": [
                {"key": "app.kubernetes.io/part-of", "operator": "In", "values": ["shop"]},
                {"key": "experimental", "operator": "DoesNotExist"},
            ],
        },
    },
    "closed": True,
    "windows": [
        {"name": "db-upgrade", "once": {"startTime": BEGIN, "endTime": END}},
        {"name": "freeze", "recurring": {"cron": "0 22 * * 5", "duration": "8h", "timeZone": "Europe/Berlin"}},
        {"name": "overlapping", "once": {"startTime": BEGIN, "endTime": "2026-12-09T00:00:00+01:00"}},
    ],
    "margin": "5m",
    "owner": "platform@example.com",
    "expireTime": "2027-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions."""
    install(control_plane)
    return control_plane


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"closed": True},
        EVERYTHING,
        {"scope": {}},
        {"scope": {"selector": {}}},
        {"expireTime": "2020-01-01T00:00:00Z"},
        {"windows": [{"name": "x", "recurring": {"cron": "@daily", "duration": "1h", "timeZone": "Atlantis/Capital"}}]},
    ],
)
def test_what_can_be_meant_is_taken(cluster: Cluster, spec: dict[str, Any]) -> None:
    """Whether there is such a zone is for the operator to say: the API server has no list of them."""
    assert refusal(cluster, build_gate(**spec)) == ""


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"windows": [{"name": "x", "once": {"startTime": END, "endTime": BEGIN}}]}, "endTime must be after startTime"),
        ({"windows": [{"name": "x", "once": {"startTime": END, "endTime": END}}]}, "endTime must be after startTime"),
        ({"windows": [{"name": "x"}]}, "exactly one of once and recurring must be given"),
        (
            {
                "windows": [
                    {
                        "name": "x",
                        "once": {"startTime": BEGIN, "endTime": END},
                        "recurring": {"cron": "0 0 * * *", "duration": "1h"},
                    }
                ]
            },
            "exactly one of once and recurring must be given",
        ),
        ({"windows": [{"name": "x", "recurring": {"cron": "0 0 * * *"}}]}, "duration: Required value"),
        ({"windows": [{"name": "x", "recurring": {"cron": "0 22 * *", "duration": "1h"}}]}, "must be five fields"),
        ({"windows": [{"name": "x", "recurring": {"cron": "@reboot", "duration": "1h"}}]}, "must be five fields"),
        ({"windows": [{"name": "x", "recurring": {"cron": "0 0 * * *", "duration": ""}}]}, "must be from 1s to 366d"),
        ({"windows": [{"name": "x", "recurring": {"cron": "0 0 * * *", "duration": "0s"}}]}, "must be from 1s to 366d"),
        (
            {"windows": [{"name": "x", "recurring": {"cron": "0 0 * * *", "duration": "1h", "timeZone": "+02:00"}}]},
            "must be the name of a time zone",
        ),
        (
            {"windows": [{"name": "x", "once": {"startTime": BEGIN, "endTime": END}}] * 2},
            "Duplicate value",
        ),
        ({"windows": [{"name": "x", "once": {"startTime": "tomorrow", "endTime": END}}]}, "must be of type date-time"),
        ({"margin": "soon"}, "must be from 1s to 366d"),
        ({"reason": ""}, "should be at least 1 chars long"),
        ({"reason": None}, "spec.reason"),
        ({"reason": "x" * 257}, "may not be more than 256"),
        ({"scope": {"namespaces": []}}, "should have at least 1 items"),
        ({"scope": {"namespaces": ["a", "a"]}}, "Duplicate value"),
        (
            {"scope": {"selector": {"matchExpressions": [{"key": "tier", "operator": "In"}]}}},
            "In and NotIn need values, Exists and DoesNotExist have none",
        ),
        (
            {"scope": {"selector": {"matchExpressions": [{"key": "tier", "operator": "Exists", "values": ["x"]}]}}},
            "In and NotIn need values, Exists and DoesNotExist have none",
        ),
        ({"scope": {"selector": {"matchExpressions": [{"key": "tier", "operator": "Like"}]}}}, "Unsupported value"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(cluster: Cluster, spec: dict[str, Any], said: str) -> None:
    assert said in refusal(cluster, build_gate(**spec))


def test_as_many_windows_as_there_may_be_are_taken(cluster: Cluster) -> None:
    windows = [
        {"name": f"window-{number}", "recurring": {"cron": "1,2,3,4,5,6 22 * * 5", "duration": "1w2d3h4m5s"}}
        for number in range(20)
    ]
    assert refusal(cluster, build_gate(windows=windows)) == ""
    more = [{**windows[0], "name": f"more-{number}"} for number in range(21)]
    assert "must have at most 20 items" in refusal(cluster, build_gate(windows=more))


def test_people_see_what_they_want_to_know(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--filename=-", input=as_list(build_gate("shown", **EVERYTHING)))
    try:
        header, row = cluster.kubectl("get", "bgate/shown").splitlines()
        assert header.split() == ["NAME", "OPEN", "WHY", "SAFE", "BLOCKING", "HELD", "NEXT", "OWNER", "REASON", "AGE"]
        assert "platform@example.com" in row
        assert "database upgrade" in row
    finally:
        cluster.kubectl("delete", "bgate/shown")
