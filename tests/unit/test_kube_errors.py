"""Refusals, as Kubernetes 1.37.1 words them, become the exception that says what to do next."""

from __future__ import annotations

import json
from typing import Any

import pytest

from periodicbuild.kube.answers import LONGEST_UNPARSED_MESSAGE, error_from_answer, error_without_answer
from periodicbuild.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    KubeError,
    NotFoundError,
    TransientKubeError,
)
from periodicbuild.kube.paths import Target

CREATE_POD = Target("create", "pods", "team-a", "nightly-1")


def refusal(status: int, reason: str = "", message: str = "", **details: Any) -> KubeError:
    """Build the exception of one refusal."""
    body = {"kind": "Status", "metadata": {}, "code": status, "reason": reason, "message": message}
    return error_from_answer(CREATE_POD, status, json.dumps({**body, "details": details or None}).encode(), {})


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        pytest.param(400, "BadRequest", InvalidError, id="an unreadable quantity is as final as an invalid field"),
        pytest.param(401, "Unauthorized", TransientKubeError, id="a token in rotation is nobody's fault"),
        pytest.param(403, "Forbidden", ForbiddenError, id="forbidden"),
        pytest.param(404, "NotFound", NotFoundError, id="not found"),
        pytest.param(405, "MethodNotAllowed", KubeError, id="what fits nothing is the plain error"),
        pytest.param(409, "AlreadyExists", AlreadyExistsError, id="409 because the name is taken"),
        pytest.param(409, "Conflict", ConflictError, id="409 because the object has changed"),
        pytest.param(410, "Expired", GoneError, id="a resourceVersion too old"),
        pytest.param(410, "Gone", GoneError, id="gone"),
        pytest.param(413, "RequestEntityTooLarge", InvalidError, id="too large"),
        pytest.param(422, "Invalid", InvalidError, id="invalid"),
        pytest.param(429, "TooManyRequests", TransientKubeError, id="too many requests"),
        pytest.param(500, "InternalError", TransientKubeError, id="internal error"),
        pytest.param(503, "ServiceUnavailable", TransientKubeError, id="service unavailable"),
        pytest.param(504, "Timeout", TransientKubeError, id="time-out"),
    ],
)
def test_status_and_reason_choose_the_exception(status: int, reason: str, expected: type[KubeError]) -> None:
    assert type(refusal(status, reason)) is expected


@pytest.mark.parametrize(
    ("message", "is_quota"),
    [
        ('pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0', True),
        ('pods "p" is forbidden: status unknown for quota: q, resources: pods', True),
        ('pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c', False),
        ('pods "p" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', False),
        ('pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "team-a"', False),
    ],
)
def test_only_a_full_or_uncounted_quota_is_worth_another_try(message: str, *, is_quota: bool) -> None:
    error = refusal(403, "Forbidden", message)
    assert isinstance(error, ForbiddenError)
    assert error.is_quota_exceeded is is_quota


def test_a_dying_namespace_is_told_by_its_cause() -> None:
    cause = {"reason": "NamespaceTerminating", "message": "namespace team-a is being terminated"}
    error = refusal(403, "Forbidden", "unable to create new content", causes=[cause])
    assert isinstance(error, ForbiddenError)
    assert error.is_namespace_terminating
    assert not error.is_quota_exceeded


def test_a_missing_namespace_is_told_from_a_missing_object() -> None:
    of_namespace = refusal(404, "NotFound", 'namespaces "team-a" not found', kind="namespaces")
    of_pod = refusal(404, "NotFound", 'pods "nightly-1" not found', kind="pods")
    assert isinstance(of_namespace, NotFoundError)
    assert isinstance(of_pod, NotFoundError)
    assert (of_namespace.is_namespace_missing, of_pod.is_namespace_missing) == (True, False)


def test_the_message_says_who_was_asked_to_do_what_and_the_answer() -> None:
    error = refusal(409, "AlreadyExists", 'pods "nightly-1" already exists')
    expected = 'cannot create pods team-a/nightly-1: 409 AlreadyExists: pods "nightly-1" already exists'
    assert str(error) == expected


def test_without_an_answer_the_message_says_so() -> None:
    error = error_without_answer(CREATE_POD, "ServerDisconnectedError: Server disconnected")
    assert str(error) == "cannot create pods team-a/nightly-1: no answer: ServerDisconnectedError: Server disconnected"


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        pytest.param({"Retry-After": "7"}, {"retryAfterSeconds": 1}, 7.0, id="the header wins"),
        pytest.param({}, {"retryAfterSeconds": 1}, 1.0, id="the body if there is no header"),
        pytest.param({}, {}, None, id="neither"),
        pytest.param({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {}, None, id="a proxy's date is ignored"),
    ],
)
def test_retry_after_comes_from_header_or_body(
    headers: dict[str, str], details: dict[str, int], seconds: float | None
) -> None:
    body = json.dumps({"reason": "TooManyRequests", "details": details}).encode()
    assert error_from_answer(CREATE_POD, 429, body, headers).retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [b"<html>502 Bad Gateway</html>", b"", b"\xff\xfe", b'"text"', b"[]", b"{", b'{"code": "no number"}'],
)
def test_an_answer_that_is_no_status_is_still_an_error(body: bytes) -> None:
    error = error_from_answer(CREATE_POD, 502, body, {})
    assert isinstance(error, TransientKubeError)


def test_a_long_page_of_a_proxy_is_cut() -> None:
    error = error_from_answer(CREATE_POD, 502, b"x" * 10_000, {})
    assert len(error.message) == LONGEST_UNPARSED_MESSAGE
