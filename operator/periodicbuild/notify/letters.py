"""Letters: what there is to tell as an e-mail, text first and HTML beside it (R40).

Must not know SMTP, nor whether the letter has been sent before.

The one idea a newcomer would miss: the same facts give the same bytes.  Its id, its date and even the lines between
its parts are functions of what it tells, so mail programs fold a letter that came twice, and a preview is the letter.
"""

from __future__ import annotations

import textwrap
from email.message import EmailMessage
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from periodicbuild.notify import headers
from periodicbuild.notify.cleaning import many_lines
from periodicbuild.notify.folding import LETTER_POLICY
from periodicbuild.notify.overviews import digest_wording, heartbeat_wording
from periodicbuild.notify.wording import wording_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from periodicbuild.notify.fact_table import Fact
    from periodicbuild.notify.notice import Notice
    from periodicbuild.notify.overviews import Heartbeat
    from periodicbuild.notify.wording import Command, Wording

WIDTH: Final = 78
"""Characters of a line of ours: RFC 5322, and a terminal of 80."""

OUTDENTED: Final = "    "
"""Before what does not fit beside its label: an image digest then still does, below it."""


def letter(notice: Notice, *, sender: str, to: Sequence[str], domain: str) -> EmailMessage:
    """Write the letter about one notice.

    `sender` is `name <address>` or an address and raises ValueError if it is neither; `domain` is where ids are made.
    """
    message = _letter(wording_of(notice), notice.owed_at, sender=sender, to=to)
    message["Message-ID"] = headers.message_id("notice", (notice.uid, notice.key), domain)
    root = headers.message_id("thread", (notice.uid, notice.thread), domain)
    message["In-Reply-To"] = root
    message["References"] = root
    message["List-Id"] = headers.list_id(notice.namespace, domain)
    message["X-PeriodicBuild-Namespace"] = headers.word(notice.namespace)
    message["X-PeriodicBuild-Name"] = headers.word(notice.name)
    message["X-PeriodicBuild-Run"] = headers.word(notice.run)
    message["X-PeriodicBuild-Kind"] = headers.word(notice.kind)
    if notice.failure is not None:
        message["X-PeriodicBuild-Reason"] = headers.word(notice.failure.reason)
    return _with_boundary(message)


def digest_letter(notices: Sequence[Notice], *, sender: str, to: Sequence[str], domain: str) -> EmailMessage:
    """Write one letter about notices that were held back; at least one, oldest first."""
    message = _letter(digest_wording(notices), notices[-1].owed_at, sender=sender, to=to)
    told = (part for notice in notices for part in (notice.uid, notice.key))
    message["Message-ID"] = headers.message_id("digest", told, domain)
    message["List-Id"] = headers.list_id("", domain)
    message["X-PeriodicBuild-Kind"] = "Digest"
    return _with_boundary(message)


def heartbeat_letter(heartbeat: Heartbeat, *, sender: str, to: Sequence[str], domain: str) -> EmailMessage:
    """Write the sign of life of one instant."""
    message = _letter(heartbeat_wording(heartbeat), heartbeat.at, sender=sender, to=to)
    message["Message-ID"] = headers.message_id("heartbeat", (f"{heartbeat.at.timestamp():.0f}",), domain)
    message["List-Id"] = headers.list_id("", domain)
    message["X-PeriodicBuild-Kind"] = "Heartbeat"
    return _with_boundary(message)


def letter_text(wording: Wording) -> str:
    """Write the text part, for 80 columns."""
    return _render("letter.txt.j2", wording)


def letter_html(wording: Wording) -> str:
    """Write the HTML part: nothing in it is fetched from anywhere."""
    return _render("letter.html.j2", wording)


def _letter(wording: Wording, date: datetime, *, sender: str, to: Sequence[str]) -> EmailMessage:
    message = EmailMessage(policy=LETTER_POLICY)
    message["Subject"] = headers.subject_header(wording.subject)
    message["From"] = headers.sender_header(sender)
    message["To"] = headers.recipient_headers(to)
    message["Date"] = date
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter_text(wording), cte="quoted-printable")
    message.add_alternative(letter_html(wording), subtype="html", cte="quoted-printable")
    return message


def _with_boundary(message: EmailMessage) -> EmailMessage:
    """Name the line between the parts; in quoted-printable no line can be it, as `=_` is none of its codes."""
    message.set_boundary(f"=_{headers.digest((str(message['Message-ID']),))}")
    return message


def _render(template: str, wording: Wording) -> str:
    return many_lines(_templates().get_template(template).render(wording=wording))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("periodicbuild.notify"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(paragraph=_paragraph, rows=_rows, shell=_shell, indented=_indented)
    return environment


def _paragraph(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _rows(facts: Sequence[Fact]) -> str:
    column = max((len(fact.label) for fact in facts), default=0) + 4
    return "\n".join(line for fact in facts for line in _row(fact, column))


def _row(fact: Fact, column: int) -> list[str]:
    label = f"  {fact.label}".ljust(column)
    lines = [
        (" " * column if len(line) <= WIDTH - column else OUTDENTED) + line
        for text in fact.lines
        for line in textwrap.wrap(text, WIDTH - column, break_long_words=False, break_on_hyphens=False)
    ]
    return [label + lines[0][column:], *lines[1:]] if lines[0].startswith(" " * column) else [label.rstrip(), *lines]


def _shell(command: Command) -> str:
    """Break a command as a shell allows, if it is too long for a line."""
    groups = [" ".join(group) for group in command.words]
    return f"  {command.line}" if len(command.line) <= WIDTH - 2 else "  " + " \\\n      ".join(groups)


def _indented(text: str) -> str:
    return textwrap.indent(text, "  ")
