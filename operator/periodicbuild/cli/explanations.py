"""An answer to "why did it not run": one sentence, the facts behind it, and the same for programs.

Must not know which question was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from periodicbuild.cli.chain import check_document, checks_on, checks_table
from periodicbuild.cli.sentences import BLOCKERS, meaning_of
from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import span
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.cli.chain import Check
    from periodicbuild.cli.in_progress import Seen
    from periodicbuild.cli.tables import Fact
    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.status import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What was read from the cluster for one answer."""

    build: PeriodicBuild
    app_servers: tuple[AppServer, ...]
    """Its own, newest first."""
    seen: Seen
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer."""

    answer: str
    facts: tuple[Fact, ...]
    checks: tuple[Check, ...]
    document: dict[str, Any]

    def tables(self) -> tuple[Table, ...]:
        """Give what follows the sentence."""
        rows = tuple((Cell(f"{label}:"), cell) for label, cell in self.facts)
        facts = Table(columns=("", ""), rows=rows)
        return (facts, checks_table(self.checks)) if self.checks else (facts,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A slot that waits, and what its checks saw."""

    waiting: Waiting
    checks: tuple[Check, ...]
    text: str
    remedy: str

    @property
    def sentence(self) -> str:
        """Say what it waits for."""
        return f"{self.waiting.reason}: {self.text}"

    def facts(self, now: datetime) -> tuple[Fact, ...]:
        """Give the lines about it."""
        since = f"{self.waiting.reason}, for {span(now - self.waiting.since_at)}"
        return (
            ("Waits for", Cell(since, Mood.UNSURE)),
            ("It means", Cell(self.text)),
            ("What helps", Cell(self.remedy)),
        )

    def document(self) -> dict[str, Any]:
        """Give it for programs."""
        return {
            "slotTime": instant_text(self.waiting.slot),
            "reason": self.waiting.reason.value,
            "sinceTime": instant_text(self.waiting.since_at),
            "meaning": self.text,
            "remedy": self.remedy,
            "checks": [check_document(one) for one in self.checks],
        }


def wait_of(known: Knowledge) -> Wait | None:
    """Explain the slot that waits, if one does."""
    waiting = known.build.status.waiting
    if waiting is None:
        return None
    meaning = meaning_of(waiting.reason, BLOCKERS, known.build.ref.name)
    checks = checks_on(known.build, waiting, known.seen, known.now)
    return Wait(waiting=waiting, checks=checks, text=waiting.message or meaning.text, remedy=meaning.remedy)
