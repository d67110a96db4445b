"""Who is told: addresses, and which of them an administrator lets people name (R38).

Must not know what is told or how it is sent.

The one idea a newcomer would miss: whoever may write a PeriodicBuild can make the operator send mail.  So its addresses
go only where the administrator allows; the administrator's own list goes anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from periodicbuild.core.reasons import NoticeKind, SinkName

if TYPE_CHECKING:
    from collections.abc import Iterable

_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
ADDRESS_PATTERN: Final = f"^{_ATOM}([.]{_ATOM})*@{_LABEL}([.]{_LABEL})*$"
"""An addr-spec of RFC 5322 whose local part is a dot-atom: what every server can carry."""
LONGEST_ADDRESS: Final = 254
LONGEST_LOCAL_PART: Final = 64
"""Characters: what fits into a path of RFC 5321."""

FOR_ALL: Final = frozenset({NoticeKind.RUN_FAILED, NoticeKind.STILL_FAILING, NoticeKind.RUN_RECOVERED})
"""What the operator-wide list and the other sinks are told of every PeriodicBuild, and what is mailed by default."""
DEFAULT_REMIND_EVERY: Final = timedelta(hours=24)

_IS_ADDRESS: Final = re.compile(ADDRESS_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """`spec.notifications`: whom a PeriodicBuild wants to be told of what."""

    to: tuple[str, ...] = ()
    events: frozenset[NoticeKind] = FOR_ALL
    remind_every: timedelta = DEFAULT_REMIND_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What the administrator has set up for telling people; nothing unless told otherwise."""

    sinks: frozenset[SinkName] = frozenset()
    to: tuple[str, ...] = ()
    """The operator-wide list: told of every PeriodicBuild."""
    allowed_domains: frozenset[str] = frozenset()
    """Lower case; where a PeriodicBuild's own addresses may be; empty = anywhere."""


def is_address(text: str) -> bool:
    """Tell whether a text is exactly one address, without a name or anything around it."""
    is_short = len(text) <= LONGEST_ADDRESS and text.find("@") <= LONGEST_LOCAL_PART
    return is_short and _IS_ADDRESS.fullmatch(text) is not None


def parse_addresses(text: str) -> tuple[str, ...]:
    """Read a list with commas, as the origin wrote it; raises ValueError with a sentence about the first mistake."""
    addresses = [part for part in (part.strip() for part in text.split(",")) if part]
    for address in addresses:
        if not is_address(address):
            message = f"{address!r} is no e-mail address: write one like ops@example.com, several with commas between"
            raise ValueError(message)
    if not addresses:
        raise ValueError("no e-mail address is given: write one like ops@example.com, several with commas between")
    return tuple(dict.fromkeys(addresses))


def recipients_of(kind: NoticeKind, wanted: Notifications, telling: Telling) -> tuple[str, ...]:
    """Return whom a mail of one kind goes to, each once."""
    own = allowed(wanted, telling) if kind in wanted.events else ()
    return tuple(dict.fromkeys((*own, *(telling.to if kind in FOR_ALL else ()))))


def sinks_for(kind: NoticeKind, wanted: Notifications, telling: Telling) -> tuple[SinkName, ...]:
    """Return the ways by which one kind is told, in the order of their list."""
    return tuple(sink for sink in SinkName if sink in telling.sinks and _takes(sink, kind, wanted, telling))


def _takes(sink: SinkName, kind: NoticeKind, wanted: Notifications, telling: Telling) -> bool:
    return bool(recipients_of(kind, wanted, telling)) if sink == SinkName.EMAIL else kind in FOR_ALL


def allowed(wanted: Notifications, telling: Telling) -> tuple[str, ...]:
    """Return a PeriodicBuild's own addresses, without those that it may not name."""
    return tuple(address for address in wanted.to if is_address(address) and _is_allowed(address, telling))


def not_allowed(wanted: Notifications, telling: Telling) -> tuple[str, ...]:
    """Return those it may not name, and what is no address at all."""
    permitted = allowed(wanted, telling)
    return tuple(address for address in wanted.to if address not in permitted)


def _is_allowed(address: str, telling: Telling) -> bool:
    return not telling.allowed_domains or domain_of(address) in telling.allowed_domains


def domain_of(address: str) -> str:
    """Return what stands behind the @, in lower case."""
    return address.rpartition("@")[2].lower()


def domains_of(addresses: Iterable[str]) -> str:
    """Name the domains of some addresses for a person."""
    return ", ".join(dict.fromkeys(domain_of(address) for address in addresses))
