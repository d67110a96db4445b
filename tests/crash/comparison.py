"""What differs between a play with a kill and the undisturbed one, sorted by how bad it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.crash.states import differences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.crash.arena import Outcome
    from tests.crash.history import Attempt

WARNING = "Warning"
OF_THE_LEDGER = (".slots", ".ledger", ".waiting")
"""Parts of a PeriodicBuild's status that say what became of its slots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Sentences, each about one thing that is not as in the undisturbed play."""

    lost: tuple[str, ...]
    """An attempt that was never made, a letter that nobody got, a step that never came about."""
    doubled: tuple[str, ...]
    """An attempt made twice or for nothing, a fact told under two ids."""
    unaccounted: tuple[str, ...]
    """Ledger or counters tell something else."""
    false_warnings: tuple[str, ...]
    """Warning Events about what was no fault of anybody's."""
    others: tuple[str, ...]
    """Anything else in the end state, and Events of what was told already, or has not been: a fact has one name."""
    untold: tuple[str, ...]
    """Events that nobody wrote: they are hints, and no record depends on them."""

    @property
    def is_clean(self) -> bool:
        """Tell whether there is nothing that must not be."""
        return not (self.lost or self.doubled or self.unaccounted or self.false_warnings or self.others)

    def sentences(self) -> list[str]:
        """Give all that must not be."""
        named = {
            "lost": self.lost,
            "doubled": self.doubled,
            "unaccounted": self.unaccounted,
            "false warning": self.false_warnings,
            "different": self.others,
        }
        return [f"{name}: {sentence}" for name, sentences in named.items() for sentence in sentences]


def compare(calm: Outcome, play: Outcome) -> Findings:
    """Say what is not as in the undisturbed play."""
    different = differences(calm.state, play.state)
    of_the_ledger = [one for one in different if _is_of_the_ledger(one)]
    attempts, expected = _attempts(play), _attempts(calm)
    extra = list((play.events - calm.events).elements())
    return Findings(
        lost=tuple(
            [*play.complaints, *sorted(expected - attempts), *sorted(calm.letters.keys() - play.letters.keys())]
        ),
        doubled=tuple(
            [
                *play.history.doubled,
                *sorted(attempts - expected),
                *sorted(play.letters.keys() - calm.letters.keys()),
                *(f"{fact} has {len(ids)} ids" for fact, ids in play.letters.items() if len(ids) > 1),
            ]
        ),
        unaccounted=tuple([*of_the_ledger, *_sums_that_are_wrong(play)]),
        false_warnings=tuple(_named(one for one in extra if one[0] == WARNING)),
        others=tuple(
            [
                *(one for one in different if one not in of_the_ledger),
                *(f"an Event too many: {name}" for name in _named(one for one in extra if one[0] != WARNING)),
            ]
        ),
        untold=tuple(_named((calm.events - play.events).elements())),
    )


def _is_of_the_ledger(difference: str) -> bool:
    return difference.startswith("PeriodicBuild") and any(
        part in difference.partition(":")[0] for part in OF_THE_LEDGER
    )


def _attempts(outcome: Outcome) -> set[str]:
    made: Counter[Attempt] = outcome.history.app_servers
    return {outcome.slots.numbered_name(attempt.name) for attempt in made}


def _sums_that_are_wrong(play: Outcome) -> list[str]:
    """R12: due = started + skipped + missed + waiting."""
    wrong = []
    for what, document in play.state.items():
        slots = document.get("slots") if what.startswith("PeriodicBuild") else None
        if slots is not None:
            decided = slots["started"] + slots["skipped"] + slots["missed"] + bool(document.get("waiting"))
            if slots["due"] != decided:
                wrong.append(f"{what}: {slots}")
    return wrong


def _named(events: Iterable[tuple[str, str, str]]) -> list[str]:
    return [f"{reason} of {name}" for _, reason, name in sorted(events)]
