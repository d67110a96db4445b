"""The history checker: what an audit log tells of attempts, and what it must not pass over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.crash.history import Attempt, History, Record


def a_line(name: str, *, resource: str = "appservers", **other: Any) -> dict[str, Any]:
    about = {"resource": resource, "namespace": "team-a", "name": name}
    return {
        "verb": "create",
        "requestURI": f"/apis/periodicbuild.dev/v1alpha1/namespaces/team-a/{resource}?fieldManager=x",
        "objectRef": about,
        "responseStatus": {"code": 201},
    } | other


FIRST = "nightly-20261125-023000-1"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("nightly-20261125-023000-1", ("nightly", "20261125-023000", 1)),
        ("nightly-2-20261125-023000-10", ("nightly-2", "20261125-023000", 10)),
        ("nightly-m-0123abcd-1", ("nightly", "m-0123abcd", 1)),
        ("nightly-r-0123abcd-2", ("nightly", "r-0123abcd", 2)),
        ("made-by-hand-1", ("", "made-by-hand-1", 1)),
    ],
)
def test_a_name_tells_the_attempt(name: str, parts: tuple[str, str, int]) -> None:
    attempt = Attempt.named("team-a", name)

    assert (attempt.build, attempt.run, attempt.attempt) == parts
    assert attempt.name == name


def test_what_was_created_twice_for_one_attempt_is_doubled() -> None:
    history = History.of([a_line(FIRST), a_line(FIRST, resource="pods"), a_line(FIRST)])

    assert history.doubled == [f"the AppServer of {FIRST} was created 2 times"]


@pytest.mark.parametrize(
    "again",
    [
        a_line(FIRST, responseStatus={"code": 409}),
        a_line(FIRST, verb="patch"),
        a_line(FIRST, resource="pods", requestURI="/api/v1/namespaces/team-a/pods?dryRun=All"),
        a_line(FIRST, resource="configmaps"),
        a_line(FIRST, objectRef={"resource": "pods", "namespace": "team-a", "name": FIRST, "subresource": "binding"}),
        a_line("nightly-20261125-023000-2"),
        a_line("nightly-20261126-023000-1"),
    ],
    ids=["refused", "no create", "a dry run", "another kind", "a binding", "the next attempt", "the next slot"],
)
def test_it_is_not_doubled_by(again: dict[str, Any]) -> None:
    assert History.of([a_line(FIRST), again]).doubled == []


def test_the_record_is_read_as_it_grows_and_across_its_rotation(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    record = Record(log)
    log.write_text(written(a_line(FIRST)) + written(a_line("nightly-m-0123abcd-1"))[:-7])
    assert sum(record.history("team-a").app_servers.values()) == 1

    log.write_text(written(a_line(FIRST)) + written(a_line("nightly-m-0123abcd-1")))
    log.rename(tmp_path / "audit-2026-11-25T02-30-00.000.log")
    log.write_text(written(a_line(FIRST)))
    (tmp_path / "audit-policy.yaml").write_text(written(a_line(FIRST)))

    assert record.history("team-a").app_servers == {
        Attempt.named("team-a", FIRST): 2,
        Attempt.named("team-a", "nightly-m-0123abcd-1"): 1,
    }
    assert not record.history("team-b").app_servers


def written(line: dict[str, Any]) -> str:
    return json.dumps(line, separators=(",", ":")) + "\n"
