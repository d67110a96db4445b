"""How far a long command has come: one line on stderr, for whoever looks at a terminal, and gone in the end.

Must not know what takes so long.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import click

from periodicbuild.cli.times import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

SHOWN_EVERY: Final = 100
"""Items between two lines: often enough to be seen to move."""
SHOWN_AFTER_SECONDS: Final = 1.0
"""What is over sooner needs no word."""

_START_OF_LINE: Final = "\r\x1b[K"
"""Also removes what was there."""


def counted(items: Iterable[T], what: str) -> Iterator[T]:
    """Pass items on, and count them aloud."""
    is_shown = sys.stderr.isatty()
    try:
        for number, item in enumerate(items):
            if is_shown and number and number % SHOWN_EVERY == 0:
                _show(f"{number} {what}")
            yield item
    finally:
        if is_shown:
            _show("")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say once a second for how long something has been going on."""
    if not sys.stderr.isatty():
        yield
        return
    is_over = threading.Event()
    teller = threading.Thread(target=_tell, args=(what, is_over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()
        _show("")


def _tell(what: str, is_over: threading.Event) -> None:
    begin = time.monotonic()
    while not is_over.wait(SHOWN_AFTER_SECONDS):
        _show(f"{what}: {span(timedelta(seconds=time.monotonic() - begin))} so far")


def _show(text: str) -> None:
    click.echo(f"{_START_OF_LINE}{text}", nl=False, err=True)
