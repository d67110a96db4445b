"""Whether every time zone that a PeriodicBuild names is in the zone data.

The plug-in's own data is asked; the operator's is the same if both are of one version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.cli.checks.finding import failed, named, ok
from periodicbuild.cli.checks.patient import UNSEEN
from periodicbuild.core.zones import TZDATA_VERSION, zone_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient


def check(patient: Patient) -> Iterator[Finding]:
    """Look every zone up."""
    used = {zone for one in patient.sightings for zone in one.zones}
    unknown = [f"{zone!r} of {one.title}" for one in patient.sightings for zone in sorted(one.zones - zone_names())]
    if unknown:
        saw = f"tzdata {TZDATA_VERSION} does not know {named(unknown)}"
        yield failed("time zones", saw, "correct the name (why NAME suggests some), or update the plug-in")
    elif used:
        yield ok("time zones", f"tzdata {TZDATA_VERSION} knows all {len(used)} in use")
    else:
        yield ok("time zones", f"tzdata {TZDATA_VERSION}; {'none is in use' if patient.scope else UNSEEN}")
