"""What an administrator may choose about looking sources up, from the command line.

Must not know what is looked up.
"""

from __future__ import annotations

import argparse
import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from periodicbuild.sources.hosts import HostRules
from periodicbuild.wiring.arguments import file

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

PLAIN: Final = "http://"
_NAME: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """The choices."""

    rules: HostRules = field(default_factory=HostRules)
    credentials_folder: Path | None = None
    """One file per host."""
    ca_file: Path | None = None
    """Authorities that hosts may be certified by; None = the system's."""


def add_source_arguments(run: ArgumentParser) -> None:
    """Add the flags."""
    sources = run.add_argument_group("sources of builds, for change detection")
    sources.add_argument(
        "--source-allowed-hosts",
        type=_hosts,
        default=frozenset(),
        help="hosts that may be asked, commas between, *.example.com for a domain; default: any that is not private",
    )
    sources.add_argument(
        "--source-private-hosts",
        type=_private_hosts,
        default=frozenset(),
        help="hosts whose addresses may be private, commas between; http://HOST is asked without TLS; default: none",
    )
    sources.add_argument(
        "--source-credentials-folder",
        type=file,
        help="folder with a file for each host that wants credentials, named after it: username:password",
    )
    sources.add_argument("--source-ca-file", type=file, help="their certificates' authorities; default: the system's")


def source_settings(chosen: Namespace) -> SourceSettings:
    """Put the choices together."""
    plain = frozenset(host.removeprefix(PLAIN) for host in chosen.source_private_hosts if host.startswith(PLAIN))
    private = frozenset(host for host in chosen.source_private_hosts if not host.startswith(PLAIN))
    return SourceSettings(
        rules=HostRules(allowed=chosen.source_allowed_hosts, private=private, plain=plain),
        credentials_folder=chosen.source_credentials_folder,
        ca_file=chosen.source_ca_file,
    )


def _hosts(text: str) -> frozenset[str]:
    return frozenset(map(_host, _parts(text)))


def _private_hosts(text: str) -> frozenset[str]:
    return frozenset(
        f"{PLAIN}{_host(part.removeprefix(PLAIN))}" if part.startswith(PLAIN) else _host(part) for part in _parts(text)
    )


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip().lower() for part in text.split(",")) if part]


def _host(text: str) -> str:
    """Read a name, an address, or a domain with `*.` before it; a port belongs to no host."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    if not _NAME.fullmatch(text):
        message = f"{text!r} is no host: write names like git.example.com or *.example.com, commas between, no ports"
        raise argparse.ArgumentTypeError(message)
    return text
