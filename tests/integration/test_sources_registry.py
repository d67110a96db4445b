"""The digest of an image, from a real registry (R31)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import trustme
from tests.conftest import unavailable_is_told
from tests.sources.finding import a_finder, found, image
from tests.sources.images import USER_AND_PASSWORD, Registry, running_registry

from periodicbuild.core.inputs import Finding
from periodicbuild.sources.hosts import HostRules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real_node

INSIDE = HostRules(private=frozenset({"localhost"}))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Give an empty registry that is open to all."""
    with unavailable_is_told(), running_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


def find(registry: Registry, name: str) -> Finding:
    return asyncio.run(found(image(f"{registry.address}/{name}")))


def test_a_tag_is_the_digest_that_was_pushed_and_moves_with_the_next_push(registry: Registry) -> None:
    first = registry.push("team/app", "1", "one")
    assert find(registry, "team/app:1") == Finding(first)
    second = registry.push("team/app", "1", "two")
    assert second != first
    assert find(registry, "team/app:1") == Finding(second)
    assert find(registry, f"team/app:1@{first}") == Finding(first)


def test_an_image_for_several_platforms_is_the_digest_of_its_list(registry: Registry) -> None:
    index = registry.push_list("team/many", "1", "one", "two")
    assert find(registry, "team/many:1") == Finding(index)
    other = registry.push_list("team/many", "1", "one", "three")
    assert find(registry, "team/many:1") == Finding(other)
    assert other != index


def test_a_tag_that_is_not_there_is_told_of(registry: Registry) -> None:
    problem = f"{registry.address} has no team/nothing:1"
    assert find(registry, "team/nothing:1") == Finding(problem=problem)


def test_a_closed_registry_lets_in_who_has_the_password(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    mounted = tmp_path / "credentials"
    mounted.mkdir()

    async def look_up(registry: Registry) -> Finding:
        async with a_finder(INSIDE, credentials=mounted, ca_file=tmp_path / "ca.pem") as finder:
            return (await finder.find(image(f"{registry.address}/app:1")))[0]

    with unavailable_is_told(), running_registry(tmp_path, authority) as registry:
        pushed = registry.push("app", "1", "one")
        refused = f"{registry.address} wants credentials for app: mount a file of them"
        assert asyncio.run(look_up(registry)) == Finding(problem=refused)
        (mounted / "localhost").write_text(f"{USER_AND_PASSWORD}\n")
        assert asyncio.run(look_up(registry)) == Finding(pushed)
        (mounted / "localhost").write_text("me:another")
        assert asyncio.run(look_up(registry)).problem == (
            f"{registry.address} does not let us read app: are the credentials the right ones?"
        )
