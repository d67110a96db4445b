"""What the cluster says to the person who waits for it: on standard error, so that standard output stays data."""

from __future__ import annotations

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
"""One console for all, so that a progress bar and a sentence do not overwrite each other."""


def say(sentence: str) -> None:
    """Tell the person something."""
    console.print(sentence)
