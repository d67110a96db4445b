"""One node with the image on it for all tests of the chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.chart.helm import GENERATIONS
from tests.chart.stages import Image, Site, node_with_image
from tests.conftest import unavailable_is_told
from tests.rights import leave_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.cluster import LocalCluster


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalCluster, Image]]:
    """Give the node and the image that it has."""
    with unavailable_is_told(), node_with_image(tmp_path_factory.mktemp("image")) as found:
        yield found
        leave_requests(found[0])


@pytest.fixture(params=GENERATIONS, ids=lambda generation: f"helm {generation}")
def site(request: pytest.FixtureRequest, node: tuple[LocalCluster, Image]) -> Iterator[Site]:
    """Give an empty cluster to either generation of Helm."""
    one = Site.of(*node, generation=request.param)
    one.make_namespace()
    try:
        yield one
    finally:
        one.clear()
