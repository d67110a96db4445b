"""Why it does not run now: the first thing that is in the way, and how everything else stands.

Must not know how the answer is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from periodicbuild.cli.explanations import Explanation, wait_of
from periodicbuild.cli.fates import fate_document, fate_facts, fate_sentence
from periodicbuild.cli.slot_times import slot_text
from periodicbuild.cli.summary import enabled_cell, is_answered, next_cell, ready_cell, schedule_text
from periodicbuild.cli.tables import Cell
from periodicbuild.cli.upcoming import coming_starts, overdue_note
from periodicbuild.core.reasons import ConditionType
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.explanations import Knowledge, Wait
    from periodicbuild.cli.tables import Fact


def why_now(known: Knowledge) -> Explanation:
    """Answer about this moment."""
    wait, answer = wait_of(known), _answer(known)
    return Explanation(
        answer=answer,
        facts=tuple(_facts(known, wait)),
        checks=wait.checks if wait is not None else (),
        document=_document(known, wait, answer),
    )


def _answer(known: Knowledge) -> str:
    """Give the first thing that is in the way; if there is none, what happened last and what comes next."""
    build, status = known.build, known.build.status
    ready, schedule, name = status.condition(ConditionType.READY), status.schedule, build.ref.name
    if build.is_deleting:
        return "It is being deleted: nothing starts any more."
    if schedule is None or not is_answered(build):
        return "The operator has not answered this spec yet: is it up, and does it watch this namespace?"
    if build.spec.schedule_error is not None or (ready is not None and ready.status == "False"):
        message = build.spec.schedule_error or (ready.message if ready is not None else "")
        return f"It is not understood, or not accepted: {message}"
    if status.waiting is not None:
        wait = wait_of(known)
        slot = slot_text(status.waiting.slot, schedule.in_force, known.now)
        return f"The slot {slot} waits: {wait.sentence if wait is not None else status.waiting.reason}."
    if not schedule.in_force.enabled:
        return f"It is disabled, so nothing is due: kubectl periodicbuild enable {name}"
    if note := overdue_note(build, known.now):
        return f"{note[:1].upper()}{note[1:]}"
    return " ".join((*_last_sentence(known), _next_sentence(known)))


def _last_sentence(known: Knowledge) -> Iterator[str]:
    build, schedule = known.build, known.build.status.schedule
    if build.status.ledger and schedule is not None:
        entry = build.status.ledger[0]
        slot = slot_text(entry.last_slot, schedule.in_force, known.now)
        yield f"The last slot was {slot}: {fate_sentence(build, entry, known.app_servers)}."


def _next_sentence(known: Knowledge) -> str:
    schedule, starts = known.build.status.schedule, coming_starts(known.build, known.now, 1)
    if schedule is None or not starts:
        return f"{schedule_text(known.build)} never comes: no slot lies in the next 50 years."
    slot, starts_at = slot_text(starts[0].slot, schedule.in_force, known.now), starts[0].starts_at
    if starts_at <= known.now:
        return f"The slot {slot} is due: it starts at once, or waits for something that lasts less than half a minute."
    spread = "" if starts[0].slot == starts_at else f"; with its spread it starts at {instant_text(starts_at)}"
    return f"The next slot is {slot}{spread}."


def _facts(known: Knowledge, wait: Wait | None) -> Iterator[Fact]:
    build, now = known.build, known.now
    yield "PeriodicBuild", Cell(f"{build.ref.namespace}/{build.ref.name}")
    yield "Ready", ready_cell(build)
    yield "Enabled", enabled_cell(build)
    yield "Schedule", Cell(schedule_text(build))
    yield "Next slot", next_cell(build, now)
    if wait is not None:
        yield from wait.facts(now)
        return
    for sentence in known.seen.sentences:
        yield "In progress", Cell(sentence)
    schedule = build.status.schedule
    if build.status.ledger and schedule is not None:
        entry = build.status.ledger[0]
        yield "Last slot", Cell(slot_text(entry.last_slot, schedule.in_force, now))
        yield from fate_facts(build, entry, known.app_servers, now)


def _document(known: Knowledge, wait: Wait | None, answer: str) -> dict[str, Any]:
    build, ready = known.build, known.build.status.condition(ConditionType.READY)
    starts = coming_starts(build, known.now, 1)
    ledger = build.status.ledger
    return {
        "namespace": build.ref.namespace,
        "name": build.ref.name,
        "time": instant_text(known.now),
        "answer": answer,
        "ready": None
        if ready is None
        else {
            "status": ready.status,
            "reason": ready.reason,
            "message": ready.message,
            "isCurrent": is_answered(build),
        },
        "enabled": build.spec.schedule.enabled,
        "schedule": schedule_text(build),
        "waiting": None if wait is None else wait.document(),
        "inProgress": list(known.seen.sentences),
        "lastSlot": fate_document(build, ledger[0], known.app_servers) if ledger else None,
        "nextSlotTime": instant_text(starts[0].slot) if starts else None,
        "nextStartTime": instant_text(starts[0].starts_at) if starts else None,
    }
