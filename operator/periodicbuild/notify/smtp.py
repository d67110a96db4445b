"""Mail by SMTP: a connection for each letter, and what became of it as a receipt (R39, R40).

Must not know how a letter is worded, nor when the next try is.

The one idea a newcomer would miss: what a server says of a recipient is about that one, for ever (5xx) or for now
(4xx).  What it says of the sender or the log-in is about us, and an administrator can mend it.  So only a refusal of
the letter itself, or of every recipient, is final.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiosmtplib import SMTPDataError, SMTPException

from periodicbuild.core.messages import cut_message
from periodicbuild.core.reasons import SinkName
from periodicbuild.core.recipients import is_address
from periodicbuild.notify.letters import digest_letter, heartbeat_letter, letter
from periodicbuild.notify.notice import Receipt
from periodicbuild.notify.smtp_conversation import FINAL, Answers, Conversation
from periodicbuild.notify.smtp_problems import NotOfferedError, sentence
from periodicbuild.notify.smtp_settings import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage

    from periodicbuild.notify.notice import Notice
    from periodicbuild.notify.overviews import Heartbeat
    from periodicbuild.notify.smtp_settings import SmtpSettings

CONNECTIONS_AT_ONCE: Final = 4
"""Servers answer 421 to many more from one client."""

WHOLE_TRY_STEPS: Final = 6
"""So many times as long as a step may a whole try take, however many recipients there are."""

FAILURES: Final = (SMTPException, OSError, ValueError, RuntimeError, NotOfferedError, UnreadableFileError)
"""All that the library and the event loop raise for a server that is absent, slow, wrong or gone."""


class EmailSink:
    """Tell people by mail."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._connections = asyncio.Semaphore(CONNECTIONS_AT_ONCE)

    @property
    def name(self) -> SinkName:
        """Which one it is."""
        return SinkName.EMAIL

    async def send(self, notice: Notice, to: Sequence[str]) -> Receipt:
        """Send one letter."""
        ours = self._settings
        return await self._deliver(letter(notice, sender=ours.sender, to=to, domain=ours.domain), to)

    async def send_digest(self, notices: Sequence[Notice], to: Sequence[str]) -> Receipt:
        """Send one letter about many notices; at least one, oldest first."""
        ours = self._settings
        return await self._deliver(digest_letter(notices, sender=ours.sender, to=to, domain=ours.domain), to)

    async def send_heartbeat(self, heartbeat: Heartbeat, to: Sequence[str]) -> Receipt:
        """Send the sign of life."""
        ours = self._settings
        return await self._deliver(heartbeat_letter(heartbeat, sender=ours.sender, to=to, domain=ours.domain), to)

    async def _deliver(self, message: EmailMessage, to: Sequence[str]) -> Receipt:
        if not to:
            return Receipt(is_accepted=False, is_final=True, problem="there is nobody to send a mail to")
        async with self._connections:
            return await _deliver(self._settings, message.as_bytes(), tuple(dict.fromkeys(to)))


async def check(settings: SmtpSettings) -> Receipt:
    """Do all that comes before a letter: connect, start TLS, log in, say goodbye.  Sends nothing, and never raises."""
    conversation = Conversation(settings)
    try:
        async with asyncio.timeout(settings.timeout_seconds * WHOLE_TRY_STEPS):
            await conversation.open()
    except FAILURES as error:
        return _failed(error, settings, conversation)
    finally:
        await conversation.close()
    return Receipt(is_accepted=True)


async def _deliver(settings: SmtpSettings, content: bytes, to: Sequence[str]) -> Receipt:
    conversation = Conversation(settings)
    answers = conversation.answers
    answers.refused.update({address: "no address that a mail can go to" for address in to if not is_address(address)})
    try:
        async with asyncio.timeout(settings.timeout_seconds * WHOLE_TRY_STEPS):
            await conversation.open()
            await conversation.offer(address for address in to if is_address(address))
            if answers.accepted:
                await conversation.hand_over(content)
    except FAILURES as error:
        return _failed(error, settings, conversation)
    finally:
        await conversation.close()
    return _answered(answers, settings)


def _answered(answers: Answers, settings: SmtpSettings) -> Receipt:
    """Give the receipt of a conversation that went to its end."""
    without = len(answers.refused) + len(answers.left)
    total = without + len(answers.accepted)
    how_many = "all recipients" if without == total else f"{without} of {total} recipients"
    return Receipt(
        is_accepted=bool(answers.accepted),
        problem=cut_message(f"{settings.server} does not take {how_many}: {answers.of_those_without()}")
        if without
        else "",
        refused=tuple(answers.refused),
        left=tuple(answers.left),
        is_final=not answers.accepted and not answers.left,
    )


def _failed(error: Exception, settings: SmtpSettings, conversation: Conversation) -> Receipt:
    """Give the receipt of a conversation that was broken off: nobody has the letter, as far as we know."""
    return Receipt(
        is_accepted=False,
        problem=cut_message(sentence(error, settings.server, conversation.step, conversation.access.secrets)),
        refused=tuple(conversation.answers.refused),
        is_final=isinstance(error, SMTPDataError) and error.code in FINAL,
    )
