"""A mail server beside the tests, on an event loop and a thread of its own, for as long as an operator needs one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.cluster.waiting import wait_for
from tests.mail.certificates import an_authority
from tests.mail.server import LOOPBACK, MailServer

SENDER = "Builds <builds@example.com>"
DOMAINS = "example.com,example.org"
"""Where PeriodicBuilds of the tests may send mail."""
ARRIVES_WITHIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RunningMailServer:
    """One that takes letters over STARTTLS from whoever knows the password."""

    server: MailServer
    folder: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """Give what makes an operator send its mail here."""
        return (
            f"--smtp-host={LOOPBACK}",
            f"--smtp-port={self.server.port}",
            f"--smtp-ca-file={self.folder / 'ca.crt'}",
            f"--smtp-username-file={self.folder / 'username'}",
            f"--smtp-password-file={self.folder / 'password'}",
            f"--mail-from={SENDER}",
            f"--mail-allowed-domains={DOMAINS}",
            "--notices-per-hour=0",
        )

    def letters_about(self, namespace: str, name: str | None = None) -> list[EmailMessage]:
        """Give the letters about the PeriodicBuilds of a namespace, or about one of them, in their order."""
        return [
            letter
            for letter in self.server.letters
            if letter["X-PeriodicBuild-Namespace"] == namespace and name in {None, letter["X-PeriodicBuild-Name"]}
        ]

    def wait_for(self, count: int, namespace: str, name: str | None = None) -> list[EmailMessage]:
        """Wait until so many letters have come."""
        wait_for(
            lambda: len(self.letters_about(namespace, name)) >= count,
            within_seconds=ARRIVES_WITHIN_SECONDS,
            what=f"{count} letters about {namespace}/{name or '*'}",
        )
        return self.letters_about(namespace, name)


@contextmanager
def running_mail_server(folder: Path) -> Iterator[RunningMailServer]:
    """Give one; the authority and the credentials are files in the folder."""
    authority = an_authority()
    authority.file(folder)
    (folder / "username").write_text("operator")
    (folder / "password").write_text("for the mail server only")
    server = MailServer(tls=authority.server_context(), password=(folder / "password").read_bytes())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="mail server")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
        yield RunningMailServer(server, folder)
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
