"""A slot with nothing new is skipped, whatever is in doubt builds, and both are said (R31)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.background import in_background
from tests.conftest import unavailable_is_told
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.integration.simulated_specs import a_build_spec, a_template, every
from tests.sources.images import running_registry
from tests.sources.repositories import GitServer, Repository, git_server

pytestmark = pytest.mark.simulated_nodes

NOBODY = "http://127.0.0.1:1/app.git"
"""A port at which nobody listens."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the repositories."""
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[GitServer]:
    """Give git's own server."""
    with in_background(lambda: git_server(root)) as server:
        yield server


@pytest.fixture
def repository(root: Path, request: pytest.FixtureRequest) -> Repository:
    """Give a repository with one commit."""
    repository = Repository.make(root / f"{request.node.name}.git")
    repository.commit()
    return repository


def a_spec(url: str | None = None, **detection: Any) -> dict[str, Any]:
    """Give a build of every three seconds from one repository."""
    sources = {} if url is None else {"sources": [{"name": "code", "git": {"url": url, "ref": "main"}}]}
    return a_build_spec(schedule=every("3s"), changeDetection=sources | detection)


def url_of(server: GitServer, repository: Repository) -> str:
    return f"{server.url}/{repository.path.name}"


def verdicts(build: PeriodicBuild) -> list[str]:
    """Give what the comparisons came to, oldest first; of a slot that was skipped, the reason."""
    ledger = reversed(build.read("status.ledger") or ())
    return [entry.get("inputs") or entry["reason"] for entry in ledger]


def inputs(build: PeriodicBuild, path: str) -> dict[str, dict[str, str]]:
    """Give the inputs at a path, by name."""
    return {one["name"]: one for one in build.read(path)}


def skipped(build: PeriodicBuild, count: int = 1) -> PeriodicBuild:
    """Wait until so many slots were skipped."""
    return see(build, lambda one: one.slots.get("skipped", 0) >= count, f"{count} slots are skipped")


def test_a_slot_with_nothing_new_is_skipped_and_the_next_commit_is_built(
    stage: Stage, server: GitServer, repository: Repository
) -> None:
    first = repository.commit()
    build = stage.create("nightly", a_spec(url_of(server, repository)))
    skipped(build, 2)
    assert verdicts(build) == ["NeverSucceeded", "NoChanges"], "two in a row are one entry"
    assert build.slots["started"] == len(stage.app_servers(build)) == 1
    assert build.read("status.changes.verdict") == "NoChanges"
    assert inputs(build, "status.changes.inputs")["code"] == {"name": "code", "revision": first, "previous": first}
    digest = build.read("status.lastSuccess.inputDigest")
    assert len(digest) == 64

    second = repository.commit(message="two")
    see(build, lambda one: one.slots["started"] == 2 and not one.runs, "it is built again")
    skipped(build, build.slots["skipped"] + 1)
    assert verdicts(build) == ["NeverSucceeded", "NoChanges", "Changed", "NoChanges"]
    assert inputs(build, "status.lastSuccess.inputs")["code"] == {"name": "code", "revision": second}
    assert build.read("status.lastSuccess.inputDigest") != digest
    assert {"SlotSkipped", "BuildStarted"} <= set(stage.events(build))
    newest = stage.app_servers(build)[-1]
    assert first in newest.read("metadata.annotations")["periodicbuild.dev/inputs"]


def test_another_template_is_something_new(stage: Stage) -> None:
    build = stage.create("template", a_spec(maxAge="7d"))
    skipped(build)
    build.patch({"spec": {"template": a_template("150ms")}})
    see(build, lambda one: one.slots["started"] == 2, "it is built again")
    skipped(build, build.slots["skipped"] + 1)
    assert verdicts(build) == ["NeverSucceeded", "NoChanges", "Changed", "NoChanges"]


def test_a_source_that_cannot_be_reached_builds_and_says_so(stage: Stage) -> None:
    build = stage.create("doubt", a_spec(NOBODY))
    see(build, lambda one: one.slots.get("started", 0) >= 3, "every slot builds")
    assert build.slots.get("skipped") is None
    assert verdicts(build)[:2] == ["NeverSucceeded", "Unreachable"]
    code = inputs(build, "status.changes.inputs")["code"]
    assert code == {"name": "code", "problem": "127.0.0.1 cannot be reached: Connection refused"}
    see(build, lambda one: "SourceUnreachable" in stage.events(one), "an Event tells of it")
    assert build.read("status.lastSuccess.inputDigest") is None


def test_a_host_that_nobody_has_allowed_is_not_asked(stage: Stage) -> None:
    build = stage.create("inside", a_spec("https://localhost/app.git"))
    see(build, lambda one: one.slots.get("started", 0) >= 1, "it builds")
    problem = inputs(build, "status.changes.inputs")["code"]["problem"]
    assert problem == "localhost has an address that is private: --source-private-hosts localhost allows it"


def test_a_success_that_grows_too_old_is_built_anew(stage: Stage) -> None:
    build = stage.create("ages", a_spec(maxAge="8s"))
    see(build, lambda one: one.slots.get("started", 0) >= 2, "it is built again")
    assert verdicts(build) == ["NeverSucceeded", "NoChanges", "MaxAge"]


def test_a_manual_run_is_never_skipped(stage: Stage, server: GitServer, repository: Repository) -> None:
    build = stage.create("by-hand", a_spec(url_of(server, repository)))
    skipped(build)
    build.run_now("please")
    see(build, lambda one: str(one.read("status.lastSuccess.run")).startswith("m-"), "the manual run has succeeded")
    see(build, lambda one: "NotRecorded" in verdicts(one), "nothing was looked up for it, so the next slot builds")


def test_an_image_that_was_pushed_anew_is_built(stage: Stage, tmp_path: Path) -> None:
    with unavailable_is_told(), running_registry(tmp_path) as registry:
        registry.push("base", "1", "one")
        source = {"name": "base", "image": {"reference": f"{registry.address}/base:1"}}
        build = stage.create("image", a_spec(sources=[source]))
        skipped(build)
        digest = registry.push_list("base", "1", "one", "two")
        see(build, lambda one: one.slots["started"] == 2 and not one.runs, "it is built again")
        skipped(build, build.slots["skipped"] + 1)
        build.disable()
        see(build, lambda one: one.condition("Scheduled").reason == "Disabled", "it rests before the registry ends")
    assert inputs(build, "status.lastSuccess.inputs")["base"]["revision"] == digest
    assert verdicts(build)[:4] == ["NeverSucceeded", "NoChanges", "Changed", "NoChanges"]
