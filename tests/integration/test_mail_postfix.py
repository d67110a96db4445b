"""Letters through a real mail server, as they lie in a mailbox afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.builders.notices import A_FAILURE, a_failed_run, a_recovery, a_reminder
from tests.cluster.waiting import wait_for
from tests.conftest import unavailable_is_told
from tests.mail.certificates import an_authority
from tests.mail.postfix import Postfix, running_postfix
from tests.mail.server import LOOPBACK

from periodicbuild.notify.letters import letter_html, letter_text
from periodicbuild.notify.notice import Receipt
from periodicbuild.notify.smtp import EmailSink, check
from periodicbuild.notify.smtp_settings import SmtpSettings, Tls
from periodicbuild.notify.wording import subject_of, wording_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

pytestmark = pytest.mark.real_node

TO = ["oncall@example.com"]


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """Give a postfix with an empty mailbox."""
    with unavailable_is_told(), running_postfix(an_authority()) as server:
        yield server


def settings_for(postfix: Postfix, folder: Path) -> SmtpSettings:
    """Give the settings with which a letter goes there."""
    return SmtpSettings(
        host=LOOPBACK,
        port=postfix.port,
        ca_file=an_authority().file(folder),
        sender="Builds <builds@example.com>",
        local_hostname="operator.example.com",
    )


def part_of(message: EmailMessage, kind: str) -> str:
    """Give the text or the HTML."""
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_an_episode_arrives_as_one_thread_word_for_word(postfix: Postfix, tmp_path: Path) -> None:
    log = "\n".join(["x" * 4000, ".", "..", "From here on", "gr\u00fc\u00dfe \U0001f4da", "\ttab and trailing blank "])
    episode = [a_failed_run(failure=replace(A_FAILURE, log=log)), a_reminder(), a_recovery()]

    async def send() -> list[Receipt]:
        sink = EmailSink(settings_for(postfix, tmp_path))
        return [await sink.send(notice, TO) for notice in episode]

    assert asyncio.run(send()) == [Receipt(is_accepted=True)] * 3
    wait_for(lambda: len(postfix.letters) == 3, within_seconds=20, what="three letters are in the mailbox")

    letters = {message["X-PeriodicBuild-Kind"]: message for message in postfix.letters}
    for notice in episode:
        arrived = letters[notice.kind]
        assert arrived["Subject"] == subject_of(notice)
        assert arrived["Date"].datetime == notice.owed_at
        assert arrived["To"] == TO[0]
        assert arrived["Return-Path"] == "<builds@example.com>"
        assert part_of(arrived, "plain") == letter_text(wording_of(notice))
        assert part_of(arrived, "html") == letter_html(wording_of(notice))
        assert not arrived.defects
    assert len({message["Message-ID"] for message in letters.values()}) == 3
    assert len({message["References"] for message in letters.values()}) == 1
    assert all(message["In-Reply-To"] == message["References"] for message in letters.values())
    assert "with ESMTPS id" in letters["RunFailed"]["Received"]


def test_a_check_finds_it_in_order_and_leaves_no_letter(postfix: Postfix, tmp_path: Path) -> None:
    before = len(postfix.letters)
    assert asyncio.run(check(settings_for(postfix, tmp_path))) == Receipt(is_accepted=True)
    assert len(postfix.letters) == before


def test_it_takes_no_letter_without_encryption(postfix: Postfix) -> None:
    settings = SmtpSettings(
        host=LOOPBACK,
        port=postfix.port,
        tls=Tls.NONE,
        sender="builds@example.com",
        local_hostname="operator.example.com",
    )
    receipt = asyncio.run(EmailSink(settings).send(a_failed_run(), TO))
    assert receipt == Receipt(
        is_accepted=False,
        problem=f"{settings.server} answered while naming the sender: 530 5.7.0 Must issue a STARTTLS command first",
    )
