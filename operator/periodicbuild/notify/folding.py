"""How the headers of a letter are broken into lines.

Must not know which headers there are, but for those that must stay in one piece.

The one idea a newcomer would miss: the standard library encodes what is too long for a line and has no space to break
at.  In a subject mail programs decode that; in an id none does, and the thread falls apart as soon as the domain has
more than 23 letters.
"""

from __future__ import annotations

from email.policy import EmailPolicy
from typing import Final

UNBROKEN: Final = ("message-id", "in-reply-to", "references", "list-id", "x-periodicbuild-")
"""How the names of headers begin whose value is one word of ASCII; a line may have 998 octets (RFC 5322, 2.1.1)."""


class LetterPolicy(EmailPolicy):
    """Lines end as SMTP wants it, and ids are never broken."""

    def fold(self, name: str, value: str) -> str:
        """Write a header as text."""
        return f"{name}: {value}{self.linesep}" if name.lower().startswith(UNBROKEN) else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """Write a header as it is sent."""
        if name.lower().startswith(UNBROKEN):
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


LETTER_POLICY: Final = LetterPolicy(linesep="\r\n", cte_type="7bit")
"""Seven bits are what every server carries, whatever it offers."""
