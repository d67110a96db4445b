"""An outage is one fact: its pauses grow to a limit, and it is spoken of twice."""

from __future__ import annotations

import logging

import pytest

from periodicbuild.kube.answers import error_without_answer
from periodicbuild.kube.errors import GoneError, TransientKubeError
from periodicbuild.kube.outage import (
    FIRST_PAUSE_SECONDS,
    LONGEST_HONOURED_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Outage,
    pause_after,
)
from periodicbuild.kube.paths import Target

WATCH = Target("watch", "pods")
REFUSED = error_without_answer(WATCH, "connection refused")


def an_overload(retry_after: float) -> TransientKubeError:
    """Build a 429 with a wish."""
    return TransientKubeError(verb="watch", ref="pods", status=429, retry_after=retry_after)


def test_pauses_double_up_to_a_limit_and_never_overflow() -> None:
    longest = [max(pause_after(failures) for _ in range(200)) for failures in (0, 1, 2, 3, 10, 100_000)]
    assert longest == pytest.approx([0.5, 1.0, 2.0, 4.0, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS], rel=0.1)


def test_a_pause_is_at_least_half_of_the_longest() -> None:
    assert min(pause_after(1) for _ in range(200)) >= 0.5


def test_the_servers_wish_is_honoured() -> None:
    assert Outage("watch of pods").failed(an_overload(retry_after=20.0)) == 20.0


def test_an_absurd_wish_is_not() -> None:
    assert Outage("watch of pods").failed(an_overload(retry_after=86_400.0)) == LONGEST_HONOURED_SECONDS


def test_a_long_outage_is_spoken_of_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    instants = iter([1000.0, 1300.0])
    outage = Outage("watch of pods", monotonic=lambda: next(instants))
    with caplog.at_level(logging.INFO):
        for _ in range(100):
            outage.failed(REFUSED)
        outage.is_over()
        outage.is_over()
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "INFO"]
    assert vars(caplog.records[1])["outage_seconds"] == 300.0


def test_who_tries_sooner_begins_with_short_pauses_in_the_same_outage(caplog: pytest.LogCaptureFixture) -> None:
    instants = iter([1000.0, 1300.0])
    outage = Outage("watch of pods", monotonic=lambda: next(instants))
    with caplog.at_level(logging.INFO):
        for _ in range(100):
            outage.failed(REFUSED)
        outage.try_sooner()
        assert outage.failed(REFUSED) <= FIRST_PAUSE_SECONDS
        outage.is_over()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert vars(caplog.records[1])["outage_seconds"] == 300.0


def test_a_version_too_old_is_no_outage_to_speak_of(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("watch of pods")
    outage.failed(GoneError(verb="watch", ref="pods", status=410))
    outage.is_over()
    assert caplog.records == []
