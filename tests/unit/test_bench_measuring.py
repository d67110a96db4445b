"""What the measurements are made of: the audit log's reader, percentiles, bodies, and the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.bench.__main__ import main
from tests.bench.audit import OPERATOR, Trail
from tests.bench.bodies import first_status_call, start_call
from tests.bench.objects import instant_text, names, periodic_build
from tests.bench.percentiles import percentile

CREATED = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SLOT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


def a_line(verb: str, resource: str, *, user: str = OPERATOR, code: int = 201, stage: str = "ResponseComplete") -> str:
    return json.dumps(
        {
            "stage": stage,
            "verb": verb,
            "requestReceivedTimestamp": "2026-11-24T02:30:00.000100Z",
            "stageTimestamp": "2026-11-24T02:30:00.250000Z",
            "user": {"username": user},
            "objectRef": {"resource": resource, "namespace": "team-a"},
            "responseStatus": {"code": code},
        }
    )


def append(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    path.touch()
    return path


def test_a_trail_begins_where_the_log_ends(log: Path) -> None:
    append(log, a_line("create", "pods"))

    with Trail(log) as trail:
        append(log, a_line("patch", "pods"))

        assert [one.verb for one in trail.read()] == ["patch"]


@pytest.mark.parametrize(
    "line",
    [a_line("create", "pods", user="somebody"), a_line("watch", "pods", stage="ResponseStarted")],
    ids=["of somebody else", "not answered yet"],
)
def test_a_trail_leaves_out_a_request(log: Path, line: str) -> None:
    with Trail(log) as trail:
        append(log, line)

        assert trail.read() == []


def test_a_trail_may_follow_others(log: Path) -> None:
    with Trail(log, ["somebody", "somebody-else"]) as trail:
        append(log, a_line("create", "jobs", user="somebody"), a_line("patch", "jobs", user="somebody-else"))
        append(log, a_line("create", "pods"))

        assert [one.target for one in trail.read()] == ["jobs", "jobs"]


def test_a_trail_waits_for_the_rest_of_a_line(log: Path) -> None:
    line = a_line("create", "pods")
    with Trail(log) as trail:
        with log.open("a") as file:
            file.write(line[:40])
        assert trail.read() == []
        append(log, line[40:])

        assert len(trail.read()) == 1


def test_a_trail_goes_on_when_the_log_is_rotated(log: Path) -> None:
    with Trail(log) as trail:
        append(log, a_line("create", "pods"))
        log.rename(log.with_suffix(".1"))
        append(log, a_line("create", "appservers"))

        assert [one.target for one in trail.read()] == ["pods", "appservers"]


def test_only_what_succeeded_was_done(log: Path) -> None:
    with Trail(log) as trail:
        append(log, a_line("create", "pods"), a_line("create", "pods", code=409))

        assert trail.count("create", "pods") == 1


@pytest.mark.parametrize(
    ("count", "share", "value"), [(1000, 0.5, 500), (1000, 0.99, 990), (1000, 1, 1000), (10, 0.99, 10), (1, 0.5, 1)]
)
def test_a_percentile_is_the_value_of_the_nearest_rank(count: int, share: float, value: int) -> None:
    assert percentile(range(1, count + 1), share) == value


def an_answer(status: dict[str, Any] | None = None) -> bytes:
    """Give a PeriodicBuild as the API server answers, due at SLOT."""
    schedule = {"interval": {"every": "24h"}, "notBefore": instant_text(SLOT)}
    manifest = periodic_build("build-00000", schedule=schedule)
    manifest["metadata"] |= {
        "namespace": "herd",
        "uid": "uid-1",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": instant_text(CREATED),
    }
    return msgspec.json.encode(manifest | ({"status": status} if status else {}))


def test_the_bare_client_creates_what_the_planner_asks_for_at_the_slot() -> None:
    first = first_status_call(an_answer(), CREATED + timedelta(seconds=5))
    status = json.loads(first.body)["status"]

    start = start_call(an_answer(status), SLOT)

    body = json.loads(start.body)
    assert (first.method, start.method) == ("PATCH", "POST")
    assert body["metadata"]["name"] == "build-00000-20261124-023000-1"
    assert body["metadata"]["ownerReferences"][0]["uid"] == "uid-1"


def test_an_idle_object_has_a_past_that_adds_up() -> None:
    status = json.loads(first_status_call(an_answer(), CREATED, has_past=True).body)["status"]

    assert len(status["ledger"]) == status["slots"]["due"] == status["slots"]["started"] == 20


def test_no_two_objects_share_a_template() -> None:
    templates = [msgspec.json.encode(periodic_build(name, schedule={})["spec"]["template"]) for name in names(100)]

    assert len(set(templates)) == 100
    assert all(1_500 < len(template) < 3_000 for template in templates)


def test_an_unknown_measurement_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["speed"])

    assert "herd, requests, idle" in capsys.readouterr().err
