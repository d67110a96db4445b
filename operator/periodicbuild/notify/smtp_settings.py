"""Which mail server, how encrypted, and as whom.

Must not know what is sent.

The one idea a newcomer would miss: only the names of files are settings.  What is in them is read for every letter, so
a password or an authority that was replaced counts from the next letter on, without a restart.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from periodicbuild.notify.headers import sender_header

STEP_TAKES_AT_MOST_SECONDS: Final = 20.0
"""To connect, to shake hands, to answer one command."""

VISIBLE: Final = re.compile(r"[!-~]+")
"""What can stand in a command of SMTP."""


class Tls(StrEnum):
    """How the connection is encrypted; there is no "if the server happens to offer it"."""

    START_TLS = "StartTLS"
    """Required: a server that does not offer it gets no letter."""
    IMPLICIT = "Implicit"
    """From the first byte on, usually on port 465."""
    NONE = "None"
    """Not at all, and then without credentials."""


USUAL_PORTS: Final = {Tls.START_TLS: 587, Tls.IMPLICIT: 465, Tls.NONE: 25}


class MailSettingsError(ValueError):
    """Settings that cannot work; the text is one sentence for the administrator."""


class UnreadableFileError(Exception):
    """A file that settings name cannot be used now; the text is one sentence without what is in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """The choices of an administrator; raises MailSettingsError if they cannot work together."""

    host: str
    port: int
    sender: str
    """`name <address>` or an address: in the letter, and where bounces go."""
    local_hostname: str
    """What we call ourselves; asking the resolver instead takes seconds where it is slow."""
    tls: Tls = Tls.START_TLS
    ca_file: Path | None = None
    """Authorities that the server's certificate may come from; None = the system's."""
    username_file: Path | None = None
    password_file: Path | None = None
    timeout_seconds: float = STEP_TAKES_AT_MOST_SECONDS
    """For each step."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if (self.username_file is None) != (self.password_file is None):
            raise MailSettingsError("a username and a password go together: name a file for both, or for neither")
        if self.username_file is not None and self.tls == Tls.NONE:
            raise MailSettingsError(
                "a password is never sent over a connection that is not encrypted: choose StartTLS or Implicit, or none"
            )
        if self.ca_file is not None and self.tls == Tls.NONE:
            raise MailSettingsError("a file of authorities is of no use without TLS: choose StartTLS or Implicit")
        for what, name in (("the mail server's host", self.host), ("our own name", self.local_hostname)):
            if not VISIBLE.fullmatch(name):
                raise MailSettingsError(f"{what} is {name!r}: write a name such as 'mail.example.com'")
        try:
            sender_header(self.sender)
        except ValueError as error:
            raise MailSettingsError(str(error)) from error

    @property
    def server(self) -> str:
        """Name the server as people do."""
        return f"{self.host}:{self.port}"

    @property
    def sender_address(self) -> str:
        """Give the bare address."""
        return sender_header(self.sender).addr_spec

    @property
    def domain(self) -> str:
        """Give the domain in which ids are made."""
        return sender_header(self.sender).domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the files hold now."""

    tls_context: ssl.SSLContext | None
    """None = no encryption."""
    username: bytes = b""
    """Empty = nobody logs in."""
    password: bytes = field(default=b"", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give what must be in no message."""
        return tuple(secret.decode("utf-8", "replace") for secret in (self.username, self.password) if secret)


def read_access(settings: SmtpSettings) -> Access:
    """Read all files; raises UnreadableFileError.  Takes milliseconds, so not on an event loop."""
    return Access(
        tls_context=None if settings.tls == Tls.NONE else _tls_context(settings.ca_file),
        username=_credential(settings.username_file, "username"),
        password=_credential(settings.password_file, "password"),
    )


def _credential(path: Path | None, what: str) -> bytes:
    if path is None:
        return b""
    try:
        content = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UnreadableFileError(f"the {what} cannot be read from {path}: {error.strerror}") from error
    if not content:
        raise UnreadableFileError(f"the {what} cannot be read from {path}: the file is empty")
    return content


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError as error:
        raise UnreadableFileError(f"there is no certificate in the file of authorities {ca_file}") from error
    except OSError as error:
        raise UnreadableFileError(f"the file of authorities {ca_file} cannot be read: {error.strerror}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 turns this on; private authorities made by older tools lack the extensions that it asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
