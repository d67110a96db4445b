"""The law of letters: whatever a notice holds, what arrives is one letter with the headers that it should have."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from periodicbuild.core.reasons import Blocker, NoticeKind
from periodicbuild.core.status import Waiting
from periodicbuild.notify.headers import subject_header, word
from periodicbuild.notify.letters import digest_letter, letter
from periodicbuild.notify.notice import Failure, Notice
from periodicbuild.notify.wording import subject_of

if TYPE_CHECKING:
    from email.message import EmailMessage

ODD = ("=?utf-8?q?=0D=0ABcc:_eve=40example.com?=", "\r\nBcc: eve@example.com", "\0", "\u2028", "\ud800", "\x1b]0;x\x07")
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
"""Of a failing example; hypothesis makes it beforehand, and texts are long here."""

TEXTS = st.text(st.characters(exclude_categories=()), max_size=100) | st.lists(
    st.sampled_from(ODD) | st.text(max_size=20), max_size=5
).map("".join)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as it asks
NUMBERS = st.integers(min_value=0, max_value=10**9)
ADDRESSES = st.sampled_from(["ann@example.com", "a.b@c", "b\u00f6b@example.com", "x\r\nBcc: y@z", ""]) | TEXTS
HEADERS = {
    "subject", "from", "to", "date", "auto-submitted", "message-id", "in-reply-to", "references", "list-id",
    "x-periodicbuild-namespace", "x-periodicbuild-name", "x-periodicbuild-run", "x-periodicbuild-kind",
    "x-periodicbuild-reason", "mime-version", "content-type",
}  # fmt: skip

OF_TYPES: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "str | None": st.none() | TEXTS,
    "int": NUMBERS,
    "int | None": st.none() | NUMBERS,
    "datetime": INSTANTS,
    "datetime | None": st.none() | INSTANTS,
    "tuple[str, ...]": st.lists(TEXTS, max_size=3).map(tuple),
    "NoticeKind": st.sampled_from(NoticeKind),
}
WAITS = st.builds(Waiting, slot=INSTANTS, reason=st.sampled_from(Blocker), since_at=INSTANTS, message=TEXTS)
OF_TYPES["Waiting | None"] = st.none() | WAITS
FAILURES = st.builds(Failure, **{field.name: OF_TYPES[str(field.type)] for field in fields(Failure)})
OF_TYPES["Failure | None"] = st.none() | FAILURES
NOTICES = st.builds(Notice, **{field.name: OF_TYPES[str(field.type)] for field in fields(Notice)})


def received(message: EmailMessage) -> EmailMessage:
    """Read a letter from its bytes, which must be fit to be sent."""
    content = message.as_bytes()
    assert content.isascii()
    assert b"\0" not in content
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    return email.message_from_bytes(content, policy=email.policy.default)


@given(notice=NOTICES, to=st.lists(ADDRESSES, max_size=3), domain=st.sampled_from(["example.com", ""]) | TEXTS)
def test_whatever_a_notice_holds_one_letter_arrives(notice: Notice, to: list[str], domain: str) -> None:
    message = letter(notice, sender="Builds <builds@example.com>", to=to, domain=domain)
    read = received(message)
    assert not read.defects
    assert {name.lower() for name in read} <= HEADERS
    assert len(set(read)) == len(read)
    assert " ".join(read["Subject"].split()) == " ".join(subject_header(subject_of(notice)).split())
    assert len(read["Subject"]) <= 200
    assert read["X-PeriodicBuild-Name"] == word(notice.name)
    assert read["Message-ID"] == message["Message-ID"]
    assert read["Date"].datetime == notice.owed_at.replace(microsecond=0)
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert all(part.get_content() for part in read.iter_parts())
    assert message.as_bytes() == letter(notice, sender="Builds <builds@example.com>", to=to, domain=domain).as_bytes()


@given(notices=st.lists(NOTICES, min_size=1, max_size=4))
def test_whatever_notices_hold_one_digest_arrives(notices: list[Notice]) -> None:
    read = received(digest_letter(notices, sender="builds@example.com", to=["ann@example.com"], domain="example.com"))
    assert not read.defects
    assert {name.lower() for name in read} <= HEADERS
    assert read["X-PeriodicBuild-Kind"] == "Digest"
