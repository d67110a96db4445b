"""The heart-beat mail: when the beats are (R40)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.builders import at

from periodicbuild.wiring.heartbeat import beat_of


@pytest.mark.parametrize(
    ("now", "every", "beat"),
    [
        ("2026-11-23T03:04:05", timedelta(days=1), "2026-11-23T00:00:00"),
        ("2026-11-23T00:00:00", timedelta(days=1), "2026-11-23T00:00:00"),
        ("2026-11-23T03:04:05", timedelta(minutes=5), "2026-11-23T03:00:00"),
    ],
)
def test_a_beat_is_a_multiple_of_the_interval_so_that_a_restart_sends_the_same_mail(
    now: str, every: timedelta, beat: str
) -> None:
    assert beat_of(at(now), every) == at(beat)
