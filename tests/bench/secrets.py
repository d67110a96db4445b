"""Failed builds that give a secret away, in one shape after the other: where it is told."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from tests.builders.planting import PLANTED, everything_told
from tests.cluster.console import say

BUILDS = 5_000


def measure_secrets(builds: int = BUILDS) -> dict[str, float]:
    """Give the figures."""
    looked_at, found = 0, 0

    @settings(
        max_examples=builds,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(PLANTED)
    def look(planted: tuple[bytes, str]) -> None:
        nonlocal looked_at, found
        log, secret = planted
        told = everything_told(log, secret)
        looked_at += len(told)
        found += sum(secret in text for text in told.values())

    say(f"{builds:,} builds fail, and each gives a secret away.")
    look()
    return {"planted-secrets-texts": looked_at, "planted-secrets-found": found}
