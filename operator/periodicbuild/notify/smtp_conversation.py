"""One conversation with a mail server, command by command.

Must not know what the letter says, nor what a refusal means for the next try.

The one idea a newcomer would miss: it remembers how far it has come.  That a connection is lost means one thing before
the letter was sent and another thing after it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiosmtplib import SMTP, SMTPException, SMTPRecipientRefused

from periodicbuild.notify.cleaning import one_line
from periodicbuild.notify.smtp_problems import NotOfferedError, Step, answer
from periodicbuild.notify.smtp_settings import Access, Tls, read_access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from periodicbuild.notify.smtp_settings import SmtpSettings

LETTER_STEPS: Final = 3
"""So many times as long as another step may the answer to the letter take: servers scan it first, and a letter that is
given up too early comes twice (RFC 5321, 4.5.3.2)."""

GOODBYE_SECONDS: Final = 2.0
"""Nothing depends on the answer."""

SERVICE_CLOSES: Final = 421
"""The one answer that may come to any command; the connection is over then."""

FINAL: Final = range(500, 600)
"""Answers that will be the same next time."""

NAMED: Final = 3
"""Recipients in a sentence, so that it fits into a status."""


@dataclass(slots=True)
class Answers:
    """What was said of recipients, so far."""

    accepted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """For ever; address to the server's words."""
    left: dict[str, str] = field(default_factory=dict)
    """For now; likewise."""

    def of_those_without(self) -> str:
        """Name those who do not get the letter, and why."""
        words = [f"{one_line(address)} ({said})" for address, said in (*self.refused.items(), *self.left.items())]
        more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
        return ", ".join(words[:NAMED]) + more


class _Client(SMTP):
    """The library's client, which hangs up at once: with TLS a server that is dead would hold it for half a minute."""

    def close(self) -> None:
        """Forget the connection."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        super().close()


class Conversation:
    """One connection, from reading the files to the goodbye; every method raises what the library raises."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._smtp: SMTP = _Client()
        self.step = Step.READ
        self.answers = Answers()
        self.access = Access(tls_context=None)

    async def open(self) -> None:
        """Connect as the settings say, and log in."""
        self.access = await asyncio.to_thread(read_access, self._settings)
        self.step = Step.CONNECT
        self._smtp = self._client()
        await self._smtp.connect()
        self.step = Step.HELLO
        await self._smtp.ehlo()
        if self._settings.tls == Tls.START_TLS:
            await self._start_tls()
        if self.access.username:
            self.step = Step.LOG_IN
            await self._log_in()
        self.step = Step.GOODBYE

    async def offer(self, recipients: Iterable[str]) -> None:
        """Name sender and recipients, and note what is said of each."""
        self.step = Step.SENDER
        await self._smtp.mail(self._settings.sender_address)
        self.step = Step.RECIPIENTS
        for address in recipients:
            try:
                await self._smtp.rcpt(address)
            except SMTPRecipientRefused as error:
                if error.code == SERVICE_CLOSES:
                    raise
                group = self.answers.refused if error.code in FINAL else self.answers.left
                group[address] = answer(error.code, error.message, self.access.secrets)
            else:
                self.answers.accepted.append(address)
        self.step = Step.GOODBYE

    async def hand_over(self, content: bytes) -> None:
        """Send the letter; once this returns, the server has it."""
        self.step = Step.LETTER
        await self._smtp.data(content, timeout=self._settings.timeout_seconds * LETTER_STEPS)
        self.step = Step.GOODBYE

    async def close(self) -> None:
        """Say goodbye if all went well, and hang up either way."""
        if self.step == Step.GOODBYE:
            with suppress(SMTPException, OSError):
                await self._smtp.quit(timeout=min(GOODBYE_SECONDS, self._settings.timeout_seconds))
        self._smtp.close()
        await asyncio.sleep(0)  # the event loop closes the socket in its next turn

    def _client(self) -> SMTP:
        return _Client(
            hostname=self._settings.host,
            port=self._settings.port,
            local_hostname=self._settings.local_hostname,
            timeout=self._settings.timeout_seconds,
            use_tls=self._settings.tls == Tls.IMPLICIT,
            start_tls=False,  # it would be one step for us then, and two for the person who reads what went wrong
            tls_context=self.access.tls_context,
        )

    async def _start_tls(self) -> None:
        self.step = Step.START_TLS
        if not self._smtp.supports_extension("starttls"):
            raise NotOfferedError("does not offer STARTTLS, and nothing is sent without: is it the right port?")
        await self._smtp.starttls()
        self.step = Step.HELLO
        await self._smtp.ehlo()  # what was offered before TLS may have been anybody's words

    async def _log_in(self) -> None:
        username, password = self.access.username, self.access.password
        if "plain" in self._smtp.server_auth_methods:
            await self._smtp.auth_plain(username, password)
        elif "login" in self._smtp.server_auth_methods:
            await self._smtp.auth_login(username, password)
        else:
            raise NotOfferedError("offers no way to log in that is known here: PLAIN or LOGIN")
