"""The end of the demo: the ledgers, the promise they keep, and where to look next."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from tests.demo.observation import Attempt, Build, Observation
from tests.demo.spawn import Effect, effect_in_words
from tests.demo.words import NOTHING, clock, coloured, outcome, sum_of

HEADING = "bold cyan"

LOOK_NEXT = (
    ("the builds, their next slots and last results", "kubectl -n demo get periodicbuilds"),
    ("one attempt each, with class and reason of failures", "kubectl -n demo get appservers -o wide"),
    ("conditions, ledger and Events of one build", "kubectl -n demo describe periodicbuild third-time-lucky"),
    ("the real pods behind them", "kubectl -n demo get pods"),
    ("what the operator said, in order", "kubectl -n demo events"),
    ("run one now", "kubectl -n demo annotate periodicbuild always-fails periodicbuild.dev/run-now=$(date +%s)"),
    ("turn one on", """kubectl -n demo patch periodicbuild switched-off --type=merge -p '{"spec":{"enabled":true}}'"""),
    ("what every field means", "kubectl explain periodicbuild.spec"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is known when the story is over."""

    seen: Observation
    attempts: tuple[Attempt, ...]
    """All there ever were, also those whose records are gone since."""
    effect: Effect | None
    """None: the run by hand was never taken up."""
    unaccounted: float
    """Slots that the operator's independent recount misses."""

    @property
    def is_good(self) -> bool:
        """Tell whether everything came as it was told."""
        return self.effect is not None and self.unaccounted == 0


def closing(ending: Ending) -> RenderableType:
    """Draw the ledgers and what they promise."""
    parts: list[RenderableType] = [Text("\nThe ledgers: what became of every slot", style=HEADING)]
    for build in ending.seen.builds:
        parts += ["", ledger_title(build), ledger_table(build, ending.attempts) if build.ledger else NO_ENTRIES]
    return Group(*parts, "", *_promise(ending.unaccounted), *_by_hand(ending.effect))


NO_ENTRIES = Text("   Nothing was due, so there is nothing to account for.", style="dim")


def ledger_title(build: Build) -> Text:
    """Draw the name of a build and the sum of its ledger."""
    detail = sum_of(build.slots, one_waits=bool(build.waits_for))
    schedule = f"  {build.schedule}{'' if build.enabled else ', switched off'}"
    return Text.assemble((build.name, "bold"), (f"{schedule}   {detail}", "dim"))


def ledger_table(build: Build, attempts: tuple[Attempt, ...]) -> Table:
    """Draw a ledger, oldest entry first, and how many attempts each run took, if that was seen."""
    took = Counter(attempt.run for attempt in attempts if attempt.build == build.name)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2), show_edge=False, header_style="dim")
    for column in ("slot", "decision", "reason", "run", "attempts", "outcome"):
        table.add_column(column, no_wrap=True)
    for fate in reversed(build.ledger):
        slots = clock(fate.slot) if fate.count == 1 else f"{clock(fate.slot)} and {fate.count - 1} more"
        tried = str(took[fate.run]) if took[fate.run] else NOTHING
        table.add_row(slots, coloured(fate.decision), fate.reason, fate.run or NOTHING, tried, outcome(fate))
    return table


def _promise(unaccounted: float) -> Iterator[Text]:
    style = "bold green" if unaccounted == 0 else "bold red"
    yield Text.assemble(
        "Every slot has exactly one fate; the API server refuses a status whose sum does not hold.\nSlots that an "
        "independent recount of the schedules cannot account for: ",
        (f"{unaccounted:g}", style),
    )


def _by_hand(effect: Effect | None) -> Iterator[RenderableType]:
    if effect is not None:
        yield ""
        yield effect_in_words(effect)
        yield Text("A run by hand is no slot: it is among the AppServers and Events, not in the ledger.", style="dim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What stays when the demo has ended."""

    kubeconfig: Path
    kubectl: Path
    clean_up: tuple[str, ...]
    """Commands that remove it."""
    operator_ends: bool
    """Whether somebody has to start the operator again."""


def where_to_look_next(kept: Kept | None) -> Text:
    """Give commands to copy, and how to get a cluster to try them on where none stays."""
    text = Text("\n")
    if kept is None:
        text.append("Now everything is removed. To keep it, and look around in it:\n", HEADING)
        text.append("make demo ARGS=--keep\n")
    else:
        text.append("The cluster stays. To look around in it:\n", HEADING).append("\n".join(_first(kept)) + "\n")
    for what, command in LOOK_NEXT:
        text.append(f"\n# {what}\n", "dim").append(command)
    if kept is not None:
        text.append("\n\n# remove everything\n", "dim").append("\n".join(kept.clean_up))
    return text


def _first(kept: Kept) -> Iterator[str]:
    yield f"export KUBECONFIG={shlex.quote(str(kept.kubeconfig))}"
    if shutil.which("kubectl") is None:
        yield f"export PATH={shlex.quote(str(kept.kubectl.parent))}:$PATH"
    if kept.operator_ends:
        yield f"{shlex.quote(sys.executable)} -m periodicbuild run    # in another terminal: it ends with the demo"
