"""When a slot may be skipped because nothing has changed: only without any doubt (R31)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from periodicbuild.core.reasons import Fate

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import BuildStatus


def check_skips(build: PeriodicBuild, after: BuildStatus, plan: BuildPlan) -> None:
    """Check that every input of a skipped slot is known, and is what the last success was made from."""
    if all(ruling.fate != Fate.NO_CHANGES for ruling in plan.ruled):
        return
    success, changes, detection = after.last_success, after.changes, build.spec.change_detection
    assert detection is not None, "skipped, and nobody has asked for it"
    assert success is not None, "skipped before anything has succeeded"
    assert changes is not None
    assert not [one for one in changes.inputs if one.problem], "skipped in doubt"
    now = {one.name: one.revision for one in changes.inputs}
    assert now == {one.name: one.revision for one in success.inputs}, "skipped, and something has changed"
    assert set(now) == {"template", *(source.name for source in detection.sources)}
    assert now["template"] == hashlib.sha256(build.spec.template).hexdigest()
