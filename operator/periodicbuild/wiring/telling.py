"""What an administrator may choose about telling people, from the command line, and the sinks that come of it.

Must not know what is told.

The one idea a newcomer would miss: secrets are never arguments, which everybody on the machine can read, but files,
which are read again for every try.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.reasons import SinkName
from periodicbuild.core.recipients import Telling
from periodicbuild.notify.desk import Pace
from periodicbuild.notify.slack import SlackSink
from periodicbuild.notify.smtp import EmailSink
from periodicbuild.notify.smtp_settings import USUAL_PORTS, MailSettingsError, SmtpSettings, Tls
from periodicbuild.notify.webhook import WebhookSink
from periodicbuild.wiring.arguments import addresses, at_least, domains, duration, file

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from periodicbuild.notify.notice import Sink

HEARTBEAT_AT_LEAST = timedelta(minutes=1)
"""More often would be a flood, not a sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingSettings:
    """The choices; nobody is told anything unless one is made."""

    smtp: SmtpSettings | None = None
    to: tuple[str, ...] = ()
    """Told of every PeriodicBuild."""
    allowed_domains: frozenset[str] = frozenset()
    """Empty = any."""
    pace: Pace = field(default_factory=Pace)
    heartbeat: timedelta | None = None
    webhook_url_file: Path | None = None
    webhook_key_file: Path | None = None
    slack_url_file: Path | None = None
    ca_file: Path | None = None
    """Authorities that webhook and Slack may be certified by; None = the system's."""

    def telling(self) -> Telling:
        """Give what decisions need to know."""
        return Telling(sinks=frozenset(self.sinks()), to=self.to, allowed_domains=self.allowed_domains)

    def sinks(self) -> dict[SinkName, Sink]:
        """Make the ways of telling people that were chosen."""
        chosen: dict[SinkName, Sink] = {}
        if self.smtp is not None:
            chosen[SinkName.EMAIL] = EmailSink(self.smtp)
        if self.webhook_url_file is not None:
            chosen[SinkName.WEBHOOK] = WebhookSink(
                url_file=self.webhook_url_file, key_file=self.webhook_key_file, ca_file=self.ca_file
            )
        if self.slack_url_file is not None:
            chosen[SinkName.SLACK] = SlackSink(url_file=self.slack_url_file, ca_file=self.ca_file)
        return chosen


def add_telling_arguments(run: ArgumentParser) -> None:
    """Add the flags."""
    mail = run.add_argument_group("mail")
    mail.add_argument("--smtp-host", help="server that takes the mail; default: no mail is sent")
    mail.add_argument("--smtp-port", type=at_least(1), help="default: 587 for StartTLS, 465 for Implicit, 25 for None")
    mail.add_argument(
        "--smtp-tls", type=Tls, choices=tuple(Tls), default=Tls.START_TLS, help="default: StartTLS, and nothing without"
    )
    mail.add_argument("--smtp-ca-file", type=file, help="its certificate's authorities; default: the system's")
    mail.add_argument("--smtp-username-file", type=file, help="file that holds the username")
    mail.add_argument("--smtp-password-file", type=file, help="file that holds the password")
    mail.add_argument("--smtp-hello", default=socket.gethostname(), help="our own name; default: the host's")
    mail.add_argument("--mail-from", help="sender, as in 'Builds <builds@example.com>'; needed with --smtp-host")
    mail.add_argument(
        "--mail-to", type=addresses, action="append", default=[], help="told of every PeriodicBuild; commas between"
    )
    mail.add_argument(
        "--mail-allowed-domains",
        type=domains,
        default=frozenset(),
        help="where builds may send mail; default: any",
    )
    mail.add_argument("--mail-heartbeat", type=duration, help="sign of life to --mail-to, this often; default: none")
    told = run.add_argument_group("other ways of telling people, and how much at once")
    told.add_argument("--webhook-url-file", type=file, help="file with the URL that gets every notice as a CloudEvent")
    told.add_argument("--webhook-key-file", type=file, help="file with the key that signs them")
    told.add_argument("--slack-url-file", type=file, help="file with the URL of a Slack-compatible incoming webhook")
    told.add_argument("--webhook-ca-file", type=file, help="authorities for both; default: the system's")
    told.add_argument(
        "--notices-per-hour",
        type=at_least(0),
        default=Pace().per_hour,
        help="mails, and Slack messages, one by one; the rest is one digest (default 100; 0 = no limit)",
    )
    told.add_argument(
        "--digest-after", type=duration, default=timedelta(seconds=Pace().quiet_seconds), help="of quiet (default 1m)"
    )


def telling_settings(chosen: Namespace, parser: ArgumentParser) -> TellingSettings:
    """Put the choices together; ends the process with a sentence if they do not fit."""
    for problem in _contradictions(chosen):
        parser.error(problem)
    return TellingSettings(
        smtp=_smtp(chosen, parser),
        to=tuple(dict.fromkeys(address for group in chosen.mail_to for address in group)),
        allowed_domains=chosen.mail_allowed_domains,
        pace=_pace(chosen),
        heartbeat=chosen.mail_heartbeat,
        webhook_url_file=chosen.webhook_url_file,
        webhook_key_file=chosen.webhook_key_file,
        slack_url_file=chosen.slack_url_file,
        ca_file=chosen.webhook_ca_file,
    )


def _contradictions(chosen: Namespace) -> list[str]:
    """Say what one flag needs of another."""
    has_smtp = chosen.smtp_host is not None
    wrong = {
        "--mail-to needs --smtp-host: without a server nobody gets mail": chosen.mail_to and not has_smtp,
        "--smtp-host needs --mail-from, the address that mail comes from": has_smtp and not chosen.mail_from,
        "--mail-heartbeat needs --mail-to, the addresses that get it": chosen.mail_heartbeat and not chosen.mail_to,
        "--mail-heartbeat must be at least 1m": chosen.mail_heartbeat and chosen.mail_heartbeat < HEARTBEAT_AT_LEAST,
        "--webhook-key-file needs --webhook-url-file": chosen.webhook_key_file and not chosen.webhook_url_file,
    }
    return [sentence for sentence, is_so in wrong.items() if is_so]


def _smtp(chosen: Namespace, parser: ArgumentParser) -> SmtpSettings | None:
    if chosen.smtp_host is None:
        return None
    try:
        return SmtpSettings(
            host=chosen.smtp_host,
            port=chosen.smtp_port or USUAL_PORTS[chosen.smtp_tls],
            sender=chosen.mail_from,
            local_hostname=chosen.smtp_hello,
            tls=chosen.smtp_tls,
            ca_file=chosen.smtp_ca_file,
            username_file=chosen.smtp_username_file,
            password_file=chosen.smtp_password_file,
        )
    except MailSettingsError as error:
        parser.error(str(error))


def _pace(chosen: Namespace) -> Pace:
    quiet = chosen.digest_after.total_seconds()
    return Pace(per_hour=chosen.notices_per_hour, quiet_seconds=quiet, longest_seconds=10 * quiet)
