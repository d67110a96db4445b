"""Whoever takes what people are told, and what must be true of it (R38, R39).

The one idea a newcomer would miss: what has arrived outlives every crash, so at the end it can be held against what was
owed.  A thing that is owed may leave the status only when it has arrived, or when a day of trying was in vain.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum, auto
from typing import TYPE_CHECKING

from periodicbuild.core.mail import Delivery
from periodicbuild.core.outbox import MOST_PENDING, PAUSES
from periodicbuild.core.reasons import EventReason, NoticeKind, SinkName
from periodicbuild.core.recipients import Telling

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.mail import PendingNotice
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import BuildStatus

TELLING = Telling(sinks=frozenset({SinkName.EMAIL, SinkName.WEBHOOK}), to=("ops@example.com",))


class Mood(Enum):
    """How the mail server behaves; the webhook takes everything."""

    WELL = auto()
    AWAY = auto()
    LOSES_ANSWERS = auto()
    REFUSES_ONE = auto()
    REFUSES_ALL = auto()


class PostOffice:
    """Takes what it is given, unless it is in a bad mood."""

    def __init__(self) -> None:
        self.mood = Mood.WELL
        self.arrived: Counter[tuple[str, str, SinkName]] = Counter()
        self.refused: set[tuple[str, str]] = set()

    def take(self, build: PeriodicBuild, notice: PendingNotice) -> Delivery:
        """Take one, and say what became of it."""
        delivered: set[SinkName] = {sink for sink in notice.sinks if sink != SinkName.EMAIL}
        given_up: set[SinkName] = set()
        is_mail = SinkName.EMAIL in notice.sinks
        if is_mail and self.mood == Mood.REFUSES_ALL:
            given_up.add(SinkName.EMAIL)
            self.refused.add((build.ref.uid, notice.key))
        elif is_mail and self.mood in {Mood.WELL, Mood.REFUSES_ONE}:
            delivered.add(SinkName.EMAIL)
        elif is_mail and self.mood == Mood.LOSES_ANSWERS:
            self.arrived[build.ref.uid, notice.key, SinkName.EMAIL] += 1
        self.arrived.update((build.ref.uid, notice.key, sink) for sink in delivered)
        return Delivery(
            key=notice.key,
            tries=notice.tries,
            delivered=frozenset(delivered),
            given_up=frozenset(given_up),
            problem="" if self.mood == Mood.WELL else self.mood.name,
            refused=("gone@example.com",) if self.mood in {Mood.REFUSES_ONE, Mood.REFUSES_ALL} else (),
        )

    def see_build_status(self, build: PeriodicBuild, after: BuildStatus, plan: BuildPlan) -> None:
        """Check what a status owes that is about to be accepted, and what it owes no more."""
        before = build.status.mail
        owed = {notice.key: notice for notice in after.mail.pending}
        new = owed.keys() - {notice.key for notice in before.pending}
        told = Counter((event.reason, event.key) for event in plan.events)
        assert len(owed) == len(after.mail.pending) <= MOST_PENDING, f"{after.mail.pending}"
        for reason, run in told:
            if reason == EventReason.BUILD_FAILED:
                assert f"{run}/{NoticeKind.RUN_FAILED}" in new, f"nobody is told that {run} has failed"
            if reason == EventReason.BUILD_CANCELLED:
                assert not any(owed[key].run == run for key in new), f"people are told of {run}, which was cancelled"
        self._check_recovery(build, after, new)
        for notice in before.pending:
            if notice.key not in owed:
                self._check_gone(build, notice, after, has_failed=(EventReason.NOTIFICATION_FAILED, notice.key) in told)

    def _check_recovery(self, build: PeriodicBuild, after: BuildStatus, new: set[str]) -> None:
        before = build.status
        recovered = [key for key in new if key.partition("/")[2] == NoticeKind.RUN_RECOVERED]
        has_succeeded = after.last_success is not None and after.last_success != before.last_success
        if has_succeeded and before.mail.failing_since is not None:
            assert recovered, f"nobody is told that {after.last_success} has recovered"
        assert not recovered or has_succeeded, f"{recovered} without a success"

    def _check_gone(self, build: PeriodicBuild, notice: PendingNotice, after: BuildStatus, *, has_failed: bool) -> None:
        """Check that what is owed no more has arrived everywhere, or was given up for a reason, and that was said."""
        uid = build.ref.uid
        missing = [sink for sink in notice.sinks if not self.arrived[uid, notice.key, sink]]
        if not missing and not has_failed:
            return
        is_refused = (uid, notice.key) in self.refused
        is_crowded_out = len(after.mail.pending) == MOST_PENDING
        was_tried_enough = notice.tries == len(PAUSES)
        has_arrived = not missing
        assert has_failed, f"{notice.key} was given up, and nobody says so"
        assert is_refused or is_crowded_out or was_tried_enough or has_arrived, f"{notice} was given up too early"
