"""Why somebody else's server has given no answer, in words of our own.

Must not know what it was asked.

The one idea a newcomer would miss: words of the HTTP library and of the other side never get into a sentence, because
both quote URLs, and those may be secrets.
"""

from __future__ import annotations

import os
from typing import Final

import aiohttp

_NO_ANSWER: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TimeoutError, "has not answered in time"),
    (aiohttp.ClientConnectorCertificateError, "shows a certificate that is not trusted"),
    (aiohttp.ClientProxyConnectionError, "cannot be reached: the proxy does not answer"),
    (aiohttp.ClientHttpProxyError, "cannot be reached: the proxy refuses"),
    (aiohttp.ClientConnectorDNSError, "cannot be reached: its name is not known"),
    (aiohttp.ClientSSLError, "does not speak TLS as we do"),
    (aiohttp.ClientConnectorError, "cannot be reached"),
    (aiohttp.ServerDisconnectedError, "has hung up without an answer"),
    (aiohttp.ClientOSError, "has hung up without an answer"),
    (aiohttp.InvalidURL, "cannot be reached: its URL is not one"),
)
"""The first that fits, special ones first."""


def why_silent(error: Exception) -> str:
    """Say why there is no answer, as the rest of a sentence that begins with the server's name."""
    sentence = next((words for kind, words in _NO_ANSWER if isinstance(error, kind)), None)
    if sentence is None:
        return f"gives no answer that is HTTP ({type(error).__name__})"
    if type(error) is aiohttp.ClientConnectorError and error.errno:
        return f"{sentence}: {os.strerror(error.errno)}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{sentence} ({getattr(error.certificate_error, 'verify_message', '')})"
    return sentence
