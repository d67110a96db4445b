"""Why it did not run then: the slot that an instant belongs to, what became of it, and its neighbours.

Must not know how the answer is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from periodicbuild.cli.belonging import Found, slot_at
from periodicbuild.cli.explanations import Explanation, wait_of
from periodicbuild.cli.fates import fate_document, fate_facts, fate_sentence
from periodicbuild.cli.known_slots import entry_at
from periodicbuild.cli.slot_times import slot_text, start_offset_of
from periodicbuild.cli.summary import schedule_text
from periodicbuild.cli.tables import Cell
from periodicbuild.cli.times import both
from periodicbuild.core.schedules import Schedule
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from periodicbuild.cli.belonging import Belonging
    from periodicbuild.cli.explanations import Knowledge, Wait
    from periodicbuild.cli.tables import Fact

NO_CLOCK = Schedule(enabled=False, timing=None)
"""Follows none, so that instants are told in UTC alone."""


def why_then(known: Knowledge, instant: datetime) -> Explanation:
    """Answer about an instant that has passed."""
    place = slot_at(known.build.status, instant)
    wait = wait_of(known) if place.found is Found.WAITING else None
    answer = " ".join(_sentences(known, place, instant, wait))
    return Explanation(
        answer=answer,
        facts=tuple(_facts(known, place, wait)),
        checks=wait.checks if wait is not None else (),
        document=_document(known, place, instant, answer, wait),
    )


def _sentences(known: Knowledge, place: Belonging, instant: datetime, wait: Wait | None) -> Iterator[str]:
    is_told_alone = place.slot is None or place.is_meant
    if not is_told_alone:
        yield f"Nothing was due at {instant_text(instant)}."
    yield from _off_sentence(known, instant)
    match place.found:
        case Found.FORGOTTEN if place.known_since is not None:
            since = _named(known, place.known_since)
            yield f"Status no longer tells what was due then: it lists slots from {since} on; older ones are counted."
        case Found.NOTHING | Found.FORGOTTEN:
            yield f"No slot was due by {instant_text(instant)}."
        case _:
            lead = "The slot" if place.is_meant else "The slot before was"
            yield f"{lead} {_named(known, place.slot)}: {_fate(known, place, wait)}."
    if not place.is_meant and place.after is not None:
        verb = "was" if place.after <= known.now else "is"
        yield f"The next one {verb} {_named(known, place.after)}{_fate_in_short(known, place.after)}."


def _off_sentence(known: Knowledge, instant: datetime) -> Iterator[str]:
    """Say that the schedule had no slots then, as far as the one in force reaches back."""
    schedule = known.build.status.schedule
    if schedule is None:
        yield "Nobody has looked at it yet, so no schedule is in force."
    elif instant >= schedule.since_at and not schedule.in_force.spawns:
        why = "off" if not schedule.in_force.enabled else "not understood"
        yield f"The schedule was {why} then, since {both(schedule.since_at, known.now)}."


def _fate(known: Knowledge, place: Belonging, wait: Wait | None) -> str:
    build = known.build
    if place.entry is not None:
        return fate_sentence(build, place.entry, known.app_servers)
    if wait is not None:
        return f"it still waits ({wait.sentence})"
    if place.found is Found.UNLISTED:
        return "it was decided and counted, but status lists only the newest, so its fate is no longer told"
    schedule = build.status.schedule
    starts_at = None
    if place.slot is not None and schedule is not None:
        starts_at = place.slot + start_offset_of(build, schedule.in_force)
    if starts_at is not None and starts_at > known.now:
        return f"with its spread it starts at {both(starts_at, known.now)}"
    return "nobody has looked at it yet, or it waits for less than half a minute; is the operator up?"


def _fate_in_short(known: Knowledge, slot: datetime) -> str:
    entry = entry_at(known.build.status, slot)
    if entry is None:
        return ""
    outcome = "/".join(filter(None, (entry.outcome, entry.outcome_reason)))
    return f": {entry.decision}/{entry.reason}{f', {outcome}' if outcome else ''}"


def _named(known: Knowledge, slot: datetime | None) -> str:
    """Name a slot; by a clock only if the schedule in force has slots there."""
    schedule = known.build.status.schedule
    if slot is None:
        return ""
    has_clock = schedule is not None and slot >= schedule.since_at
    return slot_text(slot, schedule.in_force if schedule is not None and has_clock else NO_CLOCK, known.now)


def _facts(known: Knowledge, place: Belonging, wait: Wait | None) -> Iterator[Fact]:
    build, now = known.build, known.now
    yield "PeriodicBuild", Cell(f"{build.ref.namespace}/{build.ref.name}")
    yield "Schedule", Cell(schedule_text(build))
    if place.before is not None:
        yield "Slot before", Cell(f"{_named(known, place.before)}{_fate_in_short(known, place.before)}")
    if place.slot is not None:
        yield "Slot", Cell(_named(known, place.slot))
    if place.entry is not None:
        yield from fate_facts(build, place.entry, known.app_servers, now)
        if build.status.schedule is not None and place.entry.epoch != build.status.schedule.epoch:
            yield "Epoch", Cell(f"{place.entry.epoch}: an earlier schedule than the one in force")
    if wait is not None:
        yield from wait.facts(now)
    if place.after is not None:
        yield "Slot after", Cell(f"{_named(known, place.after)}{_fate_in_short(known, place.after)}")


def _document(known: Knowledge, place: Belonging, instant: datetime, answer: str, wait: Wait | None) -> dict[str, Any]:
    build = known.build
    times = {
        "slotTime": place.slot,
        "previousSlotTime": place.before,
        "nextSlotTime": place.after,
        "knownSinceTime": place.known_since,
    }
    return {
        "namespace": build.ref.namespace,
        "name": build.ref.name,
        "time": instant_text(instant),
        "answer": answer,
        "found": place.found.value,
        "wasDue": place.is_meant,
        **{name: None if time is None else instant_text(time) for name, time in times.items()},
        "entry": None if place.entry is None else fate_document(build, place.entry, known.app_servers),
        "waiting": None if wait is None else wait.document(),
    }
