"""The revision of a ref, from git's own server, whatever its age and its size (R31)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.sources.finding import code, found
from tests.sources.repositories import Repository, git, git_server

from periodicbuild.core.inputs import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.repositories import GitServer

every_protocol = pytest.mark.parametrize("newest_protocol", [2, 0])


def find(root: Path, ref: str = "", *, name: str = "app.git", newest_protocol: int = 2) -> tuple[Finding, GitServer]:
    """Look one ref up."""

    async def look_up() -> tuple[Finding, GitServer]:
        async with git_server(root, newest_protocol=newest_protocol) as server:
            return await found(code(f"{server.url}/{name}", ref)), server

    return asyncio.run(look_up())


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Give an empty repository."""
    return Repository.make(tmp_path / "app.git")


REFS = {
    "what HEAD points to": ("", "main"),
    "HEAD by name": ("HEAD", "main"),
    "a branch": ("main", "main"),
    "a branch in full": ("refs/heads/main", "main"),
    "a branch with a slash": ("release/1", "release/1"),
    "a branch before a tag of the same name": ("both", "both"),
    "a light tag": ("light", "main"),
    "an annotated tag is the commit that it is about": ("v1", "main"),
    "a tag in full": ("refs/tags/v1", "main"),
    "what is no branch": ("refs/pull/7/head", "pull"),
}


@every_protocol
@pytest.mark.parametrize(("ref", "wanted"), REFS.values(), ids=list(REFS))
def test_a_ref_is_found_as_git_finds_it(
    repository: Repository, tmp_path: Path, ref: str, wanted: str, newest_protocol: int
) -> None:
    main = repository.commit()
    commits = {
        "main": main,
        "release/1": repository.commit("refs/heads/release/1", "two"),
        "both": repository.commit("refs/heads/both", "three"),
        "pull": repository.commit("refs/pull/7/head", "four"),
    }
    repository.commit("refs/heads/main2", "a name that begins alike")
    repository.commit("refs/tags/both", "five")
    repository.tag("v1", main)
    git("-C", str(repository.path), "update-ref", "refs/tags/light", main)
    finding, _ = find(tmp_path, ref, newest_protocol=newest_protocol)
    assert finding == Finding(commits[wanted])


@every_protocol
def test_a_new_commit_is_a_new_revision(repository: Repository, tmp_path: Path, newest_protocol: int) -> None:
    first = repository.commit()
    second = repository.commit(message="two")
    assert first != second
    assert find(tmp_path, "main", newest_protocol=newest_protocol)[0] == Finding(second)


@every_protocol
def test_a_ref_that_is_gone_is_told_from_an_empty_repository(
    repository: Repository, tmp_path: Path, newest_protocol: int
) -> None:
    for ref in ("main", ""):
        finding, _ = find(tmp_path, ref, newest_protocol=newest_protocol)
        name = ref or "HEAD"
        assert finding == Finding(problem=f"the repository at 127.0.0.1 has no ref {name}, nor a HEAD: is it empty?")
    repository.commit()
    repository.commit("refs/heads/next", "two")
    repository.remove("refs/heads/next")
    finding, _ = find(tmp_path, "next", newest_protocol=newest_protocol)
    assert finding == Finding(problem="the repository at 127.0.0.1 has no ref next")


def test_a_repository_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    finding, _ = find(tmp_path, name="nothing.git")
    assert finding.problem == "127.0.0.1 has no such repository, or not for us: is its URL right?"


def test_one_ref_of_a_hundred_thousand_costs_two_small_answers(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit()
    repository.pack_refs(commit, 100_000)
    finding, server = find(tmp_path, "main")
    assert finding == Finding(commit)
    assert [(method, path.partition("?")[0]) for method, path, _ in server.requests] == [
        ("GET", "/app.git/info/refs"),
        ("POST", "/app.git/git-upload-pack"),
    ]


def test_a_hundred_thousand_refs_of_an_old_server_are_read_as_they_come(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit()
    repository.pack_refs(commit, 100_000)
    finding, server = find(tmp_path, "b099999", newest_protocol=0)
    assert finding == Finding(commit)
    assert len(server.requests) == 1


def test_a_repository_of_sha_256_is_asked_in_its_own_format(tmp_path: Path) -> None:
    git("init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha256", str(tmp_path / "app.git"))
    commit = Repository(tmp_path / "app.git").commit()
    assert len(commit) == 64
    for newest_protocol in (2, 0):
        assert find(tmp_path, "main", newest_protocol=newest_protocol)[0] == Finding(commit)
