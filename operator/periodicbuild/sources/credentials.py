"""Credentials of hosts: one file per host in a mounted folder, read anew for each lookup, since Secrets rotate.

Must not know what they are good for.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from periodicbuild.sources.problems import SourceError

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_FILE: Final = 8_192
"""Bytes; a token is shorter."""

_FILE_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
"""What a key of a Secret can hold of a host: so a host can never name another folder."""


def basic_authorization(folder: Path | None, host: str) -> str | None:
    """Return the header for a host, None if there is no file for it; raises SourceError."""
    if folder is None or not _FILE_NAME.fullmatch(host):
        return None
    file = folder / host
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST_FILE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"the credentials of {host} cannot be read: {error.strerror}") from None
    text = content.strip()
    if len(content) > LONGEST_FILE or b":" not in text or any(byte < ord(" ") for byte in text):
        raise SourceError(f"the credentials of {host} are not one line like username:password")
    return f"Basic {base64.b64encode(text).decode()}"
