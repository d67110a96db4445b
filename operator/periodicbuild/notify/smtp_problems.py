"""What went wrong with a mail server, as one sentence for a person at 3 a.m.

Must not know what happens next.

The one idea a newcomer would miss: a server may answer with what it was told, a password included.  Its words are
therefore shown as anybody's are: on one line, cut, and without secrets.
"""

from __future__ import annotations

import base64
import socket
import ssl
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from periodicbuild.core.redaction import redact
from periodicbuild.notify.cleaning import cut, one_line
from periodicbuild.notify.smtp_settings import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_ANSWER: Final = 300
"""Characters of the server's own words."""

HANDSHAKE_NEEDS: Final = "check the file of authorities and the name by which the server is called"


class Step(StrEnum):
    """How far a conversation has come; each value completes `while ...`."""

    READ = "reading the files"
    CONNECT = "connecting"
    HELLO = "saying hello"
    START_TLS = "starting TLS"
    LOG_IN = "logging in"
    SENDER = "naming the sender"
    RECIPIENTS = "naming the recipients"
    LETTER = "sending the letter"
    GOODBYE = "saying goodbye"


class NotOfferedError(Exception):
    """The server does not offer what we insist on; the text completes `HOST:PORT ...`."""


def sentence(error: Exception, server: str, step: Step, secrets: Iterable[str] = ()) -> str:
    """Say what was tried, with whom, and what came of it."""
    known = _with_encoded(secrets)
    match error:
        case UnreadableFileError():
            return f"no mail to {server}: {one_line(str(error))}"
        case NotOfferedError():
            return f"{server} {error}"
        case SMTPResponseException():
            hint = "; check the files of username and password" if step == Step.LOG_IN else ""
            return f"{server} answered while {step}: {answer(error.code, error.message, known)}{hint}"
        case SMTPTimeoutError() | TimeoutError():
            hint = "; is it a firewall, or a port for another TLS mode?" if step == Step.CONNECT else ""
            return f"{server} did not answer in time while {step}{hint}{_maybe_delivered(step)}"
    return _about_the_connection(error, server, step, known)


def answer(code: int, text: str, secrets: Iterable[str] = ()) -> str:
    """Show what a server has answered."""
    words = cut(redact(one_line(text), secrets), LONGEST_ANSWER)
    return f"{code} {words}".strip() if code > 0 else f"something that is no SMTP ({words})"


def _about_the_connection(error: Exception, server: str, step: Step, secrets: tuple[str, ...]) -> str:
    cause = error if isinstance(error, OSError) and not isinstance(error, SMTPException) else error.__cause__
    match cause:
        case ssl.SSLCertVerificationError():
            return f"{server} is not trusted: {one_line(cause.verify_message).rstrip('.')}; {HANDSHAKE_NEEDS}"
        case ssl.SSLError():
            reason = one_line(str(cause.reason or cause)).replace("_", " ").lower()
            return f"{server} could not agree with us on TLS: {reason}; is the port one for this TLS mode?"
        case socket.gaierror():
            return f"{server} cannot be found: {one_line(cause.strerror or 'no such name')}"
        case ConnectionRefusedError():
            return f"nothing listens at {server}: connection refused"
    if isinstance(error, SMTPServerDisconnected) or isinstance(cause, ConnectionError | SMTPServerDisconnected):
        return f"{server} hung up while {step}{_maybe_delivered(step)}"
    said = cut(redact(one_line(str(cause or error)), secrets), LONGEST_ANSWER)
    return f"{server} could not be reached while {step}: {said}"


def _maybe_delivered(step: Step) -> str:
    unknown = "; it may have the letter all the same, and the next try has the same Message-ID"
    return unknown if step == Step.LETTER else ""


def _with_encoded(secrets: Iterable[str]) -> tuple[str, ...]:
    """Give them as they are and as AUTH LOGIN and AUTH PLAIN show them."""
    plain = tuple(secrets)
    together = ("\0" + "\0".join(plain),) if plain else ()
    encoded = (base64.b64encode(text.encode("utf-8", "replace")).decode() for text in (*plain, *together))
    return (*plain, *encoded)
