"""Only if changed: what a slot is made from, compared with the last success (R31).

Must not know how a source is looked up; a lookup is asked for, and what it found is a fact of a later look.

The one idea a newcomer would miss: doubt builds.  A slot is skipped only if every input is known, and known to be what
the last success was made from; a lookup that takes too long is an answer like any other.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from periodicbuild.core.inputs import (
    TEMPLATE,
    Comparison,
    Finding,
    Input,
    Verdict,
    compared_inputs,
    template_revision,
)
from periodicbuild.core.ledger import Ruling
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import LookUpSources
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import EventReason, Fate, Trigger
from periodicbuild.core.schedules import next_slot
from periodicbuild.core.servers import is_up, server_named
from periodicbuild.core.status import Changes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.inputs import Lookup
    from periodicbuild.core.look import Draft
    from periodicbuild.core.status import LastSuccess

LOOKED_UP_WITHIN: Final = timedelta(minutes=1)
"""A source not found by then is unreachable: longer than one lookup may take, with the wait for its turn."""
LOOKED_UP_AGAIN_AFTER: Final = timedelta(minutes=10)
"""A slot that is held up by something else for longer is judged by what is there then (R14)."""
SHOWN: Final = 12
"""Characters of a revision in a sentence."""


def is_looking_up(draft: Draft, slot: datetime) -> bool:
    """Tell whether the sources of a slot are not known yet, and ask for them."""
    detection = draft.build.spec.change_detection
    if detection is None or not detection.sources:
        return False
    lookup = _lookup_of(draft, slot)
    if lookup is None:
        draft.first.append(LookUpSources(slot=slot, sources=detection.sources))
        return True
    if lookup.findings is not None or draft.now.steady >= lookup.asked_at + LOOKED_UP_WITHIN:
        return False
    draft.wake_at(steady=lookup.asked_at + LOOKED_UP_WITHIN)
    return True


def is_unchanged(draft: Draft, slot: datetime) -> bool:
    """Tell whether a build would be made from what the last success was made from, and need not be."""
    comparison = compare(draft, slot)
    return comparison is not None and comparison.verdict == Verdict.NO_CHANGES


def compare(draft: Draft, slot: datetime) -> Comparison | None:
    """Compare the inputs of a slot with those of the last success; None = nobody wants to know."""
    if draft.build.spec.change_detection is None:
        return None
    success = draft.status.last_success
    inputs = compared_inputs(_found(draft, slot), success.inputs if success is not None else ())
    return Comparison(_verdict(draft, slot, inputs), inputs)


def skip_unchanged(draft: Draft, slot: datetime) -> None:
    """Give the slot its fate; an interval counts on from here, as if it had built (R4)."""
    comparison = compare(draft, slot)
    draft.rule(Ruling(slot=slot, fate=Fate.NO_CHANGES, at=draft.now.wall, started_at=draft.now.wall))
    _note(draft, slot, comparison)


def note_start(draft: Draft, child: AppServer, slot: datetime) -> None:
    """Note what the inputs of a slot that has started came to, and say if some of them could not be found."""
    _note(draft, slot, child.comparison)
    inputs = child.comparison.inputs if child.comparison is not None else ()
    problems = [f"{one.name}: {one.problem}" for one in inputs if one.problem]
    if problems:
        note = f"Build {child.run} was started although not all of its sources are known. {'; '.join(problems)}"
        draft.tell(EventType.WARNING, EventReason.SOURCE_UNREACHABLE, note, key=child.run or child.ref.name)


def verdict_of(child: AppServer) -> str | None:
    """Return the word for the ledger."""
    return None if child.comparison is None else child.comparison.verdict


def built_from(draft: Draft, child: AppServer | None) -> tuple[Input, ...]:
    """Return what a success was made from; empty = not known.

    Only a slot has its sources looked up; and a server from a run by hand is not what serves (R26).
    """
    if child is not None and child.comparison is not None:
        return child.comparison.inputs
    detection = draft.build.spec.change_detection
    if detection is None or detection.sources or child is None or child.template is None:
        return ()
    if child.trigger == Trigger.MANUAL and child.succeed_when == SucceedWhen.READY:
        return ()
    return (Input(TEMPLATE, template_revision(child.template)),)


def note_reproduction(draft: Draft, before: LastSuccess | None, after: LastSuccess) -> None:
    """Say so if the same inputs have led to another output than last time."""
    if before is None or before.output_digest is None or after.output_digest is None:
        return
    is_same_input = before.input_digest is not None and before.input_digest == after.input_digest
    if is_same_input and before.output_digest != after.output_digest:
        note = (
            f"Build {after.run} is made from the same inputs as build {before.run}, and its output is another:"
            f" {after.output_digest} instead of {before.output_digest}"
        )
        draft.tell(EventType.WARNING, EventReason.REPRODUCIBILITY_LOST, note, key=after.run)


def changed_text(comparison: Comparison | None) -> str:
    """Name what has changed since the last success, and from what to what; empty = nothing is known to have."""
    if comparison is None or comparison.verdict != Verdict.CHANGED:
        return ""
    return ", ".join(_changed(one) for one in comparison.inputs if one.has_changed)


def change_lines(comparison: Comparison | None) -> tuple[str, ...]:
    """Tell what has changed since the last success, and what is not known, a line each; empty = nothing was compared.

    For whoever asks why a build fails that had succeeded: that nothing has changed is an answer, too.
    """
    if comparison is None or comparison.verdict in {Verdict.NEVER_SUCCEEDED, Verdict.NOT_RECORDED}:
        return ()
    lines = (f"{one.name}, not known: {one.problem}" if one.problem else _changed(one) for one in comparison.inputs)
    told = tuple(line for line, one in zip(lines, comparison.inputs, strict=True) if one.problem or one.has_changed)
    return told or ("nothing",)


def _changed(one: Input) -> str:
    if one.revision is None:
        return f"{one.name} (left out)"
    before = "" if one.previous is None else f"{short(one.previous)} "
    return f"{one.name} ({before}to {short(one.revision)})"


def short(revision: str) -> str:
    """Cut a revision to what a person compares by."""
    return revision.removeprefix("sha256:")[:SHOWN]


def _note(draft: Draft, slot: datetime, comparison: Comparison | None) -> None:
    if comparison is None:
        return
    changes = Changes(slot=slot, at=draft.now.wall, verdict=comparison.verdict, inputs=comparison.inputs)
    draft.status = replace(draft.status, changes=changes)


def _lookup_of(draft: Draft, slot: datetime) -> Lookup | None:
    """Return what is known of these very sources for this very slot, unless it is too old."""
    detection, lookup = draft.build.spec.change_detection, draft.facts.lookup
    if detection is None or lookup is None or (lookup.slot, lookup.sources) != (slot, detection.sources):
        return None
    return None if draft.now.steady >= lookup.asked_at + LOOKED_UP_AGAIN_AFTER else lookup


def _found(draft: Draft, slot: datetime) -> Mapping[str, Finding]:
    detection, lookup = draft.build.spec.change_detection, _lookup_of(draft, slot)
    findings = lookup.findings if lookup is not None and lookup.findings is not None else {}
    late = Finding(problem=f"not found within {LOOKED_UP_WITHIN.total_seconds():.0f} s")
    sources = detection.sources if detection is not None else ()
    template = Finding(template_revision(draft.build.spec.template))
    return {TEMPLATE: template, **{one.name: findings.get(one.name, late) for one in sources}}


def _verdict(draft: Draft, slot: datetime, inputs: tuple[Input, ...]) -> Verdict:
    success = draft.status.last_success
    if success is None:
        return Verdict.NEVER_SUCCEEDED
    if not success.inputs:
        return Verdict.NOT_RECORDED
    if any(one.has_changed for one in inputs):
        return Verdict.CHANGED
    if any(one.problem for one in inputs):
        return Verdict.UNREACHABLE
    if _is_lost(draft, success):
        return Verdict.SERVER_LOST
    return Verdict.MAX_AGE if _grows_too_old(draft, slot, success) else Verdict.NO_CHANGES


def _is_lost(draft: Draft, success: LastSuccess) -> bool:
    """Tell whether a server has to be built because there is none, whatever it would be built from (R30)."""
    is_server = draft.build.spec.succeed_when == SucceedWhen.READY
    return is_server and not is_up(server_named(draft, success.app_server))


def _grows_too_old(draft: Draft, slot: datetime, success: LastSuccess) -> bool:
    """Tell whether the next slot would find the success older than `maxAge`: what is kept is never older than that."""
    detection = draft.build.spec.change_detection
    if detection is None or detection.max_age is None:
        return False
    now, interval = draft.now.wall, draft.schedule.in_force.interval
    if interval is None:
        after = next_slot(replace(draft.schedule, cursor_at=slot))
    else:  # as the anchor moves when it is skipped now (R4)
        after = (now if now - slot > interval.tolerated_lateness() else slot) + interval.every
    return max(after or now, now) - success.at > detection.max_age
