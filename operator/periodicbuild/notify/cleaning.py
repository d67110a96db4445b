"""Other people's text, made fit to be sent: messages of builds and servers, names, log lines.

The one idea a newcomer would miss: a lone surrogate is a valid `str` and cannot be encoded, so it would stop a letter
when it is sent; here it becomes a question mark.  After this no character takes more than four bytes in JSON, so a
bound of characters is one of bytes.
"""

from __future__ import annotations

from periodicbuild.core.messages import ELLIPSIS
from periodicbuild.core.redaction import printable, tail_of


def many_lines(text: str) -> str:
    """Take out what cannot be seen or encoded; tabs and line breaks stay."""
    return printable(text.encode("utf-8", "replace"))


def one_line(text: str) -> str:
    """Do the same, and join the lines; every stretch of white space is one space."""
    return " ".join(many_lines(text).split())


def cut(text: str, longest: int) -> str:
    """Cut to so many characters, and show that it was cut."""
    return text if len(text) <= longest else text[: longest - len(ELLIPSIS)] + ELLIPSIS


def bounded(text: str, characters: int) -> str:
    """Clean a text, and keep its beginning."""
    return cut(many_lines(text), characters)


def ending(text: str, *, lines: int, characters: int) -> str:
    """Clean a text, and keep its end, in whole lines as far as the last one fits at all."""
    return tail_of(many_lines(text), lines=lines, characters=characters)
