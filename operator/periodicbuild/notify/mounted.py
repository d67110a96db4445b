"""What an administrator mounts for a sink: a URL, a key.  Read anew for each try, since Secrets rotate.

Must not know HTTP.

The one idea a newcomer would miss: the URL of a webhook is a secret, path and query included.  What is told of it
anywhere is its `origin`, and what is told of a file is its path.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

LONGEST_FILE: Final = 8_192
"""Bytes; a URL, or a key, is shorter."""

SHORTEST_KEY: Final = 16
"""Bytes: what is shorter can be guessed by trying."""

STAYS_INSIDE: Final = (".svc", ".svc.cluster.local")
"""Names of Services: what is sent to them does not leave the cluster, so plain http will do."""

_HOST: Final = re.compile(r"[\w.-]{1,253}|[0-9a-f:.]{2,45}", re.IGNORECASE)
_NO_PART_OF_A_URL: Final = re.compile(r"[\s\\\x00-\x1f\x7f]")


class DeliveryError(Exception):
    """Nothing was delivered; its text is the sentence of the receipt, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where something is posted to."""

    url: str
    """A secret."""
    origin: str
    """`scheme://host[:port]`, which may be told."""


def read_address(file: Path) -> Address:
    """Read the URL of a file; raises DeliveryError."""
    try:
        return parse_address(_content(file, "the URL"))
    except ValueError as error:
        raise DeliveryError(f"the file {file} holds no URL that can be used: {error}") from None


def read_key(file: Path) -> bytes:
    """Read the key that bodies are signed with, without white space around it; raises DeliveryError."""
    key = _content(file, "the key").encode()
    if len(key) < SHORTEST_KEY:
        raise DeliveryError(f"the key in {file} is shorter than {SHORTEST_KEY} bytes: make a longer one")
    return key


def parse_address(text: str) -> Address:
    """Check a URL; raises ValueError with words of our own, since those of others may quote it."""
    if _NO_PART_OF_A_URL.search(text):
        raise ValueError("write one URL, without spaces or line breaks in it")
    host, port, parts = _parts_of(text)
    if parts.scheme not in {"https", "http"}:
        raise ValueError("it must begin with https://")
    if parts.scheme == "http" and not _stays_inside(host):
        raise ValueError("http is for this host and for Services of the cluster (NAME.NAMESPACE.svc): write https://")
    origin = f"{parts.scheme}://{_shown(host)}" + ("" if port is None else f":{port}")
    return Address(url=text, origin=origin)


def host_of(text: str) -> str | None:
    """Return what may be told of the URL of somebody else; None if it has no host that is one."""
    try:
        return _shown(_parts_of(text)[0])
    except ValueError:
        return None


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parts_of(text: str) -> tuple[str, int | None, SplitResult]:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("its host or port is none") from None
    if not _HOST.fullmatch(host):
        raise ValueError("it has no host, or one that is none")
    return host, port, parts


def _stays_inside(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(STAYS_INSIDE)


def _content(file: Path, what: str) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST_FILE + 1)
        text = content.decode().strip()
    except FileNotFoundError:
        raise DeliveryError(f"there is no file {file} with {what}: mount the Secret that holds it") from None
    except OSError as error:
        raise DeliveryError(f"the file {file} with {what} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DeliveryError(f"the file {file} with {what} is no text") from None
    if not text or len(content) > LONGEST_FILE:
        raise DeliveryError(f"the file {file} with {what} is {'too long' if text else 'empty'}")
    return text
