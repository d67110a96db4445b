"""The policies of a spec as values: operational defaults are filled in here and nowhere else (design 2.1).

Must not know where a policy is used: an AppServer's time-outs and a PeriodicBuild's are one kind.

The one idea a newcomer would miss: 5,000 specs hold a handful of different policies, so each text is read once and its
value shared.  Admission has checked every field, and what it would have refused counts as left out.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from periodicbuild.core.durations import DurationError, parse_duration
from periodicbuild.core.facts import ActivationPolicy, Breaker, History, Retries, Timeouts
from periodicbuild.core.reasons import FailureClass, NoticeKind
from periodicbuild.core.recipients import DEFAULT_REMIND_EVERY, FOR_ALL, Notifications
from periodicbuild.kube.parse_values import UNREADABLE, count_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_DELAY: Final = timedelta(seconds=10)
DEFAULT_MAX_DELAY: Final = timedelta(minutes=10)
DEFAULT_DISRUPTION_LIMIT: Final = 3
DEFAULT_RETRY_ON: Final = frozenset({FailureClass.BUILD, FailureClass.INFRASTRUCTURE, FailureClass.TIMEOUT})
"""All that `retryOn` can list: a disruption is always retried."""
DEFAULT_WAITING: Final = timedelta(hours=1)
DEFAULT_CONFIGURING: Final = timedelta(hours=2, minutes=30)
DEFAULT_PROBE_AFTER: Final = timedelta(hours=6)
DEFAULT_FALLBACK_FOR: Final = timedelta(hours=48)
DEFAULT_SUCCESSFUL_LIMIT: Final = 3
DEFAULT_FAILED_LIMIT: Final = 1

MOST_SHARED: Final = 1_024
"""Texts per policy whose value is kept."""


@lru_cache(maxsize=MOST_SHARED)
def read_retries(text: bytes) -> Retries:
    """Read `spec.retries`; where one of the delays is left out, its default gives way to the other."""
    fields = fields_of(text)
    delay, max_delay = duration_of(fields.get("delay")), duration_of(fields.get("maxDelay"))
    if delay is None:
        delay = DEFAULT_DELAY if max_delay is None else min(DEFAULT_DELAY, max_delay)
    if max_delay is None:
        max_delay = DEFAULT_MAX_DELAY
    return Retries(
        limit=count_of(fields.get("limit"), default=0),
        delay=delay,
        max_delay=max(delay, max_delay),
        retry_on=_classes(fields.get("retryOn")),
        disruption_limit=count_of(fields.get("disruptionLimit"), default=DEFAULT_DISRUPTION_LIMIT),
    )


@lru_cache(maxsize=MOST_SHARED)
def read_timeouts(text: bytes) -> Timeouts:
    """Read `spec.timeouts` of either kind."""
    fields = fields_of(text)
    return Timeouts(
        waiting=duration_of(fields.get("waiting")) or DEFAULT_WAITING,
        configuring=duration_of(fields.get("configuring")) or DEFAULT_CONFIGURING,
        run=duration_of(fields.get("run")),
    )


@lru_cache(maxsize=MOST_SHARED)
def read_history(text: bytes) -> History:
    """Read `spec.history`."""
    fields = fields_of(text)
    return History(
        successful_limit=count_of(fields.get("successfulLimit"), default=DEFAULT_SUCCESSFUL_LIMIT),
        failed_limit=count_of(fields.get("failedLimit"), default=DEFAULT_FAILED_LIMIT),
        max_age=duration_of(fields.get("maxAge")),
    )


@lru_cache(maxsize=MOST_SHARED)
def read_breaker(text: bytes) -> Breaker | None:
    """Read `spec.breaker`; None if there is none."""
    fields = fields_of(text)
    failures = count_of(fields.get("failures"), default=0)
    if not failures:
        return None
    return Breaker(failures=failures, probe_after=duration_of(fields.get("probeAfter")) or DEFAULT_PROBE_AFTER)


@lru_cache(maxsize=MOST_SHARED)
def read_notifications(text: bytes) -> Notifications:
    """Read `spec.notifications`; what is no address is kept, so that somebody can say so."""
    email = fields_of(text).get("email")
    if not isinstance(email, dict):
        return Notifications()
    return Notifications(
        to=tuple(dict.fromkeys(_texts(email.get("to")))),
        events=_kinds(email.get("events")),
        remind_every=duration_of(email.get("remindEvery")) or DEFAULT_REMIND_EVERY,
    )


@lru_cache(maxsize=MOST_SHARED)
def read_activation(text: bytes) -> ActivationPolicy | None:
    """Read `spec.activation`; None if no Service is to be switched."""
    fields = fields_of(text)
    name = text_of(fields.get("serviceName"))
    if name is None:
        return None
    fallback_for = duration_of(fields.get("fallbackFor")) or DEFAULT_FALLBACK_FOR
    return ActivationPolicy(service_name=name, fallback_for=fallback_for)


@lru_cache(maxsize=MOST_SHARED)
def shared_labels(labels: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Give the one copy of the labels of many PeriodicBuilds; names and values come sorted."""
    return dict(labels)


def fields_of(text: bytes) -> dict[str, Any]:
    """Give the fields of an object; none for what is no object."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except UNREADABLE:
        return {}


def duration_of(value: object) -> timedelta | None:
    """Read a duration; None for what admission would have refused."""
    if not isinstance(value, str):
        return None
    try:
        return parse_duration(value)
    except DurationError:
        return None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _kinds(value: object) -> frozenset[NoticeKind]:
    """Give the events to tell of; one that only a newer operator knows is left out."""
    chosen = frozenset(kind for kind in NoticeKind if kind.value in _texts(value))
    return chosen or FOR_ALL


def _classes(value: object) -> frozenset[FailureClass]:
    """Give the classes to retry; one that only a newer operator knows is left out, and an empty list is none at all."""
    if not isinstance(value, list) or not value:
        return DEFAULT_RETRY_ON
    return frozenset(class_ for class_ in DEFAULT_RETRY_ON if class_.value in value)
