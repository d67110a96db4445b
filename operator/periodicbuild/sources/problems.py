"""Why a revision could not be found out: a sentence for a person, without secrets and without words of the other side.

Must not know what is done about it.
"""

from __future__ import annotations

from typing import Final

LONGEST: Final = 250
"""Characters of a sentence: status holds a few more."""


class SourceError(Exception):
    """There is no revision; its text is the sentence that status, Event and mail show."""

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        """`retry_after`: seconds for which the other side asks not to be asked again."""
        super().__init__("".join(one if one.isprintable() else "?" for one in sentence[:LONGEST]))
        self.retry_after = retry_after
