"""The options that name a mail server, as the operator has them."""

from __future__ import annotations

import functools
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from periodicbuild.cli.errors import BadInputError
from periodicbuild.notify.smtp_settings import USUAL_PORTS, MailSettingsError, SmtpSettings, Tls

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = "periodicbuild@localhost"
"""Nothing is sent, so nobody sends it."""


def smtp_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets `smtp` in their place, None without a host."""

    @functools.wraps(command)
    def with_server(**given: Any) -> None:
        chosen = {name: given.pop(f"smtp_{name}") for name in _NAMES}
        command(smtp=_settings(**chosen), **given)

    file = click.Path(path_type=Path)
    for option in (
        click.option("--smtp-password-file", type=file, help="File that holds the password."),
        click.option("--smtp-username-file", type=file, help="File that holds the username."),
        click.option("--smtp-ca-file", type=file, help="Authorities of its certificate; the system's if left out."),
        click.option("--smtp-tls", type=click.Choice([tls.value for tls in Tls]), help="[default: StartTLS]"),
        click.option("--smtp-port", type=click.IntRange(1, 65_535), help="[default: 587, 465 or 25, by --smtp-tls]"),
        click.option("--smtp-host", help="A mail server to try from here; nothing is sent."),
    ):
        with_server = option(with_server)
    return with_server


_NAMES = ("host", "port", "tls", "ca_file", "username_file", "password_file")


def _settings(  # noqa: PLR0913 - each is an option
    *,
    host: str | None,
    port: int | None,
    tls: str | None,
    ca_file: Path | None,
    username_file: Path | None,
    password_file: Path | None,
) -> SmtpSettings | None:
    if host is None:
        return None
    mode = Tls(tls or Tls.START_TLS)
    try:
        return SmtpSettings(
            host=host,
            port=port or USUAL_PORTS[mode],
            tls=mode,
            sender=NOBODY,
            local_hostname=socket.gethostname(),
            ca_file=ca_file,
            username_file=username_file,
            password_file=password_file,
        )
    except MailSettingsError as error:
        raise BadInputError(str(error)) from error
