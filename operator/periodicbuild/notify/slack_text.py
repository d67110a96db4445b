"""Notices as messages of a chat that understands Slack's incoming webhooks.

Must not know how they are sent.

The one idea a newcomer would miss: a chat obeys what it reads.  `<!channel>` in a log would wake a whole company, so
every text of the cluster is escaped, and `@` is kept away from the word behind it for chats that obey that, too.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import msgspec

from periodicbuild.core.messages import ELLIPSIS
from periodicbuild.core.reasons import NoticeKind
from periodicbuild.notify.cleaning import bounded, ending
from periodicbuild.notify.instants import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from periodicbuild.notify.notice import Failure, Notice

LONGEST_SECTION: Final = 3_000
"""Characters of one block, as Slack bounds it; astral ones count twice, as JavaScript counts."""

LOG_LINES: Final = 20
LONGEST_TEXT: Final = 1_100
"""Characters of one text within a block, escaped."""
LONGEST_LINE: Final = 300
"""Characters of one notice of a digest, escaped."""

FENCE: Final = "```"
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}
_MENTION: Final = re.compile(r"(?<!\w)@(?=\w)")
_KEPT_APART: Final = "@\u200b"
"""An invisible space of no width."""

_HEADLINES: Final = {
    NoticeKind.RUN_FAILED: "has failed",
    NoticeKind.STILL_FAILING: "is still failing",
    NoticeKind.RUN_RECOVERED: "works again",
    NoticeKind.ATTEMPT_FAILED: "has failed in one attempt",
}


def message_json(notice: Notice) -> bytes:
    """Render one notice."""
    told = _joined([f"*{_subject(notice)}*", *_facts(notice)], LONGEST_SECTION)
    log = _code_block(notice.failure.log) if notice.failure is not None else ""
    return _message([told, log] if log else [told])


def digest_json(notices: Sequence[Notice]) -> bytes:
    """Render several notices in a line each, as many as there is room for, oldest first."""
    lines = [f"*{len(notices)} notices at once:*", *map(_line, notices)]
    more = "and more: `kubectl periodicbuild status -A`"
    told = _joined(lines, LONGEST_SECTION - len(more) - 1)
    return _message([told if told.count("\n") == len(notices) else f"{told}\n{more}"])


def escaped(text: str, longest: int) -> str:
    """Make one line of a text that no chat obeys, at most so long; no escape is cut in two."""
    pieces = _pieces(_MENTION.sub(_KEPT_APART, " ".join(bounded(text, longest).split())))
    if _width("".join(pieces)) <= longest:
        return "".join(pieces)
    return "".join(_fitting(pieces, longest - len(ELLIPSIS))) + ELLIPSIS


def _message(sections: Sequence[str]) -> bytes:
    """Say it twice: in blocks, and as one text for notifications and for chats that know no blocks."""
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": section, "verbatim": True}} for section in sections
    ]
    return msgspec.json.encode({"text": "\n".join(sections), "blocks": blocks})


def _subject(notice: Notice) -> str:
    return f"{escaped(f'{notice.namespace}/{notice.name}', LONGEST_LINE)} {_HEADLINES[notice.kind]}"


def _line(notice: Notice) -> str:
    cause = "" if notice.failure is None else f": {_cause(notice.failure)}"
    return escaped(
        f"{stamp(notice.owed_at)} {notice.namespace}/{notice.name} {_HEADLINES[notice.kind]}{cause}",
        LONGEST_LINE,
    )


def _facts(notice: Notice) -> Iterator[str]:
    """Tell what is known, what matters most first."""
    for label, text in (
        ("Failure", "" if notice.failure is None else _cause(notice.failure)),
        ("Where", "" if notice.failure is None else ", ".join(_where(notice.failure))),
        ("Then", ", ".join(_then(notice))),
        ("Run", ", ".join(_run(notice))),
        ("Before", ", ".join(_before(notice))),
        ("Schedule", notice.schedule_text),
        ("Left out", f"{notice.left_out} older notices, which nobody would take" if notice.left_out else ""),
    ):
        if text:
            yield f"*{label}:* {escaped(text, LONGEST_TEXT if label == 'Failure' else LONGEST_LINE)}"
    yield f"`{escaped(_command(notice), LONGEST_LINE)}`"


def _cause(failure: Failure) -> str:
    cause = f"{failure.failure_class}/{failure.reason}"
    return f"{cause}: {failure.message}" if failure.message else cause


def _where(failure: Failure) -> Iterator[str]:
    if failure.container is not None:
        yield f"container {failure.container}"
    if failure.exit_code is not None:
        yield f"exit code {failure.exit_code}"
    if failure.signal is not None:
        yield f"signal {failure.signal}"
    if failure.stage:
        yield f"while {failure.stage}"
    if failure.node is not None:
        yield f"on {failure.node}"


def _then(notice: Notice) -> Iterator[str]:
    if notice.next_attempt_at is not None:
        yield f"the next attempt is due {stamp(notice.next_attempt_at)}"
    if notice.outcome_reason:
        yield f"no further attempt ({notice.outcome_reason})"
    if notice.next_slot is not None:
        yield f"the next slot is {stamp(notice.next_slot)}"


def _run(notice: Notice) -> Iterator[str]:
    yield notice.run
    if notice.trigger:
        yield notice.trigger
    if notice.attempt:
        yield f"attempt {notice.attempt}"
    if notice.slot is not None:
        yield f"due {stamp(notice.slot)}"


def _before(notice: Notice) -> Iterator[str]:
    if notice.failing_since is not None:
        yield f"failing since {stamp(notice.failing_since)}"
    if notice.failures_in_a_row:
        yield f"{notice.failures_in_a_row} in a row"
    if notice.last_success_at is not None:
        yield f"last success {stamp(notice.last_success_at)}"
    elif notice.failure is not None:
        yield "never succeeded"


def _command(notice: Notice) -> str:
    command = (
        f"kubectl periodicbuild {'status' if notice.failure is None else 'logs'} {notice.name} -n {notice.namespace}"
    )
    return command if notice.failure is None else f"{command} --run {notice.run}"


def _code_block(log: str) -> str:
    """Show the end of a log; its last characters are what matters, so it is cut from the front."""
    pieces = _pieces(ending(log, lines=LOG_LINES, characters=LONGEST_SECTION))
    kept = _fitting(pieces[::-1], LONGEST_SECTION - 2 * len(FENCE) - 2)[::-1]
    return f"{FENCE}\n{''.join(kept)}\n{FENCE}" if kept else ""


def _pieces(text: str) -> list[str]:
    return [_ESCAPES.get(character, character) for character in text]


def _fitting(pieces: Sequence[str], longest: int) -> Sequence[str]:
    """Take as many as fit."""
    return pieces[: sum(width <= longest for width in accumulate(map(_width, pieces)))]


def _joined(lines: Iterable[str], longest: int) -> str:
    lines = [f"{line}\n" for line in lines]
    return "".join(_fitting(lines, longest)).rstrip("\n")


def _width(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
