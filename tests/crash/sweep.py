"""All points at which the operator can be killed, some side by side.

The one idea a newcomer would miss: a point is the n-th write of *that* play, whatever it is.  What the undisturbed play
wrote tells how many there are, and, afterwards, whether each write was met on both of its sides: of two at one time
either may be the first.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.cluster.console import say
from tests.crash.arena import OfKind, Point, kind_of
from tests.crash.comparison import compare
from tests.faults.effects import When

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.crash.arena import Arena, Outcome
    from tests.crash.comparison import Findings

SIDE_BY_SIDE: Final = 8
"""Most of a play is waiting."""
TELL_EVERY: Final = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One play with a kill, and what is wrong with it."""

    outcome: Outcome
    findings: Findings

    def __str__(self) -> str:
        """Tell it in one line, and a line for each finding."""
        lines = [f"killed {self.outcome.point}: {self.outcome.struck}"]
        return "\n".join([*lines, *(f"    {sentence}" for sentence in self.findings.sentences())])


@dataclass(frozen=True, slots=True)
class Sweep:
    """All plays."""

    calm: Outcome
    plays: tuple[Judged, ...]

    @property
    def struck(self) -> list[Judged]:
        """Give those in which the operator was really killed."""
        return [one for one in self.plays if one.outcome.struck]

    @property
    def missed(self) -> list[tuple[When, str]]:
        """Name the writes that were not met on both sides, and the side."""
        met = {(one.outcome.point.when, one.outcome.struck) for one in self.struck if one.outcome.point is not None}
        return [(when, write) for write in dict.fromkeys(self.calm.writes) for when in When if (when, write) not in met]

    @property
    def points_left(self) -> list[Point]:
        """Give points that meet what was missed: by its kind, and not by its number."""
        return [Point(when, *_nth_of_kind(self.calm, write)) for when, write in self.missed]


def all_points(calm: Outcome) -> list[Point]:
    """Give both sides of every write that an undisturbed play makes."""
    return [Point(when, nth) for nth in range(1, len(calm.writes) + 1) for when in When]


def _nth_of_kind(calm: Outcome, write: str) -> tuple[int, OfKind]:
    until_then = [kind_of(one) for one in calm.writes[: calm.writes.index(write) + 1]]
    return until_then.count(until_then[-1]), OfKind(kind=until_then[-1])


def undisturbed(arena: Arena) -> Outcome:
    """Play without a kill; raises RuntimeError if even that does not end as it should."""
    calm = arena.play()
    if calm.complaints:
        raise RuntimeError("; ".join(calm.complaints))
    return calm


def sweep_all(arena: Arena, calm: Outcome) -> Sweep:
    """Play once for each point, and once more for what was not met, as two writes had changed places."""
    done = sweep(arena, calm, all_points(calm))
    return Sweep(calm, done.plays + sweep(arena, calm, done.points_left).plays)


def sweep(arena: Arena, calm: Outcome, points: Sequence[Point]) -> Sweep:
    """Play once for each point."""
    plays: list[Judged] = []
    for judged in _judged(arena, calm, points):
        plays.append(judged)
        if not judged.findings.is_clean:
            say(str(judged))
        if len(plays) % TELL_EVERY == 0:
            say(f"{len(plays)} of {len(points)} points; {sum(one.findings.is_clean for one in plays)} as undisturbed.")
    return Sweep(calm, tuple(plays))


def _judged(arena: Arena, calm: Outcome, points: Sequence[Point]) -> Iterator[Judged]:
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    futures = [pool.submit(arena.play, point, until=calm.state) for point in points]
    try:
        for future in as_completed(futures):
            outcome = future.result()
            yield Judged(outcome, compare(calm, outcome))
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C those that play still end, and no other begins
