"""Closing and opening a gate by hand: what is changed in its spec.

Must not know how it is sent.

The one idea a newcomer would miss: a gate that is closed until an instant gets a window of our own, and not an end of
its life.  So its other windows go on, and it opens by itself though nobody may remember it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from periodicbuild.kube.kinds import BUILD_GATE, BUILD_GATES
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.cli.gates import GateDocument

BY_HAND: Final = "closed-by-hand"
"""The window that `close --until` makes, and that `open` removes."""


class Closing(NamedTuple):
    """How a gate is to be closed."""

    until: datetime | None = None
    """When it opens by itself; None = when somebody opens it."""
    reason: str | None = None
    """What it is for; None = as it is written."""
    owner: str | None = None
    """Likewise, whom to ask."""


def closed_spec(found: GateDocument | None, now: datetime, closing: Closing) -> dict[str, Any]:
    """Give the fields of the spec that close a gate; an end of its life that would open it sooner goes."""
    once = [] if closing.until is None else [_window(now, closing.until)]
    spec: dict[str, Any] = {"closed": closing.until is None, "windows": [*_other_windows(found), *once]}
    expires_at = None if found is None else found.facts.spec.expires_at
    if expires_at is not None and (closing.until is None or expires_at < closing.until):
        spec["expireTime"] = None
    texts = {"reason": closing.reason, "owner": closing.owner}
    return spec | {name: text for name, text in texts.items() if text is not None}


def opened_spec(found: GateDocument) -> dict[str, Any]:
    """Give the fields of the spec that open a gate, as far as it was closed by hand."""
    return {"closed": False, "windows": _other_windows(found)}


def patch_of(found: GateDocument, spec: dict[str, Any]) -> dict[str, Any]:
    """Give the merge patch, which is refused if somebody else was faster: a list is replaced as a whole."""
    return {"metadata": {"resourceVersion": found.facts.resource_version}, "spec": spec}


def manifest_of(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Give a new gate."""
    return {"apiVersion": BUILD_GATES.api_version, "kind": BUILD_GATE, "metadata": {"name": name}, "spec": spec}


def _window(now: datetime, until: datetime) -> dict[str, Any]:
    return {"name": BY_HAND, "once": {"startTime": instant_text(now), "endTime": instant_text(until)}}


def _other_windows(found: GateDocument | None) -> list[Any]:
    windows = () if found is None else found.spec.get("windows") or ()
    return [one for one in windows if not (isinstance(one, dict) and one.get("name") == BY_HAND)]
