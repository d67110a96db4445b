"""Certificates for mail servers, by authorities that live as long as a test."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import trustme
from tests.mail.server import LOOPBACK

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class MailAuthority:
    """An authority whose certificates are only good for tests."""

    ca: trustme.CA

    def file(self, folder: Path) -> Path:
        """Write the authority's own certificate."""
        path = folder / "ca.crt"
        self.ca.cert_pem.write_to_path(str(path))
        return path

    def server_context(self, name: str = LOOPBACK, *, not_after: datetime | None = None) -> ssl.SSLContext:
        """Make a certificate for a server of this name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name, not_after=not_after).configure_cert(context)
        return context


@cache
def an_authority(name: str = "trusted") -> MailAuthority:
    """Give the authority of that name: the same one for all tests, as it takes its time to make."""
    return MailAuthority(trustme.CA(organization_name=name))
