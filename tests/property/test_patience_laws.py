"""Patience is neither created nor lost, whatever comes in which order (decision 0025)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from periodicbuild.kube.patience import Patience

MOST = 300

phases = st.lists(st.tuples(st.booleans(), st.integers(min_value=0, max_value=2 * MOST)))
"""Whether something gives way, and for how many seconds."""


@given(phases)
def test_it_is_out_exactly_when_more_was_used_than_there_was(given_phases: list[tuple[bool, int]]) -> None:
    patience, now, left = Patience(seconds=MOST, now=0), 0, MOST
    for is_tried, seconds in given_phases:
        patience.note(is_tried=is_tried, now=now)
        now += seconds
        patience.note(is_tried=False, now=now)
        left = max(0, left - seconds) if is_tried else min(MOST, left + seconds)
        assert patience.is_out == (left == 0)


@given(phases, st.integers(min_value=1, max_value=50))
def test_how_often_it_is_noted_changes_nothing(given_phases: list[tuple[bool, int]], step: int) -> None:
    seldom, often, now = Patience(seconds=MOST, now=0), Patience(seconds=MOST, now=0), 0
    for is_tried, seconds in given_phases:
        for instant in range(now, now + seconds, step):
            often.note(is_tried=is_tried, now=instant)
        seldom.note(is_tried=is_tried, now=now)
        now += seconds
        for one in (seldom, often):
            one.note(is_tried=is_tried, now=now)
        assert seldom.is_out == often.is_out


@given(st.integers(min_value=1, max_value=1_000), st.integers(min_value=1, max_value=9))
def test_instants_of_calm_buy_no_more_than_instants(rounds: int, busy: int) -> None:
    """Nine seconds in ten under pressure use it up in the end, however often the line is empty in between."""
    patience, now, given_way = Patience(seconds=MOST, now=0), 0, 0
    for _ in range(rounds):
        patience.note(is_tried=True, now=now)
        for _ in range(busy):
            given_way += not patience.is_out
            now += 1
            patience.note(is_tried=True, now=now)
        patience.note(is_tried=False, now=now)
        now += 1
        patience.note(is_tried=False, now=now)
    assert given_way <= MOST + rounds
