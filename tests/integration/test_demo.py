"""The whole demo on simulated nodes: it tells its story, and whatever ends it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cluster.cluster import Cluster
from tests.cluster.external import VARIABLES
from tests.cluster.levels import Level
from tests.cluster.lifecycle import down, find
from tests.cluster.paths import StateFolder
from tests.cluster.record import Owner, Record, write_record
from tests.cluster.traces import Traces
from tests.cluster.waiting import wait_for

pytestmark = pytest.mark.simulated_nodes

LONG_ENOUGH_SECONDS = 30
"""For three attempts with their delays, on simulated nodes."""

ENDS_WITHIN_SECONDS = 240
"""A run with its cluster takes a minute on quiet cores."""

BUILDS = ("stays-up", "completes", "third-time-lucky", "always-fails", "switched-off")

NO_PROGRAMS = "/nonexistent"
"""As PATH: without apt-get and containerd there can be no real node, on any machine."""


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that has ended."""

    status: int
    output: str
    before: Traces
    after: Traces


@pytest.fixture
def name() -> Iterator[str]:
    """Give the name of a cluster that is certainly gone afterwards."""
    name = f"demo-{os.getpid()}"
    yield name
    down(name)


@pytest.fixture(scope="module")
def played(simulated_nodes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Give one whole demo, on a machine that cannot have a real node; without a terminal."""
    del simulated_nodes  # its programs are built, and no compiler is needed
    name = f"demo-{os.getpid()}-whole"
    state, log = StateFolder.of(name).root, tmp_path_factory.mktemp("demo") / "output"
    before = Traces.of(state)
    with demo(log, "--name", name, "--seconds", str(LONG_ENOUGH_SECONDS), PATH=NO_PROGRAMS) as process:
        status = process.wait(ENDS_WITHIN_SECONDS)
    return Played(status, log.read_text(), before, Traces.of(state))


def demo(log: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.demo", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=own_cluster() | environment,
        )


def own_cluster() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in VARIABLES}


def ledger_of(build: str, output: str) -> str:
    """Return what stands under the title of a build's ledger, up to the next blank line."""
    ledgers = output.partition("The ledgers:")[2]
    return next(part for part in ledgers.split("\n\n") if part.lstrip().startswith(f"{build}  every "))


def wait_for_output(log: Path, text: str) -> None:
    wait_for(lambda: text in log.read_text(), within_seconds=ENDS_WITHIN_SECONDS, what=f"the demo says {text!r}")


def test_it_ends_well(played: Played) -> None:
    assert played.status == 0, played.output


def test_it_says_that_nodes_are_simulated_where_there_can_be_no_real_one(played: Played) -> None:
    assert "So the demo plays on simulated nodes" in played.output


@pytest.mark.parametrize("build", BUILDS)
def test_it_ends_with_the_ledger_of_each_build(played: Played, build: str) -> None:
    ledger = ledger_of(build, played.output)

    (due,) = re.findall(r"(\d+) due = \1 started \+ 0 skipped \+ 0 missed", ledger)
    assert ledger.count("Started") == int(due)
    assert (int(due) > 0) == (build != "switched-off")


def test_each_ledger_tells_what_the_example_was_made_for(played: Played) -> None:
    assert re.search(r"Started +Due +\S+ +3 +Succeeded", ledger_of("third-time-lucky", played.output))
    assert re.search(r"Started +Due +\S+ +2 +Failed \(RetriesUsedUp\)", ledger_of("always-fails", played.output))
    assert re.search(r"Started +Due +\S+ +1 +Succeeded", ledger_of("completes", played.output))
    assert re.search(r"Started +Due +\S+ +1 +Succeeded", ledger_of("stays-up", played.output))


def test_its_run_by_hand_moves_the_next_slot_by_what_had_passed_of_the_interval(played: Played) -> None:
    words = " ".join(played.output.split())

    assert re.search(r"the next slot was (\S+), now it is (?!\1)(\S+) = \S+ \+ 40 s", words)
    assert "ManualSpawnObserved" in words


def test_it_counts_no_slot_that_is_unaccounted_for(played: Played) -> None:
    assert "cannot account for: 0" in played.output


def test_it_leaves_no_cluster_and_no_process(played: Played) -> None:
    assert played.after == played.before


@pytest.mark.parametrize(
    "last_words",
    ["Starting a Kubernetes cluster", "BuildSucceeded"],
    ids=["while the cluster starts", "in the middle"],
)
def test_ctrl_c_leaves_nothing(name: str, simulated_nodes: Cluster, tmp_path: Path, last_words: str) -> None:
    del simulated_nodes
    state, log = StateFolder.of(name).root, tmp_path / "output"
    before = Traces.of(state)
    with demo(log, "--name", name, "--level", "simulated") as process:
        wait_for_output(log, last_words)
        wait_for(lambda: Traces.of(state).processes, within_seconds=60, what="something of the cluster runs")
        process.send_signal(signal.SIGINT)
        status = process.wait(ENDS_WITHIN_SECONDS)

    assert status == 130, log.read_text()
    assert "Interrupted; nothing of the demo is left." in log.read_text()
    assert Traces.of(state) == before
    assert not state.exists()


def test_a_kept_cluster_stays_with_its_operator_until_it_is_taken_down(
    name: str, simulated_nodes: Cluster, tmp_path: Path
) -> None:
    del simulated_nodes
    state, log = StateFolder.of(name).root, tmp_path / "output"
    before = Traces.of(state)
    with demo(log, "--name", name, "--level", "simulated", "--seconds", "1", "--keep") as process:
        assert process.wait(ENDS_WITHIN_SECONDS) == 0, log.read_text()
    cluster = find(name)

    assert cluster is not None
    assert f"export KUBECONFIG={cluster.kubeconfig}" in log.read_text()
    cluster.kubectl("annotate", "periodicbuild", "switched-off", "periodicbuild.dev/run-now=kept", "--namespace=demo")
    by_hand = "--selector=periodicbuild.dev/periodic-build=switched-off"
    wait_for(
        lambda: cluster.kubectl("get", "appservers", by_hand, "--namespace=demo", "--output=name"),
        within_seconds=60,
        what="the operator still works",
    )
    down(name)
    assert Traces.of(state) == before


def test_on_a_cluster_of_others_it_takes_back_what_it_brought(simulated_nodes: Cluster, tmp_path: Path) -> None:
    before = definitions(simulated_nodes)
    log = tmp_path / "output"
    with demo(log, "--seconds", "1", KUBECONFIG=str(simulated_nodes.kubeconfig)) as process:
        status = process.wait(ENDS_WITHIN_SECONDS)

    assert status == 0, log.read_text()
    assert f"plays on the cluster at {simulated_nodes.server}" in log.read_text()
    assert simulated_nodes.kubectl("get", "namespace", "demo", "--ignore-not-found") == ""
    assert definitions(simulated_nodes) == before


def test_it_does_not_touch_a_namespace_that_is_not_its_own(simulated_nodes: Cluster, tmp_path: Path) -> None:
    simulated_nodes.kubectl("create", "namespace", "demo")
    log = tmp_path / "output"
    try:
        with demo(log, "--seconds", "1", KUBECONFIG=str(simulated_nodes.kubeconfig)) as process:
            status = process.wait(ENDS_WITHIN_SECONDS)

        assert status == 1
        assert "has a namespace demo already" in log.read_text()
        assert simulated_nodes.kubectl("get", "namespace", "demo", "--output=jsonpath={.status.phase}") == "Active"
    finally:
        simulated_nodes.kubectl("delete", "namespace", "demo")


def test_two_demos_do_not_take_each_others_cluster(name: str, tmp_path: Path) -> None:
    write_record(StateFolder.of(name), Record(level=Level.SIMULATED, owner=Owner.this_process(), programs={}))
    log = tmp_path / "output"
    with demo(log, "--name", name) as process:
        status = process.wait(ENDS_WITHIN_SECONDS)

    assert status == 1
    assert f"Another demo (process {os.getpid()}) plays on the cluster {name}" in log.read_text()
    assert StateFolder.of(name).record.exists()


def definitions(cluster: Cluster) -> set[str]:
    items = json.loads(cluster.kubectl("get", "crds,clusterroles,clusterrolebindings", "--output=json"))["items"]
    return {item["metadata"]["name"] for item in items if "periodicbuild" in item["metadata"]["name"]}
