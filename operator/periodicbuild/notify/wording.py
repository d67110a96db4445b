"""What a notice says, as sentences and a table, before it is put into any format.

Must not know mail, HTML or the width of a screen.

The one idea a newcomer would miss: all text of others is cleaned here, on its way in, so that whoever shows a wording
has only his own format to think of.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from periodicbuild.core.reasons import NoticeKind, OutcomeReason
from periodicbuild.core.redaction import tail_of
from periodicbuild.notify.cleaning import many_lines, one_line
from periodicbuild.notify.fact_table import Fact, facts_of
from periodicbuild.notify.instants import span, with_distance

if TYPE_CHECKING:
    from periodicbuild.notify.notice import Failure, Notice

LOG_LINES: Final = 50
LOG_CHARACTERS: Final = 40_000
"""With the rest of the letter below the 102 kB after which Gmail clips a mail."""


class Tone(StrEnum):
    """How a reader should feel before reading on."""

    BAD = "bad"
    GOOD = "good"
    CALM = "calm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something to type next."""

    purpose: str
    words: tuple[tuple[str, ...], ...]
    """Options stay together with their values when the line is broken."""

    @property
    def line(self) -> str:
        """Write it on one line."""
        return " ".join(" ".join(group) for group in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A letter without its format; everything is clean, and one line unless it says otherwise."""

    subject: str
    """Also what stands above the letter; of any length."""
    tone: Tone
    story: tuple[str, ...] = ()
    """Paragraphs."""
    facts: tuple[Fact, ...] = ()
    commands: tuple[Command, ...] = ()
    log_title: str = ""
    log: str = ""
    """Many lines; empty = there is none."""


def wording_of(notice: Notice) -> Wording:
    """Word one notice."""
    log = _log_of(notice.failure)
    return Wording(
        subject=subject_of(notice),
        tone=Tone.GOOD if notice.kind == NoticeKind.RUN_RECOVERED else Tone.BAD,
        story=_story(notice),
        facts=facts_of(notice),
        commands=_commands(notice),
        log_title=_log_title(notice.failure) if log else "",
        log=log,
    )


def subject_of(notice: Notice) -> str:
    """Say to what it happened, and what."""
    return f"{one_line(notice.namespace)}/{one_line(notice.name)}: {_event(notice)}"


def _event(notice: Notice) -> str:
    since = "" if notice.failing_since is None else f" after {span(notice.owed_at - notice.failing_since)}"
    match notice.kind:
        case NoticeKind.RUN_FAILED:
            return f"build failed{_cause(notice.failure)}"
        case NoticeKind.ATTEMPT_FAILED:
            return f"attempt{f' {notice.attempt}' if notice.attempt else ''} failed{_cause(notice.failure)}"
        case NoticeKind.STILL_FAILING:
            return f"still failing{since}{_cause(notice.failure)}"
        case NoticeKind.RUN_RECOVERED:
            return f"build succeeded again{since}"


def _cause(failure: Failure | None) -> str:
    if failure is None:
        return ""
    how = "" if failure.exit_code is None else f", exit code {failure.exit_code}"
    how = how if failure.signal is None else f", signal {failure.signal}"
    return f" ({one_line(failure.reason)}{how})"


_NO_FURTHER_ATTEMPT: Final[dict[str, str]] = {
    OutcomeReason.RETRIES_USED_UP: "its retries are used up",
    OutcomeReason.NOT_RETRIED: "a failure of this kind is not retried",
    OutcomeReason.TIMED_OUT: "timeouts.run has passed",
    OutcomeReason.GIVEN_UP_FOR_SLOT: "the next slot came before its next attempt",
}


def _story(notice: Notice) -> tuple[str, ...]:
    failure = notice.failure
    if notice.kind == NoticeKind.RUN_RECOVERED:
        told = (f"Run {one_line(notice.run)} succeeded.{_of_how_many(notice)}",)
    elif failure is None:
        told = ("The record of the attempt is gone: nothing more is known about how it failed.",)
    else:
        told = (one_line(failure.message),)
    return tuple(paragraph for paragraph in (*told, _what_follows(notice), _left_out(notice)) if paragraph)


def _of_how_many(notice: Notice) -> str:
    many = notice.failures_in_a_row
    return "" if many == 0 else f" Before it, {many} run{'s' if many > 1 else ''} of the schedule failed in a row."


def _what_follows(notice: Notice) -> str:
    if notice.kind == NoticeKind.ATTEMPT_FAILED:
        when = notice.next_attempt_at
        return "It is tried again." if when is None else f"It is tried again at {with_distance(when, notice.owed_at)}."
    reason = one_line(notice.outcome_reason)
    if notice.kind == NoticeKind.RUN_RECOVERED or not reason:
        return ""
    why = f"{_NO_FURTHER_ATTEMPT[reason]} ({reason})" if reason in _NO_FURTHER_ATTEMPT else reason
    return f"This run has no further attempt: {why}."


def _left_out(notice: Notice) -> str:
    if notice.left_out == 0:
        return ""
    many = notice.left_out > 1
    older = f"{notice.left_out} older notices" if many else "An older notice"
    return f"{older} about this PeriodicBuild could not be delivered and {'were' if many else 'was'} given up."


def _log_of(failure: Failure | None) -> str:
    return tail_of(many_lines(failure.log), lines=LOG_LINES, characters=LOG_CHARACTERS) if failure else ""


def _log_title(failure: Failure | None) -> str:
    container = "" if failure is None or not failure.container else f" container {one_line(failure.container)}"
    return f"The last that{container or ' the build'} wrote:"


def _commands(notice: Notice) -> tuple[Command, ...]:
    if notice.kind == NoticeKind.RUN_RECOVERED:
        return (_command(notice, "What became of each slot:", "history"),)
    logs = _command(notice, "The log:", "logs", ("--run", shlex.quote(one_line(notice.run))))
    return (
        _command(notice, "What became of each slot:", "history") if notice.failure is None else logs,
        _command(notice, "Why it does not run now, and what comes next:", "why"),
        _command(notice, "Run it again, and watch:", "run", ("--wait",)),
    )


def _command(notice: Notice, purpose: str, verb: str, *options: tuple[str, ...]) -> Command:
    name, namespace = shlex.quote(one_line(notice.name)), shlex.quote(one_line(notice.namespace))
    words = ("kubectl", "periodicbuild", verb, name)
    return Command(purpose=purpose, words=(words, ("-n", namespace), *options))
