"""What a build has printed, made fit to be shown: secrets out, and nothing that a terminal would obey (R24).

The one idea a newcomer would miss: this is the second net.  The first is that builds read secrets from mounted files
and do not print them; what is taken out here is what looks like a secret, whatever it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

REDACTED: Final = "[redacted]"
SHORTEST_SECRET: Final = 6
"""Characters; a shorter value would take half of the text with it."""

_SECRET_NAME: Final = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization"
    r"|(?:^|[_.-])(?:pwd|pass)(?:$|[_.-])",
    re.IGNORECASE,
)
"""What a name looks like whose value is a secret."""

_PEM: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)|\A[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]+-----",
    re.DOTALL,
)
"""A block, one whose end was cut off, and one whose begin was."""
_CREDENTIALS_OF_URL: Final = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
_ASSIGNMENT: Final = re.compile(r"(?<![\w.-])(?P<name>[\w.-]+)[\"']?[ \t]*(?:=>|:=|=|:)[ \t]*", re.ASCII)
"""`name=`, `name: `, `"name": `; what follows is looked at only if the name is one of a secret."""
_VALUE: Final = re.compile(
    r"\"[^\"\n]*\"?|'[^'\n]*'?|(?:(?:bearer|basic|digest|token)[ \t]+)?[^\s,;&\"')\]}]+", re.IGNORECASE
)
_OPTION: Final = re.compile(r"(?<!\S)(?P<option>--?(?P<name>[\w.-]+)[ \t]+)[^\s-]\S*", re.ASCII)
"""`--name value` of a command line."""
_SCHEME: Final = re.compile(
    r"\b(bearer|basic|digest)([ \t]+)(?=[^\s\"']*[0-9+/=._~-])[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE
)
"""Credentials of HTTP, wherever they stand; a word without a digit or a sign is none."""
_SHAPES: Final = re.compile(
    r"\b(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{20,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{30,}|dckr_pat_[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r")"
)
"""Tokens that say by their shape whose they are: forges, clouds, chats, registries, and JSON Web Tokens."""

_ESCAPES: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]", re.MULTILINE
)
"""What a terminal obeys: colours, cursor, titles (ECMA-48)."""
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Everything else that is not seen: controls but for tab and newline, and what turns the direction of writing."""


def is_secret_name(name: str) -> bool:
    """Tell whether the value of a variable or a key of that name is kept from everyone."""
    return _SECRET_NAME.search(name) is not None


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Take out the secrets that are known, and everything that looks like one."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, REDACTED).replace(quote(secret, safe=""), REDACTED)
    text = _CREDENTIALS_OF_URL.sub(REDACTED, _PEM.sub(REDACTED, text))
    text = _OPTION.sub(_without_value, _without_assigned(text))
    return _SHAPES.sub(REDACTED, _SCHEME.sub(rf"\1\2{REDACTED}", text))


def _without_assigned(text: str) -> str:
    parts, position = [], 0
    for found in _ASSIGNMENT.finditer(text):
        value = _VALUE.match(text, found.end()) if is_secret_name(found["name"]) else None
        if value is not None and found.start() >= position and not text.startswith(REDACTED, found.end()):
            parts += [text[position : found.end()], REDACTED]
            position = value.end()
    return "".join([*parts, text[position:]])


def _without_value(option: re.Match[str]) -> str:
    return option["option"] + REDACTED if is_secret_name(option["name"]) else option[0]


def printable(raw: bytes) -> str:
    """Decode what a program has printed; of a line that was written over, what was there last is left."""
    text = _ESCAPES.sub("", raw.decode("utf-8", "replace"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(_CONTROLS.sub("", line).rstrip() for line in lines)


def tail_of(text: str, *, lines: int, characters: int) -> str:
    """Return the end of a text, in whole lines as far as the last one fits at all."""
    tail = "\n".join(text.strip("\n").split("\n")[-lines:])
    if len(tail) <= characters:
        return tail
    tail = tail[-characters:]
    return tail.partition("\n")[2] or tail
