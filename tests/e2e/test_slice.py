"""The thinnest slice through everything: one interval, one AppServer, one real pod, one ledger entry."""

from __future__ import annotations

import pytest
from tests.e2e.stage import Stage, see
from tests.e2e.templates import a_build_spec

pytestmark = pytest.mark.real_node


def test_a_due_slot_becomes_one_app_server_one_pod_and_one_ledger_entry(stage: Stage) -> None:
    build = stage.create("nightly", a_build_spec("echo built"))

    app_server = stage.attempt(build, 1, "Completed")
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the ledger tells of the success")

    (pod,) = stage.pods(build)
    (entry,) = build.read("status.ledger")
    assert pod.name == app_server.name == f"nightly-{entry['run']}-1"
    assert "built" in pod.logs()
    assert build.read("status.slots") == {"due": 1, "started": 1, "skipped": 0, "missed": 0}
    assert build.condition("LastRunSucceeded").status == "True"
    assert stage.events(build) == ["BuildStarted", "BuildSucceeded"]
