"""What a build is made from, and what a comparison with the last success comes to (R31).

Must not know how a source is looked up.

The one idea a newcomer would miss: the template is an input like any other, with its own digest for a revision.  So
"what has changed" has one answer, and a name of a source can never be `template`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

TEMPLATE: Final = "template"
"""The input that every build has."""


class SourceKind(StrEnum):
    """Where the revision of a source is looked up."""

    GIT = "Git"
    IMAGE = "Image"
    UNKNOWN = "Unknown"
    """Only a newer operator knows it: never resolved, so it never lets a slot be skipped."""


class Verdict(StrEnum):
    """What the comparison of a slot's inputs with those of the last success came to; all but `NoChanges` build."""

    NO_CHANGES = "NoChanges"
    CHANGED = "Changed"
    SERVER_LOST = "ServerLost"
    """Nothing has changed, and the server that came of it is not up any more."""
    MAX_AGE = "MaxAge"
    NEVER_SUCCEEDED = "NeverSucceeded"
    NOT_RECORDED = "NotRecorded"
    """It is not known what the last success was built from."""
    UNREACHABLE = "Unreachable"
    """Nothing is known to have changed, and not everything is known."""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing outside the PeriodicBuild that its build is made from."""

    name: str
    kind: SourceKind
    location: str
    """URL of a repository, or reference of an image."""
    ref: str = ""
    """Of a repository: branch, tag or full ref; empty = what its HEAD points to."""


@dataclass(frozen=True, slots=True)
class ChangeDetection:
    """`spec.changeDetection`."""

    sources: tuple[Source, ...] = ()
    max_age: timedelta | None = None
    """None = a success never grows too old."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What looking up one source came to: a revision, or the sentence why there is none."""

    revision: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A lookup of the sources of one slot; a fact, kept in memory."""

    slot: datetime
    sources: tuple[Source, ...]
    asked_at: datetime
    """Steady clock; with findings, when the first of them was asked for, perhaps for another build."""
    findings: Mapping[str, Finding] | None = None
    """By the name of the source; None = it is under way."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a build, now and at the last success."""

    name: str
    revision: str | None = None
    """None = could not be found out, or is no input any more."""
    previous: str | None = None
    """None = was none, or is not on record."""
    problem: str = ""
    """Why the revision could not be found out."""

    @property
    def has_changed(self) -> bool:
        """Tell whether it is known to be another."""
        return not self.problem and self.revision != self.previous


@dataclass(frozen=True, slots=True)
class Comparison:
    """The inputs of one slot, compared."""

    verdict: Verdict
    inputs: tuple[Input, ...]


def template_revision(template: bytes) -> str:
    """Return what a change of the template is noticed by."""
    return hashlib.sha256(template).hexdigest()


def compared_inputs(found: Mapping[str, Finding], before: Iterable[Input]) -> tuple[Input, ...]:
    """Put what is found now beside what the last success was built from; an input that is none any more goes last."""
    known = {one.name: one.revision for one in before}
    now = [Input(name, one.revision, known.get(name), one.problem) for name, one in found.items()]
    return (*now, *(Input(name, previous=revision) for name, revision in known.items() if name not in found))


def recorded_inputs(inputs: Iterable[Input]) -> tuple[Input, ...]:
    """Keep what a success is remembered by."""
    return tuple(Input(one.name, one.revision) for one in inputs if one.revision is not None)


def input_digest(inputs: Iterable[Input]) -> str | None:
    """Return one digest of all inputs, the same in any order; None if there are none, or one is not known."""
    present = [one for one in inputs if one.revision is not None or one.problem]
    if not present or any(one.problem for one in present):
        return None
    lines = sorted(f"{one.name}\0{one.revision}\n" for one in present)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
