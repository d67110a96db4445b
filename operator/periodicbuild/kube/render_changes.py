"""What was compared, as it is stored; the mirror image of `parse_changes`.

Must not decide what has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from periodicbuild.kube import wire_status as wire
from periodicbuild.kube.parse_changes import LONGEST
from periodicbuild.kube.render_values import reason_text, stored_instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from periodicbuild.core.inputs import Comparison, Input
    from periodicbuild.core.status import Changes


def stored_changes(changes: Changes) -> wire.ChangesWire:
    """Give `status.changes`."""
    return wire.ChangesWire(
        slot_time=stored_instant(changes.slot),
        time=stored_instant(changes.at),
        verdict=reason_text(changes.verdict),
        inputs=stored_inputs(changes.inputs) or None,
    )


def recorded_inputs(inputs: Iterable[Input]) -> tuple[wire.RecordedInputWire, ...]:
    """Give `lastSuccess.inputs`."""
    return tuple(wire.RecordedInputWire(name=one.name, revision=one.revision) for one in inputs)


def stored_inputs(inputs: Iterable[Input]) -> tuple[wire.InputWire, ...]:
    """Give `changes.inputs`."""
    return tuple(
        wire.InputWire(
            name=one.name,
            revision=one.revision,
            previous=one.previous,
            problem=one.problem[:LONGEST] or None,
        )
        for one in inputs
    )


def comparison_text(comparison: Comparison) -> str:
    """Write the annotation of an AppServer."""
    stored = wire.ComparisonWire(verdict=comparison.verdict, inputs=stored_inputs(comparison.inputs))
    return msgspec.json.encode(stored).decode()
