"""What is said about many PeriodicBuilds at once: notices that were held back, and the sign of life.

Must not know what else is sent, or when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.core.reasons import NoticeKind
from periodicbuild.notify.cleaning import one_line
from periodicbuild.notify.fact_table import Fact
from periodicbuild.notify.instants import span, written
from periodicbuild.notify.wording import Command, Tone, Wording, subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from periodicbuild.notify.notice import Notice

ROWS: Final = 200
"""Of a digest; who is told of more failures than that looks at the cluster, not at the list."""

_STATUS: Final = Command(purpose="How all of them are now:", words=(("kubectl", "periodicbuild", "status", "-A"),))

_KINDS: Final = {
    NoticeKind.RUN_FAILED: "failed",
    NoticeKind.STILL_FAILING: "still failing",
    NoticeKind.RUN_RECOVERED: "recovered",
    NoticeKind.ATTEMPT_FAILED: "to be tried again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """That the operator lives and can send, and how its PeriodicBuilds are."""

    at: datetime
    """Aware; one instant is one letter, however often it is sent."""
    version: str
    periodic_builds: int
    failing: int
    """So many of them failed last."""
    next_at: datetime | None = None
    """When to expect the next one; None = not said."""


def digest_wording(notices: Sequence[Notice]) -> Wording:
    """Word notices that were held back, oldest first; at least one."""
    held = f"{len(notices)} notice{'s' if len(notices) > 1 else ''} held back"
    counts = {words: sum(notice.kind == kind for notice in notices) for kind, words in _KINDS.items()}
    return Wording(
        subject=f"periodicbuild: {held} ({', '.join(f'{many} {words}' for words, many in counts.items() if many)})",
        tone=Tone.BAD if any(notice.kind != NoticeKind.RUN_RECOVERED for notice in notices) else Tone.GOOD,
        story=tuple(filter(None, (_over_how_long(notices), _given_up(notices), _not_shown(notices)))),
        facts=tuple(Fact(written(notice.owed_at), (_row(notice),)) for notice in notices[-ROWS:]),
        commands=(_STATUS,),
    )


def heartbeat_wording(heartbeat: Heartbeat) -> Wording:
    """Word the sign of life."""
    are = "is" if heartbeat.failing == 1 else "are"
    rows = {
        "PeriodicBuilds": str(heartbeat.periodic_builds),
        "Failing": str(heartbeat.failing),
        "Version": one_line(heartbeat.version),
        "Sent for": written(heartbeat.at),
    }
    many = f"{heartbeat.periodic_builds} PeriodicBuild{'' if heartbeat.periodic_builds == 1 else 's'}"
    return Wording(
        subject=f"periodicbuild: alive, {many}, {heartbeat.failing} of them {are} failing",
        tone=Tone.CALM,
        story=(_what_silence_means(heartbeat),),
        facts=tuple(Fact(label, (value,)) for label, value in rows.items() if value),
        commands=(_STATUS,),
    )


def _row(notice: Notice) -> str:
    return f"{subject_of(notice)}, run {one_line(notice.run)}"


def _over_how_long(notices: Sequence[Notice]) -> str:
    length = notices[-1].owed_at - notices[0].owed_at
    return f"There were too many for a letter each within {span(length)}. This one replaces them, oldest first."


def _given_up(notices: Sequence[Notice]) -> str:
    left_out = sum(notice.left_out for notice in notices)
    return f"Older ones that could not be delivered and were given up: {left_out}." if left_out else ""


def _not_shown(notices: Sequence[Notice]) -> str:
    return f"Only the newest {ROWS} are shown." if len(notices) > ROWS else ""


def _what_silence_means(heartbeat: Heartbeat) -> str:
    alive = "The operator runs, and this is how its mail arrives."
    if heartbeat.next_at is None:
        return alive
    return f"{alive} The next one is due at {written(heartbeat.next_at)}: if it stays away, look at the operator."
