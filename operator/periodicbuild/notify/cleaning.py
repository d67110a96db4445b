"""Other people's text, made fit for a mail: messages of builds and servers, names, log lines.

The one idea a newcomer would miss: a lone surrogate is a valid `str` and cannot be encoded, so it would stop a letter
when it is sent; here it becomes a question mark.
"""

from __future__ import annotations

from periodicbuild.core.messages import ELLIPSIS
from periodicbuild.core.redaction import printable


def many_lines(text: str) -> str:
    """Take out what cannot be seen or encoded; tabs and line breaks stay."""
    return printable(text.encode("utf-8", "replace"))


def one_line(text: str) -> str:
    """Do the same, and join the lines; every stretch of white space is one space."""
    return " ".join(many_lines(text).split())


def cut(text: str, longest: int) -> str:
    """Cut to so many characters, and show that it was cut."""
    return text if len(text) <= longest else text[: longest - len(ELLIPSIS)] + ELLIPSIS
