"""Notices as CloudEvents 1.0 in JSON: one event in structured mode, several as a batch.

Must not know how they are sent.  The format is described in docs/webhooks.md, and is an API: fields are only added.

The one idea a newcomer would miss: the id is a function of the fact, so whoever has seen it drops the repeat (R39).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from periodicbuild.core.messages import LONGEST_MESSAGE
from periodicbuild.notify.cleaning import bounded, ending
from periodicbuild.notify.instants import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from periodicbuild.notify.notice import Failure, Notice

EVENT: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"

LARGEST_EVENT: Final = 65_536
"""Bytes that everybody who passes an event on must take (CloudEvents 1.0, size limits)."""

LONGEST_WORD: Final = 256
"""Characters of a name or a reason: those of Kubernetes have 253 at most."""

LOG_LINES: Final = 100
LOG_CHARACTERS: Final = 4_096
"""Of the end of a log: with every other field as long as it may be, the event has LARGEST_EVENT at most."""

MOST_DIGESTS: Final = 16
"""Of images, each as long as a word."""


class FailureData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The capsule of the attempt that failed; what is not known is not there."""

    failure_class: str
    reason: str
    message: str = ""
    stage: str = ""
    container: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    node: str | None = None
    image_digests: tuple[str, ...] = ()
    log_tail: str = ""


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A Notice in the words of the API; what is not known is not there."""

    kind: str
    namespace: str
    name: str
    uid: str
    run: str
    thread: str
    trigger: str = ""
    attempt: int = 0
    app_server: str = ""
    slot_time: str | None = None
    outcome_reason: str = ""
    failing_since_time: str | None = None
    consecutive_failures: int = 0
    last_success_run: str | None = None
    last_success_time: str | None = None
    next_attempt_time: str | None = None
    next_slot_time: str | None = None
    schedule: str = ""
    left_out: int = 0
    failure: FailureData | None = None


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes of CloudEvents 1.0 that are sent."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: EventData


def event_of(notice: Notice, *, with_log: bool = True) -> CloudEvent:
    """Put a notice into an event."""
    namespace, name = _word(notice.namespace), _word(notice.name)
    return CloudEvent(
        specversion="1.0",
        id=f"{_word(notice.uid)}/{_word(notice.key)}",
        source=f"/apis/periodicbuild.dev/v1alpha1/namespaces/{quote(namespace)}/periodicbuilds/{quote(name)}",
        type=f"dev.periodicbuild.{notice.kind}.v1",
        subject=f"{namespace}/{name}",
        time=stamp(notice.owed_at),
        datacontenttype="application/json",
        data=_data(notice, with_log=with_log),
    )


def event_json(notice: Notice) -> bytes:
    """Render one event, at most LARGEST_EVENT."""
    return msgspec.json.encode(event_of(notice))


def batch_json(notices: Sequence[Notice]) -> bytes:
    """Render several events, without the ends of the logs: those would be most of it."""
    return msgspec.json.encode([event_of(notice, with_log=False) for notice in notices])


def _data(notice: Notice, *, with_log: bool) -> EventData:
    return EventData(
        kind=notice.kind,
        namespace=_word(notice.namespace),
        name=_word(notice.name),
        uid=_word(notice.uid),
        run=_word(notice.run),
        thread=_word(notice.thread),
        trigger=_word(notice.trigger),
        attempt=notice.attempt,
        app_server=_word(notice.app_server),
        slot_time=_instant(notice.slot),
        outcome_reason=_word(notice.outcome_reason),
        failing_since_time=_instant(notice.failing_since),
        consecutive_failures=notice.failures_in_a_row,
        last_success_run=_word_or_none(notice.last_success_run),
        last_success_time=_instant(notice.last_success_at),
        next_attempt_time=_instant(notice.next_attempt_at),
        next_slot_time=_instant(notice.next_slot),
        schedule=_word(notice.schedule_text),
        left_out=notice.left_out,
        failure=None if notice.failure is None else _failure(notice.failure, with_log=with_log),
    )


def _failure(failure: Failure, *, with_log: bool) -> FailureData:
    return FailureData(
        failure_class=_word(failure.failure_class),
        reason=_word(failure.reason),
        message=bounded(failure.message, LONGEST_MESSAGE),
        stage=_word(failure.stage),
        container=_word_or_none(failure.container),
        exit_code=failure.exit_code,
        signal=failure.signal,
        node=_word_or_none(failure.node),
        image_digests=tuple(map(_word, failure.image_digests[:MOST_DIGESTS])),
        log_tail=ending(failure.log, lines=LOG_LINES, characters=LOG_CHARACTERS) if with_log else "",
    )


def _word(text: str) -> str:
    return bounded(text, LONGEST_WORD)


def _word_or_none(text: str | None) -> str | None:
    return None if text is None else _word(text)


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else stamp(instant)
