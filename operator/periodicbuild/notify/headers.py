"""Headers of a letter: ids that are functions of the fact, addresses, and values that cannot become more headers.

Must not know what the letter says.

The one idea a newcomer would miss: `EmailMessage` reads what it is given.  A subject that looks like an encoded word
is decoded, line breaks included, and may come out as another header; so `=?` never gets into one.
"""

from __future__ import annotations

import hashlib
import re
from email.headerregistry import Address, Group
from email.utils import parseaddr
from typing import TYPE_CHECKING, Final

from periodicbuild.core.recipients import is_address
from periodicbuild.notify.cleaning import cut, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_SUBJECT: Final = 200
LONGEST_WORD: Final = 253
"""Characters of a domain, and of the longest name that Kubernetes has."""

UNDISCLOSED: Final = Group("undisclosed-recipients", ())


def subject_header(subject: str) -> str:
    """Cut a subject, and keep it from being read as anything but itself."""
    return cut(one_line(subject).replace("=?", "= ?"), LONGEST_SUBJECT)


def word(text: str) -> str:
    """Keep to what a filter compares: visible ASCII without any meaning of its own."""
    return re.sub(r"[^A-Za-z0-9._/:+-]", "?", text)[:LONGEST_WORD]


def sender_header(sender: str) -> Address:
    """Read `name <address>` or an address; raises ValueError with the sentence if it is neither."""
    name, address = parseaddr(sender)
    if not is_address(address):
        raise ValueError(f"{sender!r} is no address to send from: write 'builds@example.com' or 'Name <...@...>'")
    return _address(address, one_line(name).replace("=?", "= ?"))


def recipient_headers(to: Sequence[str]) -> tuple[Address | Group, ...]:
    """Name those to whom it can be sent; a letter to nobody is to undisclosed recipients."""
    return tuple(_address(address) for address in to if is_address(address)) or (UNDISCLOSED,)


def message_id(what: str, parts: Iterable[str], domain: str) -> str:
    """Make an id of its parts and nothing else, so that what is sent twice is folded into one."""
    return f"<{what}.{digest(parts)}@{domain_text(domain)}>"


def list_id(namespace: str, domain: str) -> str:
    """Name the list that filters know a letter by; empty = the letter is about no namespace in particular."""
    label = re.sub(r"[^a-z0-9-]", "-", namespace)[:LONGEST_WORD]
    return f"<{label}{'.' if label else ''}periodicbuild.{domain_text(domain)}>"


def digest(parts: Iterable[str]) -> str:
    """Give 32 hex digits that are the same for the same parts, and for no others."""
    lengths = (f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256("".join(lengths).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def domain_text(domain: str) -> str:
    """Keep to what a domain is made of; without any, one that cannot be."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", domain)[:LONGEST_WORD].strip(".-") or "periodicbuild.invalid"


def _address(address: str, name: str = "") -> Address:
    mailbox, _, domain = address.partition("@")
    return Address(display_name=name, username=mailbox, domain=domain)
