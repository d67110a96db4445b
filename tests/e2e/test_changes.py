"""A build with nothing new in it is skipped, and what real builds say that they have made is compared (R31)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.background import in_background
from tests.conftest import unavailable_is_told
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.e2e.templates import a_build_spec, every
from tests.sources.images import Registry, running_registry
from tests.sources.repositories import GitServer, Repository, git_server

pytestmark = pytest.mark.real_node

MADE = "echo \"outputDigest=sha256:$({what} | sha256sum | cut -d' ' -f1)\" > /dev/termination-log"
"""A build whose output is what a command prints."""
EVERY_TIME_ANOTHER = MADE.format(what="hostname")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the repositories."""
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[GitServer]:
    """Give git's own server."""
    with in_background(lambda: git_server(root)) as server:
        yield server


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Give a real registry."""
    with unavailable_is_told(), running_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


def skipped(build: PeriodicBuild) -> None:
    """Wait until one more slot was skipped."""
    count = build.slots.get("skipped", 0)
    see(build, lambda one: one.slots.get("skipped", 0) > count and not one.runs, "a slot is skipped")


def test_a_build_runs_only_if_its_repository_or_its_image_has_changed(
    stage: Stage, root: Path, server: GitServer, registry: Registry
) -> None:
    repository = Repository.make(root / "app.git")
    repository.commit()
    registry.push("base", "1", "one")
    sources = [
        {"name": "code", "git": {"url": f"{server.url}/app.git", "ref": "main"}},
        {"name": "base", "image": {"reference": f"{registry.address}/base:1"}},
    ]
    spec = a_build_spec(MADE.format(what="echo same"), schedule=every("5s"), changeDetection={"sources": sources})
    build = stage.create("nightly", spec)
    skipped(build)
    assert [pod.name for pod in stage.pods(build)] == [stage.app_servers(build)[0].name], "one build, and no more"

    repository.commit(message="two")
    see(build, lambda one: one.slots["started"] == 2, "the commit is built")
    skipped(build)
    digest = registry.push("base", "1", "two")
    see(build, lambda one: one.slots["started"] == 3, "the image is built")
    skipped(build)
    build.disable()

    ledger = [entry.get("inputs") or entry["reason"] for entry in reversed(build.read("status.ledger"))]
    assert ledger == ["NeverSucceeded", "NoChanges", "Changed", "NoChanges", "Changed", "NoChanges"]
    inputs = {one["name"]: one["revision"] for one in build.read("status.lastSuccess.inputs")}
    assert inputs["base"] == digest
    assert "ReproducibilityLost" not in stage.events(build)


def test_a_build_that_makes_another_output_from_the_same_inputs_is_told_of(stage: Stage) -> None:
    spec = a_build_spec(EVERY_TIME_ANOTHER, schedule=every("3s"), changeDetection={"maxAge": "1s"})
    build = stage.create("drifts", spec)
    see(build, lambda one: "ReproducibilityLost" in stage.events(one), "an Event tells of it")
    build.disable()
    outputs = {one.read("status.outputDigest") for one in stage.app_servers(build) if one.state == "Completed"}
    assert len(outputs) >= 2
    assert all(output.startswith("sha256:") for output in outputs)
