"""The breaker: after so many failures in a row the schedule starts one probe at a time (R36).

The one idea a newcomer would miss: it is open only for the template and the settings that failed.  Whoever changes
either has done something about it, and the next slot may show whether it helped.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.status import OpenBreaker

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import BuildSpec
    from periodicbuild.core.look import Draft

DIGEST = 16
"""Characters of the digest that is stored."""


def note_counted_failure(draft: Draft, at: datetime) -> None:
    """Open the breaker once enough runs of the schedule have failed in a row, and again after each probe that fails."""
    breaker = draft.build.spec.breaker
    if breaker is None or draft.status.consecutive_failures < breaker.failures:
        return
    known = draft.status.breaker
    opened = OpenBreaker(
        opened_at=known.opened_at if known is not None else at,
        next_probe_at=at + breaker.probe_after,
        digest=_digest(draft.build.spec),
    )
    draft.status = replace(draft.status, breaker=opened)


def forget_if_changed(draft: Draft) -> None:
    """Close a breaker whose template or settings were changed since it opened."""
    known = draft.status.breaker
    spec = draft.build.spec
    if known is not None and (spec.breaker is None or known.digest != _digest(spec)):
        draft.status = replace(draft.status, breaker=None)


def holds_back(draft: Draft) -> bool:
    """Tell whether it is open, and ask to look again when the next probe may start."""
    known = draft.status.breaker
    if known is None or draft.now.steady >= known.next_probe_at:
        return False
    draft.wake_at(steady=known.next_probe_at)
    return True


def _digest(spec: BuildSpec) -> str:
    settings = f"{spec.breaker.failures}/{spec.breaker.probe_after}" if spec.breaker is not None else ""
    return hashlib.sha256(settings.encode() + b"\n" + spec.template).hexdigest()[:DIGEST]
