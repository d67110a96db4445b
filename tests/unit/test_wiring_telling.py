"""The flags about telling people: what they come to, and every mistake is a sentence (R38, R40)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from periodicbuild.core.reasons import SinkName
from periodicbuild.core.recipients import Telling
from periodicbuild.notify.desk import Pace
from periodicbuild.notify.smtp_settings import Tls
from periodicbuild.wiring.settings import parse_settings
from periodicbuild.wiring.telling import TellingSettings

SMTP = ["--smtp-host", "mail.example.com", "--mail-from", "Builds <builds@example.com>"]


def settings(*arguments: str) -> TellingSettings:
    """Give what the flags come to."""
    return parse_settings(["run", *arguments]).telling


def test_without_flags_nobody_is_told_anything() -> None:
    assert settings() == TellingSettings()
    assert settings().telling() == Telling()
    assert settings().sinks() == {}


def test_mail_goes_out_encrypted_unless_something_else_is_written() -> None:
    smtp = settings(*SMTP).smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.tls) == ("mail.example.com", 587, Tls.START_TLS)
    assert smtp.sender_address == "builds@example.com"
    assert smtp.local_hostname
    assert settings(*SMTP).telling().sinks == {SinkName.EMAIL}


@pytest.mark.parametrize(("tls", "port"), [("Implicit", 465), ("None", 25), ("StartTLS", 587)])
def test_each_way_of_encrypting_has_its_usual_port(tls: str, port: int) -> None:
    smtp = settings(*SMTP, "--smtp-tls", tls).smtp
    assert smtp is not None
    assert smtp.port == port


def test_everything_can_be_chosen() -> None:
    chosen = settings(
        *SMTP,
        "--smtp-port=2525",
        "--smtp-ca-file=/ca.pem",
        "--smtp-username-file=/user",
        "--smtp-password-file=/password",
        "--smtp-hello=operator.example.com",
        "--mail-to=urgent+ci@example.com,me@example.com",
        "--mail-to=me@example.com",
        "--mail-allowed-domains=Example.com, example.org",
        "--mail-heartbeat=1d",
        "--webhook-url-file=/hook",
        "--webhook-key-file=/key",
        "--slack-url-file=/slack",
        "--webhook-ca-file=/hook-ca.pem",
        "--notices-per-hour=5",
        "--digest-after=30s",
    )
    smtp = chosen.smtp
    assert smtp is not None
    assert (smtp.port, smtp.ca_file, smtp.username_file, smtp.password_file, smtp.local_hostname) == (
        2525,
        Path("/ca.pem"),
        Path("/user"),
        Path("/password"),
        "operator.example.com",
    )
    assert chosen.telling() == Telling(
        sinks=frozenset(SinkName),
        to=("urgent+ci@example.com", "me@example.com"),
        allowed_domains=frozenset({"example.com", "example.org"}),
    )
    assert chosen.heartbeat == timedelta(days=1)
    assert chosen.pace == Pace(per_hour=5, quiet_seconds=30, longest_seconds=300)
    assert (chosen.webhook_url_file, chosen.webhook_key_file) == (Path("/hook"), Path("/key"))
    assert (chosen.slack_url_file, chosen.ca_file) == (Path("/slack"), Path("/hook-ca.pem"))


MISTAKES = {
    "a list without a server": (["--mail-to=a@example.com"], "--mail-to needs --smtp-host"),
    "a server without a sender": (["--smtp-host=x"], "--smtp-host needs --mail-from"),
    "a sender that is none": (["--smtp-host=x", "--mail-from=me"], "'me' is no address to send from"),
    "no address": ([*SMTP, "--mail-to=a@example.com,b"], "'b' is no e-mail address"),
    "no domain": (["--mail-allowed-domains=@example.com"], "'@example.com' is no domain: write one like example.com"),
    "an empty list of domains": (["--mail-allowed-domains="], "'' is no domain"),
    "half of the credentials": ([*SMTP, "--smtp-username-file=/u"], "a username and a password go together"),
    "a password in the clear": (
        [*SMTP, "--smtp-tls=None", "--smtp-username-file=/u", "--smtp-password-file=/p"],
        "a password is never sent over a connection that is not encrypted",
    ),
    "a sign of life to nobody": ([*SMTP, "--mail-heartbeat=1d"], "--mail-heartbeat needs --mail-to"),
    "a flood": ([*SMTP, "--mail-to=a@example.com", "--mail-heartbeat=1s"], "--mail-heartbeat must be at least 1m"),
    "an odd length of time": ([*SMTP, "--mail-heartbeat=daily"], "daily"),
    "a key without a place": (["--webhook-key-file=/k"], "--webhook-key-file needs --webhook-url-file"),
    "a file without a name": (["--slack-url-file="], "the name of the file is empty"),
    "an unknown way of encrypting": ([*SMTP, "--smtp-tls=maybe"], "maybe"),
    "no port": ([*SMTP, "--smtp-port=0"], "0 is too small: give at least 1"),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_answered_with_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        settings(*arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
