"""Instants as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from periodicbuild.cli.instants import read_instant

HALF_PAST_ONE = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T01:30:00Z",
        "2026-11-24T01:30Z",
        "2026-11-24t01:30:00z",
        "2026-11-24 02:30:00+01:00",
        "2026-11-24T07:15+05:45",
        " 2026-11-24T01:29:59.5Z ",
    ],
)
def test_an_instant_needs_a_zone_and_no_seconds(text: str) -> None:
    """A fraction is rounded up, so that nothing is earlier than asked."""
    assert read_instant(text) == HALF_PAST_ONE


@pytest.mark.parametrize(
    "text", ["", "now", "20261124T0130Z", "2026-11-24T25:00Z", "2026-11-24T01:30+25:00", "٢٠٢٦-11-24T01:30Z"]
)
def test_what_is_no_instant_is_answered_by_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no instant"):
        read_instant(text)
