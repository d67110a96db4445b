"""Whatever a build gives away, nobody is told (R24)."""

from __future__ import annotations

from hypothesis import given
from tests.builders.planting import PLANTED, everything_told


@given(PLANTED)
def test_a_secret_is_in_nothing_that_becomes_of_a_failed_build(planted: tuple[bytes, str]) -> None:
    log, secret = planted
    told = everything_told(log, secret)
    assert all(told.values())
    assert [where for where, text in told.items() if secret in text] == []
    assert "[redacted]" in told["mail"]
