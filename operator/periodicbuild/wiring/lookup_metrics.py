"""What Prometheus reads about looking sources up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter

from periodicbuild.core.inputs import SourceKind

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

FOUND, FAILED = "Found", "Failed"
"""What becomes of a lookup."""


class LookupMetrics:
    """The counter that the finder feeds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lookups = Counter(
            "periodicbuild_source_lookups",
            "Lookups of sources that were made, by kind and outcome: Found, or Failed, which builds without knowing.",
            ("kind", "outcome"),
            registry=registry,
        )
        for kind in (SourceKind.GIT, SourceKind.IMAGE):
            for outcome in (FOUND, FAILED):
                self._lookups.labels(kind, outcome)

    def count(self, kind: SourceKind, is_found: bool) -> None:  # noqa: FBT001 - the signature is the finder's
        """Count one lookup."""
        self._lookups.labels(kind, FOUND if is_found else FAILED).inc()
