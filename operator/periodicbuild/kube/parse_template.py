"""Pod templates: equal meaning is equal bytes, and equal bytes are one object in memory.

Must not know pods: a template is any JSON value.

The one idea a newcomer would miss: the API server writes `<`, `>` and `&` as escapes and keeps the order in which keys
were written, so the same template arrives in several spellings.  Only after writing it anew, keys sorted, can bytes be
compared.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from periodicbuild.core.facts import TemplateJson

MOST_SHARED: Final = 8_192
"""Templates that are found again; forgetting one costs memory, never correctness."""

MOST_SPELLINGS: Final = 512
"""Spellings whose normal form is known, for the few watch lines in a row that each run brings."""


def shared_template(text: bytes) -> TemplateJson:
    """Give the one copy of a template in its normal form; what is no JSON stays as it is, for the API to refuse."""
    return _shared(_normal_form(text))


@lru_cache(maxsize=MOST_SPELLINGS)
def _normal_form(text: bytes) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(text), order="sorted")
    except (msgspec.MsgspecError, ValueError):
        return text


@lru_cache(maxsize=MOST_SHARED)
def _shared(normal_form: bytes) -> TemplateJson:
    """Return the first of all equal ones: the cache's key is the value."""
    return TemplateJson(normal_form)
