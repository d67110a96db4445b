"""Survivors and why they may live: `survivors.toml` lists them by what they change, which edits elsewhere do not touch.

The one idea a newcomer would miss: mutmut numbers its changes, and every edit of a function numbers them anew.  What is
compared here is the function and the lines taken out and put in.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LIST = Path(__file__).with_name("survivors.toml")
NAME = re.compile(r"periodicbuild\.core\.(?P<module>\w+)\.x(?:_|ǁ(?P<kind>\w+)ǁ)(?P<function>\w+)__mutmut_\d+")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the core: what was taken out of a function, and what was put in."""

    function: str
    """`module.function`, or `module.Class.method`."""
    removed: str
    added: str

    @classmethod
    def of(cls, name: str, diff: str) -> Change:
        """Read mutmut's name and unified diff of a change; raises ValueError for a name that is none."""
        found = NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"{name!r} is not a name that mutmut gives to a change of the core")
        parts = (found["module"], found["kind"], found["function"])
        return cls(".".join(part for part in parts if part), _lines(diff, "-"), _lines(diff, "+"))

    def __str__(self) -> str:
        """Give it as a person reads it."""
        return f"{self.function}: `{self.removed}` -> `{self.added}`"


def _lines(diff: str, sign: str) -> str:
    marked = [line for line in diff.splitlines() if line.startswith(sign) and not line.startswith(sign * 3)]
    return "\n".join(line[1:].strip() for line in marked)


def known_survivors(file: Path = LIST) -> dict[Change, str]:
    """Read the list: why each change may live."""
    entries = tomllib.loads(file.read_text("utf-8"))["survivor"]
    return {Change(one["function"], one["removed"], one["added"]): one["reason"] for one in entries}


def unexplained(survivors: Iterable[Change], known: Iterable[Change]) -> Sequence[Change]:
    """Give the survivors that the list does not know, in the order of their functions."""
    listed = set(known)
    return sorted((one for one in survivors if one not in listed), key=str)
