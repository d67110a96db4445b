"""Sentences that fit into the API.

The one idea a newcomer would miss: a message is cut before it is compared with what was written.  A longer one would
never be equal to its stored, cut self, and would be written for ever.
"""

from __future__ import annotations

LONGEST_MESSAGE = 1024
"""Characters of a message in status, as the CRDs bound it."""
ELLIPSIS = "..."


def cut_message(message: str) -> str:
    """Cut a sentence to what a status may hold; cutting again changes nothing."""
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - len(ELLIPSIS)] + ELLIPSIS
