"""Who leads, judged by one replica from what it has seen and by its own clock (design 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from periodicbuild.core.leadership import Candidate, Lease

NEVER = float("-inf")
FIRST_LOOK = 100.0
BY_OTHER = Lease(holder="other", mark="m-other", duration_seconds=9, transitions=4, version="7")
FREE = replace(BY_OTHER, holder="", mark="m-released")
NEW = Candidate(identity="one", duration_seconds=15)


def taken(lease: Lease | None, *, sent_at: float = 200.0, seen_at: float = 201.0) -> Candidate:
    """Give a candidate whose bid was taken."""
    candidate = NEW.saw(lease, FIRST_LOOK).sent("m-1", sent_at)
    return candidate.saw(replace(candidate.next_lease, mark="m-1", version="8"), seen_at)


def test_nobody_leads_before_having_looked() -> None:
    assert (NEW.has_won, NEW.held_until) == (False, NEVER)


@pytest.mark.parametrize(
    ("lease", "acts_at"),
    [
        (None, FIRST_LOOK),
        (FREE, FIRST_LOOK),
        (BY_OTHER, FIRST_LOOK + 9),
        (replace(BY_OTHER, holder="one"), FIRST_LOOK),
    ],
    ids=["there is none", "it was given back", "another has it, for as long as it says", "its own name is on it"],
)
def test_when_it_asks_for_the_lease(lease: Lease | None, acts_at: float) -> None:
    candidate = NEW.saw(lease, FIRST_LOOK)
    assert (candidate.has_won, candidate.held_until, candidate.acts_at) == (False, NEVER, acts_at)


@pytest.mark.parametrize(
    ("lease", "expected"),
    [
        (None, Lease(holder="one", duration_seconds=15)),
        (FREE, Lease(holder="one", duration_seconds=15, transitions=5, version="7")),
        (BY_OTHER, Lease(holder="one", duration_seconds=15, transitions=5, version="7")),
        (replace(BY_OTHER, holder="one"), Lease(holder="one", duration_seconds=15, transitions=5, version="7")),
    ],
    ids=["it makes one", "that was given back", "that has run out", "that its predecessor left behind"],
)
def test_what_it_asks_for_is_a_new_term(lease: Lease | None, expected: Lease) -> None:
    assert NEW.saw(lease, FIRST_LOOK).next_lease == expected


def test_a_leader_counts_from_before_it_asked() -> None:
    leader = taken(FREE, sent_at=200.0, seen_at=209.0)
    assert (leader.has_won, leader.held_until, leader.acts_at) == (True, 210.0, 205.0)


def test_a_renewal_goes_on_with_the_term() -> None:
    assert taken(FREE).next_lease == Lease(holder="one", duration_seconds=15, transitions=5, version="8")


def test_what_is_given_back_has_no_holder_and_may_be_had_at_once() -> None:
    free = BY_OTHER.given_back("m-end")
    assert free == replace(BY_OTHER, holder="", mark="m-end")
    assert NEW.saw(BY_OTHER, 100.0).saw(free, 101.0).acts_at == 101.0


def test_another_counts_from_when_it_saw_a_renewal_first() -> None:
    follower = NEW.saw(BY_OTHER, 100.0).saw(BY_OTHER, 108.0)
    assert follower.acts_at == 109.0
    assert follower.saw(replace(BY_OTHER, mark="m-later", version="8"), 108.0).acts_at == 117.0


def test_a_bid_that_was_not_taken_makes_no_leader() -> None:
    assert NEW.saw(FREE, 100.0).sent("m-1", 200.0).held_until == NEVER


def test_an_answer_that_was_lost_is_found_by_its_mark() -> None:
    leader = taken(FREE).sent("m-2", 206.0).sent("m-3", 208.0)
    found = leader.saw(Lease(holder="one", mark="m-2", duration_seconds=15, transitions=5, version="9"), 209.0)
    assert (found.has_won, found.held_until) == (True, 216.0)


def test_an_answer_later_than_many_bids_counts_for_nothing() -> None:
    leader = taken(FREE)
    for number in range(2, 6):
        leader = leader.sent(f"m-{number}", 200.0 + number)
    assert (leader.has_won, leader.held_until) == (False, NEVER)


def test_it_stops_when_another_has_the_lease_or_there_is_none() -> None:
    leader = taken(FREE)
    assert leader.saw(replace(BY_OTHER, version="9"), 202.0).held_until == NEVER
    assert leader.saw(None, 202.0).held_until == NEVER


def test_a_namesake_that_is_alive_is_waited_for() -> None:
    """Two living replicas of one name would take the Lease from each other for ever."""
    namesake = Lease(holder="one", mark="m-namesake", duration_seconds=9, transitions=6, version="9")
    deposed = taken(FREE).saw(namesake, 202.0)
    assert (deposed.has_won, deposed.held_until, deposed.acts_at) == (False, NEVER, 211.0)


def test_a_label_that_somebody_puts_on_it_changes_nothing() -> None:
    leader = taken(FREE)
    assert leader.lease is not None
    labelled = leader.saw(replace(leader.lease, version="9"), 204.0)
    assert (labelled.held_until, labelled.next_lease.version) == (leader.held_until, "9")
