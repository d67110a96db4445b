"""A token bucket lets a burst pass, then its rate, and never more."""

from __future__ import annotations

import pytest

from periodicbuild.core.recent import Recent
from periodicbuild.kube.bucket import TokenBucket
from periodicbuild.kube.event_budget import BURST, EventBudget

START = 1000.0
ONE_TOKEN_LATER = 1000.1
LONG_AFTER = 9999.0


def a_bucket(*, rate: float = 10.0, burst: int = 3) -> TokenBucket:
    """Build a bucket that is full at START."""
    return TokenBucket(rate=rate, burst=burst, now=START)


def taken(bucket: TokenBucket, now: float, tries: int = 100) -> int:
    """Count the tokens that can be had at one instant."""
    return sum(bucket.take(now) for _ in range(tries))


def test_a_full_bucket_gives_its_burst_and_no_more() -> None:
    assert taken(a_bucket(burst=3), START) == 3


def test_an_empty_bucket_says_how_long_to_wait() -> None:
    bucket = a_bucket(rate=10.0)
    taken(bucket, START)
    assert bucket.wait_seconds(START) == pytest.approx(0.1)


def test_a_token_comes_back_at_the_rate() -> None:
    bucket = a_bucket(rate=10.0)
    taken(bucket, START)
    assert taken(bucket, ONE_TOKEN_LATER) == 1


def test_a_calm_refills_no_more_than_the_burst() -> None:
    bucket = a_bucket(burst=3)
    taken(bucket, START)
    assert taken(bucket, LONG_AFTER) == 3


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = a_bucket(burst=3)
    taken(bucket, START)
    assert taken(bucket, START - 500.0) == 0


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = a_bucket(rate=0.0)
    assert taken(bucket, START, tries=1000) == 1000
    assert bucket.wait_seconds(START) == 0.0


@pytest.mark.parametrize(("rate", "burst"), [(-1.0, 1), (1.0, 0)])
def test_a_senseless_bucket_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="a bucket needs"):
        TokenBucket(rate=rate, burst=burst, now=START)


def test_one_noisy_object_does_not_silence_another() -> None:
    budget = EventBudget(lambda: START)
    assert sum(budget.take("noisy") for _ in range(50)) == BURST
    assert budget.take("quiet")


def test_only_what_was_used_lately_is_remembered() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)
