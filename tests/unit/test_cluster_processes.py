"""Processes are found by their mark, and only those are ended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster import processes
from tests.cluster.waiting import wait_for

SLEEP = ("sleep", "1000")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "one"
    processes.stop(tmp_path / "one")


def start(state: Path, component: str, *command: str) -> int:
    return processes.start(component, command or SLEEP, state=state, log=state / "log")


def test_a_started_process_is_found_by_its_component(state: Path) -> None:
    pid = start(state, "sleeper")

    assert processes.running(state) == {pid: "sleeper"}


def test_a_child_counts_to_the_component_that_started_it(state: Path) -> None:
    start(state, "shell", "sh", "-c", "sleep 1000 & wait")

    wait_for(lambda: len(processes.running(state)) == 2, within_seconds=10, what="no child appeared")

    assert set(processes.running(state).values()) == {"shell"}


def test_stopping_one_component_leaves_the_others(state: Path) -> None:
    start(state, "one")
    other = start(state, "other")

    processes.stop(state, ["one"])

    assert processes.running(state) == {other: "other"}


def test_stopping_a_cluster_leaves_another_whose_name_begins_alike(state: Path) -> None:
    longer = state.with_name("one-more")
    start(state, "mine")
    other = start(longer, "others")

    processes.stop(state)

    assert processes.running(state) == {}
    assert processes.running(longer) == {other: "others"}
    processes.stop(longer)


def test_a_process_that_ignores_sigterm_ends_after_its_grace(state: Path) -> None:
    start(state, "stubborn", "sh", "-c", "trap '' TERM; while :; do sleep 1000; done")

    processes.stop(state, grace_seconds=0.2)

    assert processes.running(state) == {}


def test_a_stopped_process_leaves_no_zombie(state: Path) -> None:
    pid = start(state, "sleeper")

    processes.stop(state)

    assert not Path(f"/proc/{pid}").exists()


def test_what_a_program_prints_is_in_its_log(state: Path) -> None:
    start(state, "speaker", "sh", "-c", "echo out; echo err >&2")

    wait_for(lambda: (state / "log").read_text() == "out\nerr\n", within_seconds=10, what="nothing was printed")


def test_a_program_gets_no_proxy_and_no_kubeconfig_from_us(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:3128")
    monkeypatch.setenv("KUBECONFIG", "/somewhere")
    pid = start(state, "sleeper")

    environment = Path(f"/proc/{pid}/environ").read_text()

    assert "HTTPS_PROXY" not in environment
    assert "KUBECONFIG" not in environment


def test_a_process_is_named_by_its_start_time_and_a_dead_one_has_none(state: Path) -> None:
    pid = start(state, "sleeper")
    assert processes.started_at(pid) is not None
    assert processes.started_at(os.getpid()) == processes.started_at(os.getpid())

    processes.stop(state)

    assert processes.started_at(pid) is None


def test_a_process_that_has_ended_has_no_identity() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()

    assert processes.identities([os.getpid(), ended.pid]) == {os.getpid(): processes.started_at(os.getpid())}
