"""What is said while nothing but the schedules acts: one thing to watch at a time."""

from __future__ import annotations

LAST_CHAPTER = 0.75
"""The part of the story at which the last words begin; those about the run by hand come before."""

CHAPTERS = (
    (
        0.0,
        "Five PeriodicBuilds were just applied. A new, enabled one has its first slot at once, so four builds start "
        "together; the fifth is switched off, and nothing is due. Each attempt is an AppServer (the record) with a pod "
        "(the work).",
    ),
    (
        0.12,
        "What fails is tried again, each time from scratch, after a delay that doubles: watch third-time-lucky. "
        "always-fails may try twice; then its run has failed, and that is told once, with class, reason and exit code.",
    ),
    (
        0.28,
        "An interval counts from start to start, so how long a build takes does not move the next slot. stays-up is a "
        "server: when a new one has been built and is Ready, the one before it is Terminated.",
    ),
    (
        LAST_CHAPTER,
        "Every slot that came due has exactly one fate: started, skipped or missed. The API server itself refuses a "
        "status in which the sum does not hold. The ledgers, slot by slot, follow in a moment.",
    ),
)
"""From which part of the story on which words are shown."""


def chapter(part: float) -> str:
    """Return the words of a part of the story: 0 is its beginning, 1 its end."""
    return [words for begins, words in CHAPTERS if part >= begins][-1]
