"""Which networks and device names a cluster with a node gets."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from tests.cluster.addresses import INDEXES, Addresses, choose_addresses, link_of
from tests.cluster.errors import ClusterError

STATE = Path("/home/somebody/.local/state/periodicbuild/clusters/dev")
TEST_NETWORKS = IPv4Network("198.18.0.0/15")


def test_no_two_indexes_share_an_address() -> None:
    networks = [network for index in INDEXES for network in (Addresses(index).link, Addresses(index).pods)]

    assert len(set(networks)) == 2 * len(INDEXES)
    assert all(network.subnet_of(TEST_NETWORKS) for network in networks)


def test_both_ends_of_the_link_are_usable_addresses() -> None:
    addresses = Addresses(7)

    assert (str(addresses.machine), str(addresses.node)) == ("198.18.7.1", "198.18.7.2")


def test_a_cluster_gets_the_same_addresses_again() -> None:
    assert choose_addresses(STATE, used=[]) == choose_addresses(STATE, used=[])


@pytest.mark.parametrize("taken", ["link", "pods"])
def test_addresses_in_use_are_avoided(taken: str) -> None:
    first = choose_addresses(STATE, used=[])

    second = choose_addresses(STATE, used=[first.link if taken == "link" else first.pods])

    assert second.index == (first.index + 1) % len(INDEXES)


def test_when_all_are_in_use_it_says_so() -> None:
    with pytest.raises(ClusterError, match="take some clusters down"):
        choose_addresses(STATE, used=[TEST_NETWORKS])


def test_a_default_route_that_is_written_as_two_halves_does_not_count_as_free() -> None:
    with pytest.raises(ClusterError):
        choose_addresses(STATE, used=[IPv4Network("128.0.0.0/1")])


def test_a_device_name_fits_the_kernel_and_differs_per_state_folder() -> None:
    assert len(link_of(STATE)) <= 15
    assert link_of(STATE) != link_of(STATE.with_name("other"))
