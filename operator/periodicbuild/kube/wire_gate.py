"""BuildGates as msgspec reads and writes them.

Must not know what a field means; `parse_gate.py` and `render_gate.py` do.
"""

from __future__ import annotations

from typing import Any

import msgspec

from periodicbuild.kube.wire import ABSENT, AnyMetaWire, NotAnObject
from periodicbuild.kube.wire_parts import Count, Instant, StatusItem, StatusObject
from periodicbuild.kube.wire_status import ConditionWire


class GateSpecWire(msgspec.Struct, frozen=True, rename="camel"):
    """The spec of a BuildGate; each part is judged by itself."""

    scope: Any = None
    closed: Any = False
    windows: Any = None
    margin: Any = None
    reason: Any = None
    owner: Any = None
    expire_time: Any = None


class NextWindowWire(StatusObject, frozen=True, kw_only=True):
    """`nextWindow`."""

    name: str
    start_time: Instant
    end_time: Instant


class BlockingBuildWire(StatusItem, frozen=True, kw_only=True):
    """One item of `blockingBuilds`."""

    namespace: str
    name: str
    app_server: str | None = None
    estimated_end_time: Instant | None = None


class GateStatusWire(StatusObject, frozen=True, kw_only=True):
    """The status of a BuildGate."""

    observed_generation: Count | None = None
    next_window: NextWindowWire | None = None
    held_back: Count | None = None
    blocking_count: Count | None = None
    blocking_builds: tuple[BlockingBuildWire, ...] | None = None
    conditions: tuple[ConditionWire, ...] | None = None


class BuildGateWire(msgspec.Struct, frozen=True):
    """A BuildGate."""

    metadata: AnyMetaWire = AnyMetaWire()
    spec: GateSpecWire | NotAnObject = None
    status: msgspec.Raw = ABSENT
