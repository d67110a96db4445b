"""Mail servers on loopback, on the test's own event loop.

`MailServer` is a complete one that refuses what a test says.  `ScriptedServer` speaks no SMTP at all: it answers line
by line what a test has written down, and so can be as wrong, as slow or as suddenly gone as no real one is on demand.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.loopback import eventually

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from email.message import EmailMessage

LOOPBACK: Final = "127.0.0.1"
HANG_UP: Final = "hang up"
SAY_NOTHING: Final = "say nothing"


class _Listening:
    """A port, from the beginning of a context to its end."""

    port = 0
    _server: asyncio.Server

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await self._listen()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        self._server.close()
        await self._server.wait_closed()

    async def _listen(self) -> asyncio.Server:
        raise NotImplementedError


@dataclass(slots=True, kw_only=True)
class MailServer(_Listening):
    """A mail server that takes every letter, but for what `answers` says."""

    tls: ssl.SSLContext | None = None
    """Offered by STARTTLS; None = not offered."""
    is_implicit: bool = False
    """TLS from the first byte on."""
    password: bytes | None = None
    """None = nobody need log in."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """For `AUTH`, `MAIL`, `DATA` or a recipient's address; HANG_UP is one for DATA."""
    without_mechanisms: tuple[str, ...] = ()
    """Of logging in: `PLAIN`, `LOGIN`."""
    takes_seconds: float = 0.0
    """From having a letter until saying so."""
    envelopes: list[Envelope] = field(default_factory=list, init=False)
    logins: list[LoginPassword] = field(default_factory=list, init=False)
    open_connections: int = field(default=0, init=False)
    most_connections: int = field(default=0, init=False)
    port: int = field(default=0, init=False)
    _server: asyncio.Server = field(init=False, repr=False)

    @property
    def letters(self) -> list[EmailMessage]:
        """Give what was taken, read as a mail program does."""
        contents = [envelope.content for envelope in self.envelopes]
        return [
            email.message_from_bytes(content, policy=email.policy.default)
            for content in contents
            if isinstance(content, bytes)
        ]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd asks for it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take the sender."""
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 ok")

    async def handle_RCPT(  # noqa: N802 - likewise
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient."""
        if address not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 ok")

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        """Take the letter."""
        answer = self.answers.get("DATA", "250 ok")
        if answer.startswith("250") or answer == HANG_UP:
            self.envelopes.append(envelope)
        await asyncio.sleep(self.takes_seconds)
        if answer == HANG_UP:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return answer

    def _authenticate(self, *arguments: Any) -> AuthResult:
        login = arguments[-1]
        self.logins.append(login)
        return AuthResult(success=login.password == self.password, handled=False, message=self.answers.get("AUTH"))

    def _protocol(self) -> SMTP:
        return _CountedSMTP(
            self,
            hostname="mail.example.com",
            tls_context=None if self.is_implicit else self.tls,
            require_starttls=self.tls is not None and not self.is_implicit,
            auth_required=self.password is not None and not self.is_implicit,  # it warns, not knowing that TLS is there
            auth_require_tls=not self.is_implicit,
            authenticator=self._authenticate,
            auth_exclude_mechanism=self.without_mechanisms,
            loop=asyncio.get_running_loop(),
        )

    async def __aexit__(self, *_: object) -> None:
        """Listen no more, and wait until the last connection is gone."""
        await eventually(lambda: not self.open_connections)
        await super(MailServer, self).__aexit__()

    async def _listen(self) -> asyncio.Server:
        tls = self.tls if self.is_implicit else None
        return await asyncio.get_running_loop().create_server(self._protocol, LOOPBACK, 0, ssl=tls)


class _CountedSMTP(SMTP):
    """Count connections, once each: STARTTLS makes a connection a second time."""

    is_counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.is_counted:
            self.is_counted = True
            self.event_handler.open_connections += 1
            most = max(self.event_handler.most_connections, self.event_handler.open_connections)
            self.event_handler.most_connections = most
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.is_counted:
            self.is_counted = False
            self.event_handler.open_connections -= 1
        super().connection_lost(error)


class ScriptedServer(_Listening):
    """Greet with the first line of a script, and answer each line that comes with the next one."""

    def __init__(self, *script: str, takes_seconds: float = 0.0) -> None:
        """`takes_seconds` is how long each answer takes."""
        self.takes_seconds = takes_seconds
        self.heard: list[bytes] = []
        self._script: Sequence[str] = script
        self._is_over = asyncio.Event()
        self._conversations: set[asyncio.Task[None]] = set()

    async def __aexit__(self, *_: object) -> None:
        """Break off what is under way, and listen no more."""
        self._is_over.set()
        await asyncio.gather(*self._conversations)
        await super().__aexit__()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, LOOPBACK, 0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._conversations.add(asyncio.create_task(self._converse(reader, writer)))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # the client need not wait for the end
            await self._follow_the_script(reader, writer)
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

    async def _follow_the_script(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, line in enumerate(self._script):
            if number:
                self.heard.append(await reader.readline())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_over.wait(), None if line == SAY_NOTHING else self.takes_seconds)
            if line in {HANG_UP, SAY_NOTHING}:
                return
            writer.write(line.encode("latin-1") + b"\r\n")
            await writer.drain()
