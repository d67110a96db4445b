"""What is left of a build that failed: its last lines, with no secret and nothing that a terminal obeys (R24)."""

from __future__ import annotations

import json

import pytest
from tests.e2e.objects import AppServer
from tests.e2e.stage import Builds, Stage, eventually
from tests.e2e.templates import WORK_FOR_EVER, a_build_spec, a_container

pytestmark = pytest.mark.real_node

PLANTED = ["planted-in-env-1", "planted-in-url-2", "planted-assigned-3", "planted-as-option-4", "UExBTlRFRC1LRVk1"]
TALKS = r"""
echo "starts"; head -c 10485760 /dev/zero | tr '\000' x; echo
printf '\033[1;31mred\033[0m, nul\000, broken \377 and 10%%\r100%%\n'
echo "connected with $DB_PASSWORD"; env | grep PASSWORD
echo "cloning https://me:planted-in-url-2@example.com/repo.git"
echo "token=planted-assigned-3"; echo "+ login --password planted-as-option-4"
printf -- '-----BEGIN PRIVATE KEY-----\nUExBTlRFRC1LRVk1\n-----END PRIVATE KEY-----\n'
echo "make: *** [all] Error 3"; exit 3
"""
ENV = {"env": [{"name": "DB_PASSWORD", "value": "planted-in-env-1"}]}
SPECS = {
    "talks": a_build_spec(TALKS, container=ENV),
    "says nothing": a_build_spec("exit 3"),
    "counts": a_build_spec("for n in $(seq 1 50); do echo line $n; done; exit 3"),
    "prepares": a_build_spec(pod={"initContainers": [a_container("prepare", "echo no disk left; exit 3")]}),
    "takes too long": a_build_spec(f"echo still here; {WORK_FOR_EVER}", timeouts={"configuring": "3s"}),
}


@pytest.fixture(scope="module")
def builds(shared_stage: Stage) -> Builds:
    """Give builds that fail side by side."""
    return shared_stage.create_all(SPECS)


def failed(stage: Stage, builds: Builds, name: str) -> AppServer:
    """Wait until the attempt has failed and its pod is gone."""
    app_server = stage.attempt(builds[name], 1, "ConfigurationFailed")
    eventually(lambda: not stage.pods(builds[name]), "the pod is gone")
    return app_server


LAST_LINES = {
    "says nothing": None,
    "counts": "\n".join(f"line {number}" for number in range(31, 51)),
    "prepares": "no disk left",
    "takes too long": "still here",
}


@pytest.mark.parametrize(("name", "lines"), LAST_LINES.items())
def test_r24_the_last_lines_outlive_the_pod(shared_stage: Stage, builds: Builds, name: str, lines: str | None) -> None:
    assert failed(shared_stage, builds, name).read("status.logTail") == lines


def test_r24_what_a_build_prints_is_fit_to_be_shown(shared_stage: Stage, builds: Builds) -> None:
    """After 10 MB on one line."""
    lines = failed(shared_stage, builds, "talks").read("status.logTail").split("\n")
    assert lines[-7:] == [
        "connected with [redacted]",
        "DB_PASSWORD=[redacted]",
        "cloning https://[redacted]@example.com/repo.git",
        "token=[redacted]",
        "+ login --password [redacted]",
        "[redacted]",
        "make: *** [all] Error 3",
    ]
    assert lines[-8] == "100%"


def test_r24_no_planted_secret_is_in_a_status_or_an_event(shared_stage: Stage, builds: Builds) -> None:
    failed(shared_stage, builds, "talks")
    said = json.loads(shared_stage.kubectl("get", "pb,appsrv,events.events.k8s.io", "-o", "json"))["items"]
    shown = json.dumps([one.get("status") or one.get("note") for one in said])
    assert "Error 3" in shown
    assert [secret for secret in PLANTED if secret in shown] == []
