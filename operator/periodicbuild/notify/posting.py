"""One POST to somebody else's server: no redirect followed, bounded in time and size, and nothing secret told.

Must not know what is posted.

The one idea a newcomer would miss: words of the HTTP library and of the other side never get into a sentence, because
both quote URLs.  A sentence is made of our own words, the origin, and numbers.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from periodicbuild.notify.mounted import DeliveryError, host_of
from periodicbuild.notify.notice import Receipt
from periodicbuild.remote.silence import why_silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from periodicbuild.notify.mounted import Address

PATIENCE: Final = timedelta(seconds=10)
"""For everything: name, connection, TLS, request, answer.  A receiver that works longer should answer first."""

FINAL: Final = frozenset({HTTPStatus.GONE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
"""What will not change for these very bytes.  All other refusals can be mended by an administrator, or pass."""

_REMEDIES: Final[Mapping[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "are the key and the URL the right ones",
    HTTPStatus.FORBIDDEN: "are the key and the URL the right ones",
    HTTPStatus.NOT_FOUND: "is the path of the URL still the right one",
    HTTPStatus.METHOD_NOT_ALLOWED: "is the path of the URL the one that takes a POST",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How somebody else's server is talked to."""

    ca_file: Path | None = None
    """The authorities that are trusted, instead of the system's."""
    patience: timedelta = PATIENCE
    reads: int = 0
    """Bytes of the answer that are looked at; 0 = its status says everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    origin: str
    """Of the one who answers."""
    status: int
    points_to: str | None = None
    """The host of a redirect that is not followed."""
    text: str = ""
    """The beginning of the body; never told to anyone."""

    @property
    def is_success(self) -> bool:
        """Tell whether it is one of 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


async def post(address: Address, body: bytes, headers: Mapping[str, str], terms: Terms) -> Answer:
    """Post these bytes once; raises DeliveryError if no answer comes back."""
    try:
        tls = await asyncio.to_thread(_trust, terms.ca_file)
        async with _pool(tls, terms) as pool:
            request = pool.post(address.url, data=body, headers=headers, allow_redirects=False, proxy=_proxy(address))
            async with request as response:
                return Answer(
                    origin=address.origin,
                    status=response.status,
                    points_to=host_of(response.headers.get("Location", "")),
                    text=await _beginning(response, terms.reads),
                )
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise DeliveryError(f"{address.origin} {why_silent(error)}") from None


def receipt_of(answer: Answer) -> Receipt:
    """Judge an answer by its status."""
    if answer.is_success:
        return Receipt(is_accepted=True)
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        target = answer.points_to or "another path of its own"
        return refusal(answer, f", which points to {target}: redirects are not followed, so write the final URL")
    remedy = _REMEDIES.get(answer.status)
    return refusal(answer, f": {remedy}?" if remedy else "")


def refusal(answer: Answer, more: str) -> Receipt:
    """Say that an answer is no yes, and more of our own words."""
    problem = f"{answer.origin} answers {_status_text(answer.status)}{more}"
    return Receipt(is_accepted=False, problem=problem, is_final=answer.status in FINAL)


def _status_text(status: int) -> str:
    """Name a status in the standard's words: the server's own may be anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _pool(tls: ssl.SSLContext, terms: Terms) -> aiohttp.ClientSession:
    """Make a pool for one request: there are few, and what is kept open would only be found dead by the next."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, force_close=True),
        timeout=aiohttp.ClientTimeout(total=terms.patience.total_seconds()),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # a small answer may unfold to a huge one
        headers={"User-Agent": f"periodicbuild/{version('periodicbuild')}", "Accept-Encoding": "identity"},
    )


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise DeliveryError(f"the file {ca_file} holds no certificate of an authority") from None
    except OSError as error:
        raise DeliveryError(f"the file {ca_file} with the authority cannot be read: {error.strerror}") from None


def _proxy(address: Address) -> str | None:
    """Give the proxy of the environment, as every program of the host has it; ~/.netrc is nobody's business here."""
    parts = urlsplit(address.origin)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


async def _beginning(response: aiohttp.ClientResponse, size: int) -> str:
    content = b""
    while len(content) < size and (chunk := await response.content.read(size - len(content))):
        content += chunk
    return content.decode("utf-8", "replace")
