"""An Event's name and JSON, as pure functions of the fact (R37).

Must not send anything or read a clock.

The one idea a newcomer would miss: the name is computed from what the fact *is*, so the API server itself refuses the
second Event about it, whoever sends it and whenever.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.kube.paths import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.notices import EventFact, ObjectRef

EVENTS = Kind("events.k8s.io", "v1", "events")

NAMESPACE_OF_CLUSTER_SCOPED = "default"
"""Where Kubernetes expects Events about objects without a namespace."""

LONGEST_NAME = 253
"""Characters of a DNS subdomain."""

HASH_DIGITS = 16
"""Hex digits of the name's hash: two facts about one object meet once in billions of objects."""

LONGEST_NOTE_BYTES = 1024
"""The API server counts bytes of UTF-8, not characters."""

LONGEST_FIELD = 128
"""Characters of `reason`, `action` and `reportingInstance`."""

ELLIPSIS = "..."

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs"})
"""Unicode's categories of control characters, formatting characters and halves of surrogate pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who says so."""

    controller: str = "periodicbuild.dev/operator"
    """A qualified name, the same for all replicas."""

    instance: str
    """The pod's name, or the host's outside a cluster."""


def event_namespace(regarding: ObjectRef) -> str:
    """Give the namespace an Event about this object belongs into."""
    return regarding.namespace or NAMESPACE_OF_CLUSTER_SCOPED


def event_name(fact: EventFact) -> str:
    """Name the Event after its object and a hash of the fact's identity; a DNS subdomain of at most 253."""
    identity = "\0".join((fact.regarding.uid, fact.reason, fact.key))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:HASH_DIGITS]
    return f"{fact.regarding.name[: LONGEST_NAME - HASH_DIGITS - 1].rstrip('-.')}.{digest}"


def event_body(fact: EventFact, reporter: Reporter, now: datetime) -> bytes:
    """Render the Event of a fact first seen at `now` (aware)."""
    regarding = fact.regarding
    return msgspec.json.encode(
        {
            "apiVersion": EVENTS.api_version,
            "kind": "Event",
            "metadata": {"name": event_name(fact), "namespace": event_namespace(regarding)},
            "eventTime": micro_time(now),
            "reportingController": reporter.controller,
            "reportingInstance": reporter.instance[:LONGEST_FIELD],
            "type": fact.type,
            "reason": fact.reason,
            "action": fact.action,
            "note": clean_note(fact.note),
            "regarding": {
                "apiVersion": regarding.api_version,
                "kind": regarding.kind,
                "namespace": regarding.namespace,
                "name": regarding.name,
                "uid": regarding.uid,
            },
        }
    )


def micro_time(instant: datetime) -> str:
    """Write an aware UTC instant as Kubernetes' MicroTime."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def clean_note(note: str) -> str:
    """Make one printable line of at most 1,024 bytes of UTF-8.

    White space of any kind becomes one blank. Control, formatting (text direction!) and unpaired surrogates go.
    """
    text = "".join(char for char in re.sub(r"\s+", " ", note).strip() if unicodedata.category(char) not in UNPRINTABLE)
    data = text.encode()
    if len(data) <= LONGEST_NOTE_BYTES:
        return text
    return data[: LONGEST_NOTE_BYTES - len(ELLIPSIS)].decode(errors="ignore") + ELLIPSIS
