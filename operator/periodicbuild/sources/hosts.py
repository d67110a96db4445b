"""Which hosts may be asked, over what, and at which addresses: the guard against requests forged through us.

Must not know HTTP.

The one idea a newcomer would miss: whoever writes a PeriodicBuild chooses where the operator connects to, and the
operator stands inside the cluster.  So a name is judged before it is asked for, and an address when it is connected to:
what a name stands for may change in between.  And a name is ASCII: HTTP libraries read digits in circles as digits, and
what was judged as a name is connected to as an address.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from periodicbuild.sources.problems import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from urllib.parse import SplitResult

DOCKER_HUB: Final = "docker.io"
FAMILIES: Final = {DOCKER_HUB: ("registry-1.docker.io", "auth.docker.io")}
"""Hosts that stand behind the name by which people call them."""

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""Addresses of IPv4 as IPv6-only clusters see them."""

LOCAL: Final = tuple(map(ipaddress.ip_network, ("fec0::/10", "64:ff9b:1::/48", "::/96")))
"""Addresses of a site, of IPv4 as a site sees them, and of IPv4 as they were first written: not every Python tells."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRules:
    """What an administrator allows; hosts are names, addresses, or `*.` and a domain, in lower case."""

    allowed: frozenset[str] = frozenset()
    """Empty = every host that is not inside."""
    private: frozenset[str] = frozenset()
    """Hosts that may be inside: at addresses that are private, or this machine's own."""
    plain: frozenset[str] = frozenset()
    """Hosts that are asked over http; they may be inside as well."""

    def checked(self, url: str) -> SplitResult:
        """Take a URL apart; raises SourceError if nothing may be asked there."""
        try:
            parts = urlsplit(url)
            host, _ = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise SourceError("its URL has a host or a port that is none") from None
        if not host or parts.scheme not in {"https", "http"}:
            raise SourceError("its URL does not begin with https:// and a host")
        if not host.isascii():
            raise SourceError("its URL has a host that is not ASCII: write it as xn--...")
        if "@" in parts.netloc:
            raise SourceError("its URL holds credentials: they belong into a file of the operator")
        if parts.scheme == "http" and not _matches(host, self.plain):
            raise SourceError(f"{host} may be asked over https only: --source-private-hosts http://{host} allows http")
        if self.allowed and not _matches(host, self._all_allowed()):
            raise SourceError(f"{host} is not among the operator's --source-allowed-hosts")
        if (literal := address_of(host)) is not None and not self.may_connect(host, literal):
            raise SourceError(inside(host))
        return parts

    def may_connect(self, host: str, address: Address) -> bool:
        """Tell whether a host may be spoken to at an address."""
        inner = tuple(_embedded(address))
        if all(_is_public(one) for one in inner):
            return True
        is_nobody = any(one.is_link_local or one.is_multicast or one.is_unspecified for one in inner)
        return not is_nobody and _matches(host, self.private | self.plain)

    def scheme_of(self, host: str) -> str:
        """Return what a host is asked over where nobody has written it down."""
        return "http" if _matches(host, self.plain) else "https"

    def _all_allowed(self) -> frozenset[str]:
        families = (name for known, family in FAMILIES.items() if known in self.allowed for name in family)
        return self.allowed | self.private | self.plain | frozenset(families)


def inside(host: str) -> str:
    """Say that a host is where nobody may be asked by us."""
    return f"{host} has an address that is private: --source-private-hosts {host} allows it"


def address_of(text: str) -> Address | None:
    """Read an address as a resolver writes it, with or without a zone; None if it is none."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _matches(host: str, patterns: Iterable[str]) -> bool:
    name = host.lower().rstrip(".")
    return any(name == one or (one.startswith("*.") and name.endswith(one[1:])) for one in patterns)


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in network for network in LOCAL)


def _embedded(address: Address) -> Iterator[Address]:
    """Give the address, and that of IPv4 which it stands for: both must be good."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
            return
        if address in NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
            return
        if address.sixtofour is not None:
            yield address.sixtofour
    yield address
