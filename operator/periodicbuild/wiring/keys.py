"""What the reconcile loop is asked to look at."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """One object, by name: what is there under that name now is for the look to find out."""

    kind: str
    """PeriodicBuild, AppServer or BuildGate, whose namespace is empty."""
    namespace: str
    name: str
