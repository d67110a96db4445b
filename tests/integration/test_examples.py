"""The example files are accepted as they are by an API server that has our definitions."""

from __future__ import annotations

import pytest
from tests.cluster.cluster import Cluster
from tests.demo.examples import FOLDER
from tests.schema.installed import install, refusal_of

pytestmark = pytest.mark.control_plane

FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module")
def defined(control_plane: Cluster) -> Cluster:
    """Give an API server that knows the kinds."""
    install(control_plane)
    return control_plane


@pytest.mark.parametrize("file", FILES)
def test_an_example_is_accepted_as_it_is(defined: Cluster, file: str) -> None:
    assert refusal_of(defined, "apply", "--dry-run=server", f"--filename={FOLDER / file}") == ""


@pytest.mark.parametrize("file", FILES)
def test_an_example_has_no_field_that_the_kind_does_not_know(defined: Cluster, file: str) -> None:
    strict = ("create", "--dry-run=server", "--validate=strict", f"--filename={FOLDER / file}")

    assert refusal_of(defined, *strict) == ""
