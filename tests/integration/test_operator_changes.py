"""A slot with nothing new is skipped, whatever is in doubt builds, and both are said (R31)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.background import in_background
from tests.conftest import unavailable_is_told
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, a_server_spec, a_template, every
from tests.integration.test_cli_plugin import plugin_on
from tests.mail.running import RunningMailServer
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


def test_the_mail_of_a_failure_and_why_and_changes_tell_what_has_changed(
    stage: Stage, server: GitServer, repository: Repository, mail: RunningMailServer
) -> None:
    first = repository.commit()
    spec = a_spec(url_of(server, repository)) | {"notifications": {"email": {"to": ["ops@example.com"]}}}
    build = stage.create("told", spec)
    skipped(build)
    second = repository.commit(message="a commit that breaks it")
    see(build, lambda one: one.slots["started"] == 2, "the new commit is being built")
    skipped(build, build.slots["skipped"] + 1)
    third = repository.commit(message="another one")
    build.patch({"spec": {"template": a_template(exit_code=3)}})
    (letter, *_) = mail.wait_for(1, stage.namespace, "told")
    build.disable()
    body = letter.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert f"code ({second[:12]} to {third[:12]})" in text
    assert "  Changed        template (" in text

    plugin = plugin_on(stage)
    answer = plugin.here("changes", build.name)
    assert "Changed, something has changed since the last success" in answer.out
    document = plugin.document("changes", build.name)
    assert document["lastSuccess"]["inputs"]["code"] == second
    assert [one["changed"] for one in document["inputs"]] == [True, True]
    why = plugin.document("why", build.name)["lastSlot"]["comparison"]
    assert why["verdict"] == "Changed"
    assert first != second


def finish(stage: Stage, app_server: AppServer, output: str) -> None:
    """End a build as a kubelet would, with a termination message of the build's own."""
    ended = {"exitCode": 0, "message": json.dumps({"outputDigest": output})}
    status = {"phase": "Succeeded", "containerStatuses": [a_container_status(ended)]}
    pod = f"pod/{app_server.name}"
    stage.kubectl("patch", pod, "--subresource=status", "--type=merge", f"--patch={json.dumps({'status': status})}")


def a_container_status(terminated: dict[str, Any]) -> dict[str, Any]:
    fields = {"image": "x", "imageID": "x", "ready": False, "restartCount": 0}
    return {"name": "main", **fields, "state": {"terminated": terminated}}


def test_the_same_inputs_that_lead_to_another_output_are_told_of(stage: Stage) -> None:
    spec = a_build_spec(FOR_EVER, schedule=every("2s"), changeDetection={"maxAge": "1s"})
    build = stage.create("drifts", spec)
    for number, output in enumerate(("sha256:aaaaaaaa", "sha256:bbbbbbbb"), start=1):
        attempt = stage.attempt(build, number, "ConfiguringServer")
        finish(stage, attempt, output)
        see(build, lambda one: len(one.read("status.durationsSeconds") or ()) == number, "it is on record")  # noqa: B023 - read at once
        assert build.read("status.lastSuccess.outputDigest") == output
    see(build, lambda one: "ReproducibilityLost" in stage.events(one), "an Event tells of it")
    build.disable()
    plugin = plugin_on(stage)
    successes = plugin.document("changes", build.name)["successes"]
    assert [one["isReproduced"] for one in successes] == [False, None]
    assert "same inputs, another output" in plugin.here("changes", build.name).out
    stage.app_servers(build)[-1].cancel()


def test_a_server_that_was_lost_is_built_anew_though_nothing_has_changed(stage: Stage) -> None:
    spec = a_server_spec(schedule=every("3s"), changeDetection={"maxAge": "7d"}, recovery="Never")
    build = stage.create("server", spec)
    skipped(build)
    (server,) = stage.app_servers(build)
    stage.pod(server).delete()
    see(build, lambda one: one.slots["started"] == 2, "it is built again")
    assert verdicts(build) == ["NeverSucceeded", "NoChanges", "ServerLost"]
    skipped(build, build.slots["skipped"] + 1)
