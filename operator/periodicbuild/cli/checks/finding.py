"""What one check of the doctor has found, and how findings are shown.

Must not know what is checked.

The one idea a newcomer would miss: what may not be seen is a warning and not a failure.  Whoever asks may simply be
somebody who has no business with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from periodicbuild.cli.tables import Cell, Mood, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from periodicbuild.kube.errors import ForbiddenError


class State(StrEnum):
    """How it stands; the words do without colours."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"


_MOODS: Final = {State.OK: Mood.GOOD, State.WARNING: Mood.UNSURE, State.FAILED: Mood.BAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the checklist."""

    check: str
    state: State
    saw: str
    """What was seen."""
    remedy: str = ""
    """What helps; empty if it is ok."""


def ok(check: str, saw: str) -> Finding:
    """Find that all is well."""
    return Finding(check=check, state=State.OK, saw=saw)


def warning(check: str, saw: str, remedy: str) -> Finding:
    """Find something that one should know."""
    return Finding(check=check, state=State.WARNING, saw=saw, remedy=remedy)


def failed(check: str, saw: str, remedy: str) -> Finding:
    """Find something that does not work."""
    return Finding(check=check, state=State.FAILED, saw=saw, remedy=remedy)


def unseen(check: str, error: ForbiddenError) -> Finding:
    """Find that whoever asks may not see it."""
    right = f"{error.verb} {error.ref.partition(' ')[0]}"
    return warning(check, f"you may not {right}, so this cannot be seen", "ask somebody who may to run this")


def named(names: Sequence[str], most: int = 3) -> str:
    """Name the first few."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def findings_table(findings: Iterable[Finding]) -> Table:
    """Give a line each: what was seen, and what helps."""
    rows = (
        (Cell(one.check), Cell(one.state, _MOODS[one.state]), Cell(": ".join(filter(None, (one.saw, one.remedy)))))
        for one in findings
    )
    return Table(columns=("CHECK", "STATE", "WHAT WAS SEEN, AND WHAT HELPS"), rows=tuple(rows))


def findings_document(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Give the same for programs."""
    return [{"check": one.check, "state": one.state.value, "saw": one.saw, "remedy": one.remedy} for one in findings]
