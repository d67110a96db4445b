"""What is known about a run, as rows for a table; a row without a value is not there.

Must not know what the letter around it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.core.reasons import FailureClass, NoticeKind, Trigger
from periodicbuild.notify.cleaning import one_line
from periodicbuild.notify.instants import span, with_distance, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.notify.notice import Failure, Notice


@dataclass(frozen=True, slots=True)
class Fact:
    """One row."""

    label: str
    lines: tuple[str, ...]
    """Clean; each is a line of its own as far as it fits."""


_CLASSES: Final[dict[str, str]] = {
    FailureClass.BUILD: "the build itself, not the cluster",
    FailureClass.TIMEOUT: "it took longer than its timeouts allow",
    FailureClass.INFRASTRUCTURE: "the cluster, not the build",
    FailureClass.DISRUPTION: "its pod was taken away: eviction, preemption, a lost node",
}

_TRIGGERS: Final[dict[str, str]] = {
    Trigger.SCHEDULE: "by schedule",
    Trigger.MANUAL: "asked for by hand",
    Trigger.RECOVERY: "to replace a server that was lost",
}

_WHEN: Final = {
    NoticeKind.RUN_FAILED: "Failed",
    NoticeKind.ATTEMPT_FAILED: "Failed",
    NoticeKind.STILL_FAILING: "As of",
    NoticeKind.RUN_RECOVERED: "Succeeded",
}
"""What the instant of the fact is; a reminder is later than the failure that it reminds of."""


def facts_of(notice: Notice) -> tuple[Fact, ...]:
    """Give every row that has something to say, in the order in which a person asks."""
    rows = [*_of_the_run(notice), *_of_the_failure(notice.failure), *_of_the_episode(notice)]
    cleaned = [(label, tuple(one_line(line) for line in lines)) for label, *lines in rows]
    return tuple(Fact(label, tuple(filter(None, lines))) for label, lines in cleaned if any(lines))


def _of_the_run(notice: Notice) -> Iterator[tuple[str, ...]]:
    attempt = f"attempt {notice.attempt}" if notice.attempt else ""
    asked_for = _TRIGGERS.get(notice.trigger, notice.trigger)
    yield "Run", ", ".join(filter(None, (notice.run, attempt, asked_for)))
    yield "Due", "" if notice.slot is None else written(notice.slot)
    yield "Started", notice.start_note
    yield _WHEN[notice.kind], written(notice.owed_at)
    yield "AppServer", notice.app_server
    yield "Changed", *notice.changed


def _of_the_failure(failure: Failure | None) -> Iterator[tuple[str, ...]]:
    if failure is None:
        return
    meaning = _CLASSES.get(failure.failure_class)
    yield "Class", failure.failure_class + (f" ({meaning})" if meaning else "")
    yield "Reason", failure.reason
    yield "Stage", failure.stage
    exit_code = "" if failure.exit_code is None else f"exit code {failure.exit_code}"
    signal = "" if failure.signal is None else f"signal {failure.signal}"
    yield "Container", ", ".join(filter(None, (failure.container, exit_code, signal)))
    yield "Node", failure.node or ""
    yield "Image", *(part for image in failure.image_digests for part in image.split("@", 1))


def _of_the_episode(notice: Notice) -> Iterator[tuple[str, ...]]:
    has_recovered = notice.kind == NoticeKind.RUN_RECOVERED
    if notice.failing_since is not None:
        label = "Failed since" if has_recovered else "Failing since"
        yield label, f"{written(notice.failing_since)} ({span(notice.owed_at - notice.failing_since)})"
    yield "In a row", _runs_in_a_row(notice.failures_in_a_row)
    if not (has_recovered and notice.last_success_run == notice.run):
        yield "Last success", _last_success(notice)
    for label, instant in (("Next attempt", notice.next_attempt_at), ("Next slot", notice.next_slot)):
        yield label, "" if instant is None else with_distance(instant, notice.owed_at)
    if notice.held_back is not None:
        yield (
            "Held back",
            f"the slot {written(notice.held_back.slot)}",
            f"{notice.held_back.reason}: {notice.held_back.message}",
        )
    yield "Schedule", notice.schedule_text


def _runs_in_a_row(many: int) -> str:
    return "" if many == 0 else f"{many} failed run{'s' if many > 1 else ''} of the schedule"


def _last_success(notice: Notice) -> str:
    if notice.last_success_at is None:
        return "never" if notice.last_success_run is None else f"run {notice.last_success_run}"
    run = "" if notice.last_success_run is None else f", run {notice.last_success_run}"
    return with_distance(notice.last_success_at, notice.owed_at) + run
