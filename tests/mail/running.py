"""The mail server of an operator, as a process of its own sees it, and what has come there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.background import in_background
from tests.cluster.waiting import wait_for
from tests.mail.certificates import an_authority
from tests.mail.postfix import running_postfix
from tests.mail.server import LOOPBACK, MailServer

SENDER = "Builds <builds@example.com>"
DOMAINS = "example.com,example.org"
"""Where PeriodicBuilds of the tests may send mail."""
ARRIVES_WITHIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where everything comes that an operator sends."""

    flags: tuple[str, ...]
    """What makes an operator send its mail here."""
    read: Callable[[], Sequence[EmailMessage]]

    def letters_about(self, namespace: str, name: str | None = None) -> list[EmailMessage]:
        """Give the letters about the PeriodicBuilds of a namespace, or about one of them, in their order."""
        return [
            letter
            for letter in self.read()
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


@dataclass(frozen=True, slots=True)
class RunningMailServer(Mailbox):
    """A mail server that refuses what a test says."""

    server: MailServer
    password: str


@contextmanager
def running_mail_server(folder: Path) -> Iterator[RunningMailServer]:
    """Give one that takes letters over STARTTLS from whoever knows the password."""
    password = "for the mail server only"  # noqa: S105 - of a server that lives as long as the tests
    (folder / "username").write_text("operator")
    (folder / "password").write_text(password)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of what it has deprecated and uses itself
    server = MailServer(tls=an_authority().server_context(), password=password.encode())
    with in_background(lambda: server):
        login = (f"--smtp-username-file={folder / 'username'}", f"--smtp-password-file={folder / 'password'}")
        flags = (*_flags(server.port, folder), *login)
        yield RunningMailServer(flags, lambda: server.letters, server, password)


@contextmanager
def postfix_mailbox(folder: Path) -> Iterator[Mailbox]:
    """Give the mailbox of a real mail server; raises LevelUnavailableError where that cannot be."""
    with running_postfix(an_authority()) as postfix:
        yield Mailbox(_flags(postfix.port, folder), lambda: postfix.letters)


def _flags(port: int, folder: Path) -> tuple[str, ...]:
    return (
        f"--smtp-host={LOOPBACK}",
        f"--smtp-port={port}",
        f"--smtp-ca-file={an_authority().file(folder)}",
        f"--mail-from={SENDER}",
        f"--mail-allowed-domains={DOMAINS}",
        "--notices-per-hour=0",
    )
