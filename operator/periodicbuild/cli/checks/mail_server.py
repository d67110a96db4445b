"""The mail server, if it is named: whether it takes us, up to the point where a letter would come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from periodicbuild.cli.checks.finding import failed, ok
from periodicbuild.notify.smtp import check as converse
from periodicbuild.notify.smtp_settings import Tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient

TITLE: Final = "mail server"


def check(patient: Patient) -> Iterator[Finding]:
    """Connect from here, start TLS, log in, and say goodbye; nothing is sent."""
    settings = patient.smtp
    if settings is None:
        return
    receipt = asyncio.run(converse(settings))
    if not receipt.is_accepted:
        yield failed(TITLE, receipt.problem, "see docs/mail.md; the operator tries again by itself")
        return
    how = "unencrypted" if settings.tls == Tls.NONE else f"with {settings.tls} and a certificate that is trusted"
    who = " and takes the log-in" if settings.username_file is not None else ""
    yield ok(TITLE, f"{settings.server} answers {how}{who}")
