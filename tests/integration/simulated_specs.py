"""Specs for builds that run nowhere: a simulated node lets their pods live as long, and end as, they say.

The one idea a newcomer would miss: the first slot of a schedule with `notBefore` is that very instant, so the names
of its AppServer and pods are known before they exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cluster.cluster import TEST_IMAGE

Spec = dict[str, Any]

LIFE = "simulation.periodicbuild.dev"
FOR_EVER = "1h"
"""Longer than any test."""
MINUTELY = {"cron": {"expression": "* * * * *"}}


def a_build_spec(
    runs_for: str = "100ms", *, exit_code: int = 0, pod: Mapping[str, Any] | None = None, **fields: Any
) -> Spec:
    """Give the spec of a build that ends: due at once, then daily; `fields` add to it or replace."""
    spec: Spec = {
        "enabled": True,
        "schedule": every("24h"),
        "succeedWhen": "Completed",
        "template": a_template(runs_for, exit_code=exit_code, pod=pod),
    }
    return spec | fields


def a_server_spec(**fields: Any) -> Spec:
    """Give the spec of a server that is ready at once and stays up."""
    return a_build_spec(**fields) | {"succeedWhen": "Ready"}


def a_template(runs_for: str = "100ms", *, exit_code: int = 0, pod: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give a pod template with one container; `pod` adds to the pod's spec or replaces."""
    life = {f"{LIFE}/runs-for": runs_for, f"{LIFE}/exit-code": str(exit_code)}
    spec = {"containers": [{"name": "main", "image": TEST_IMAGE}]}
    return {"metadata": {"annotations": life}, "spec": spec | dict(pod or {})}


def every(interval: str, **more: Any) -> dict[str, Any]:
    """Give a schedule; `more` goes beside the interval."""
    return {"interval": {"every": interval}} | more


def in_seconds(seconds: int) -> datetime:
    """Give an instant on a whole second, at least so far away."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds + 1)


def text_of(instant: datetime) -> str:
    """Write an instant as the API does."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def name_of(build: str, slot: datetime, attempt: int = 1) -> str:
    """Give the name that an attempt for a slot has (design 2.4)."""
    return f"{build}-{slot:%Y%m%d-%H%M%S}-{attempt}"
