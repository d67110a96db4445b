"""The status of a BuildGate, from what is shown to what is stored; the mirror image of `parse_gate`.

Must not decide what a status says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.kube.render_build_status import stored_condition
from periodicbuild.kube.render_values import stored_instant
from periodicbuild.kube.wire_gate import BlockingBuildWire, GateStatusWire, NextWindowWire
from periodicbuild.kube.wire_parts import if_any

if TYPE_CHECKING:
    from periodicbuild.core.gate_status import BlockingBuild, GateStatus, NextWindow


def stored_gate_status(status: GateStatus) -> GateStatusWire:
    """Give every field, None for what is to disappear."""
    return GateStatusWire(
        observed_generation=status.observed_generation,
        next_window=if_any(_next_window, status.next_window),
        held_back=status.held_back,
        blocking_count=status.blocking_count,
        blocking_builds=tuple(map(_blocking_build, status.blocking_builds)) or None,
        conditions=tuple(map(stored_condition, status.conditions)) or None,
    )


def _next_window(coming: NextWindow) -> NextWindowWire:
    return NextWindowWire(
        name=coming.name, start_time=stored_instant(coming.start), end_time=stored_instant(coming.end)
    )


def _blocking_build(one: BlockingBuild) -> BlockingBuildWire:
    return BlockingBuildWire(
        namespace=one.namespace,
        name=one.name,
        app_server=one.app_server,
        estimated_end_time=if_any(stored_instant, one.estimated_end_at),
    )
