"""From the answer of an API server to the exception that says what to do next.

Must not know HTTP clients or sockets: it works on plain values.

The one idea a newcomer would miss: 409 is two things.  Only the `reason` tells "a name is taken" from "you are late",
so the reason is asked first and the number second.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.redaction import redact
from periodicbuild.kube.errors import (
    NO_ANSWER,
    AlreadyExistsError,
    Cause,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    KubeError,
    NotFoundError,
    TransientKubeError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from periodicbuild.kube.paths import Target

LONGEST_UNPARSED_MESSAGE = 300
"""Characters kept of an answer that is not a Kubernetes Status, for example a load balancer's HTML page."""


class _Details(msgspec.Struct, frozen=True):
    kind: str = ""
    causes: tuple[Cause, ...] | None = None
    retry_after_seconds: int = msgspec.field(name="retryAfterSeconds", default=0)


class Status(msgspec.Struct, frozen=True):
    """The body of a Kubernetes refusal, also found in a watch's ERROR line."""

    code: int = 0
    """The HTTP status, also inside a watch whose own status was 200."""

    reason: str = ""
    """CamelCase."""

    message: str = ""
    """For people."""

    details: _Details | None = None
    """What the refusal is about."""


_BY_REASON: Mapping[str, type[KubeError]] = {
    "AlreadyExists": AlreadyExistsError,
    "Expired": GoneError,
}

_BY_STATUS: Mapping[int, type[KubeError]] = {
    HTTPStatus.BAD_REQUEST: InvalidError,
    HTTPStatus.UNAUTHORIZED: TransientKubeError,  # a token in rotation; never the user's fault, so not Forbidden
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.GONE: GoneError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: InvalidError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidError,
    HTTPStatus.TOO_MANY_REQUESTS: TransientKubeError,
}


class _Kind(msgspec.Struct, frozen=True):
    kind: str = ""


_decode_status = msgspec.json.Decoder(Status).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode


def is_object(answer: bytes) -> bool:
    """Tell an object from a bare Status: a DELETE answers with the object only while something still holds it."""
    return _decode_kind(answer).kind != "Status"


def error_from_answer(target: Target, status: int, body: bytes, headers: Mapping[str, str]) -> KubeError:
    """Turn a refusal into the exception that says what to do next.

    The body need not be a Kubernetes Status: proxies answer in HTML, and aggregated servers in plain text.
    """
    try:
        answer = _decode_status(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        answer = Status(message=body[:LONGEST_UNPARSED_MESSAGE].decode(errors="replace").strip())
    return error_from_status(target, status, answer, retry_after=_seconds(headers.get("Retry-After", "")))


def error_from_status(target: Target, status: int, answer: Status, *, retry_after: float | None = None) -> KubeError:
    """Turn a decoded Status into an exception; `retry_after` (a header) wins over the one in the body."""
    details = answer.details or _Details()
    return _class_of(status, answer.reason)(
        verb=target.verb,
        ref=target.ref,
        status=status,
        reason=answer.reason,
        message=redact(answer.message),  # it may repeat what was sent
        causes=details.causes or (),
        details_kind=details.kind,
        retry_after=retry_after if retry_after is not None else details.retry_after_seconds or None,
    )


def error_without_answer(target: Target, why: str) -> TransientKubeError:
    """Make the exception for a request that got no answer; it may have been carried out all the same."""
    return TransientKubeError(verb=target.verb, ref=target.ref, status=NO_ANSWER, message=why)


def _class_of(status: int, reason: str) -> type[KubeError]:
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientKubeError
    return _BY_STATUS.get(status, KubeError)


def _seconds(header: str) -> float | None:
    """Read a Retry-After in seconds; Kubernetes never sends the date form, and a proxy's date is ignored."""
    return float(header) if header.isascii() and header.isdigit() else None
