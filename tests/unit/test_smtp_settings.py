"""Settings of mail that cannot work are refused before the first letter."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from tests.mail.certificates import an_authority

from periodicbuild.notify.smtp_settings import MailSettingsError, SmtpSettings, Tls, read_access

FILES = {"username_file": Path("username"), "password_file": Path("password")}


def some_settings(**changes: Any) -> SmtpSettings:
    """Give settings that work, but for the changes."""
    chosen = {"host": "mail.example.com", "port": 587, "local_hostname": "operator", "sender": "builds@example.com"}
    return SmtpSettings(**{**chosen, **changes})


REFUSED = {
    "a password without TLS": (
        {**FILES, "tls": Tls.NONE},
        "a password is never sent over a connection that is not encrypted: choose StartTLS or Implicit, or none",
    ),
    "a username without a password": (
        {"username_file": Path("username")},
        "a username and a password go together: name a file for both, or for neither",
    ),
    "authorities without TLS": (
        {"ca_file": Path("ca.crt"), "tls": Tls.NONE},
        "a file of authorities is of no use without TLS: choose StartTLS or Implicit",
    ),
    "no host": ({"host": ""}, "the mail server's host is '': write a name such as 'mail.example.com'"),
    "a host of two lines": (
        {"host": "a\r\nb"},
        "the mail server's host is 'a\\r\\nb': write a name such as 'mail.example.com'",
    ),
    "a name of ours with a blank": (
        {"local_hostname": "a b"},
        "our own name is 'a b': write a name such as 'mail.example.com'",
    ),
    "a sender without a domain": (
        {"sender": "builds"},
        "'builds' is no address to send from: write 'builds@example.com' or 'Name <...@...>'",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_refused_with_the_remedy(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(MailSettingsError) as refusal:
        some_settings(**changes)
    assert str(refusal.value) == sentence


def test_encryption_is_the_default_and_ids_are_made_in_the_senders_domain() -> None:
    settings = some_settings(sender="Builds <builds@mail.example.org>")
    assert settings.tls == Tls.START_TLS
    assert settings.server == "mail.example.com:587"
    assert settings.sender_address == "builds@mail.example.org"
    assert settings.domain == "mail.example.org"


def test_certificates_are_verified_and_old_protocols_refused(tmp_path: Path) -> None:
    contexts = [read_access(some_settings(ca_file=file)).tls_context for file in (None, an_authority().file(tmp_path))]
    for context in contexts:
        assert context is not None
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        authorities = context.get_ca_certs()
    assert len(authorities) == 1


def test_of_a_file_only_the_end_of_the_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "username").write_bytes(b"operator")
    (tmp_path / "password").write_bytes(b" p\xc3\xa4ss word \r\n")
    access = read_access(
        some_settings(username_file=tmp_path / "username", password_file=tmp_path / "password", tls=Tls.IMPLICIT)
    )
    assert (access.username, access.password) == (b"operator", b" p\xc3\xa4ss word ")
    assert "ss word" not in repr(access)
