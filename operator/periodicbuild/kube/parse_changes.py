"""Change detection: the policy of a spec, what was compared, and what a build says that it has made (R31).

Must not know how a source is looked up.

The one idea a newcomer would miss: a source that cannot be read is kept, as one of unknown kind.  Left out, it could
not be seen to change, and its build would be skipped for ever.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from periodicbuild.core.inputs import ChangeDetection, Comparison, Input, Source, SourceKind, Verdict
from periodicbuild.core.status import Changes
from periodicbuild.kube.parse_policies import MOST_SHARED, duration_of, fields_of
from periodicbuild.kube.parse_values import UNREADABLE, known, text_of, utc
from periodicbuild.kube.wire_status import ComparisonWire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from periodicbuild.kube.wire_status import ChangesWire, InputWire, RecordedInputWire

MOST_INPUTS: Final = 22
"""The template and ten sources, and as many that are inputs no more."""
LONGEST_NAME: Final = 63
LONGEST: Final = 256
"""Characters of a revision or a problem."""

OUTPUT_DIGEST: Final = re.compile(r"outputDigest[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9][A-Za-z0-9+/=:._-]{7,127})")
"""In a termination message: JSON, YAML, or a line `outputDigest=...`."""

_decode_comparison = msgspec.json.Decoder(ComparisonWire).decode


@lru_cache(maxsize=MOST_SHARED)
def read_change_detection(text: bytes) -> ChangeDetection | None:
    """Read `spec.changeDetection`; None if every slot builds."""
    fields = fields_of(text)
    if not fields:
        return None
    listed = fields.get("sources")
    sources = tuple(map(_source, listed)) if isinstance(listed, list) else ()
    return ChangeDetection(sources=sources, max_age=duration_of(fields.get("maxAge")))


def _source(item: Any) -> Source:
    fields = item if isinstance(item, dict) else {}
    name, git, image = text_of(fields.get("name")) or "?", fields.get("git"), fields.get("image")
    if isinstance(git, dict) and (url := text_of(git.get("url"))):
        return Source(name, SourceKind.GIT, url, text_of(git.get("ref")) or "")
    if isinstance(image, dict) and (reference := text_of(image.get("reference"))):
        return Source(name, SourceKind.IMAGE, reference)
    return Source(name, SourceKind.UNKNOWN, "")


def read_comparison(annotation: str | None) -> Comparison | None:
    """Read the annotation of an AppServer; None if there is none, or what it says cannot be read."""
    if annotation is None:
        return None
    try:
        stored = _decode_comparison(annotation)
    except UNREADABLE:
        return None
    return Comparison(known(Verdict, stored.verdict, otherwise=Verdict.NOT_RECORDED), read_inputs(stored.inputs))


def read_changes(stored: ChangesWire) -> Changes:
    """Read `status.changes`."""
    return Changes(
        slot=utc(stored.slot_time), at=utc(stored.time), verdict=stored.verdict, inputs=read_inputs(stored.inputs)
    )


def read_inputs(stored: Iterable[InputWire] | None) -> tuple[Input, ...]:
    """Read what was compared, cut to what a status can hold: an annotation may be edited by anybody."""
    return tuple(
        Input(one.name[:LONGEST_NAME], _cut(one.revision), _cut(one.previous), _cut(one.problem) or "")
        for one in tuple(stored or ())[:MOST_INPUTS]
    )


def read_recorded_inputs(stored: Iterable[RecordedInputWire] | None) -> tuple[Input, ...]:
    """Read what a success was made from."""
    return tuple(Input(one.name, _cut(one.revision)) for one in stored or ())


def _cut(text: str | None) -> str | None:
    return text[:LONGEST] if text else None


def output_digest_in(message: str) -> str | None:
    """Find what a build says that it has made."""
    found = OUTPUT_DIGEST.search(message)
    return None if found is None else found[1]
