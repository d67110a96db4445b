"""What a page tells its reader to have and to type, word by word.

It must not know what the commands are: a page that changes changes what is typed, and one that cannot be followed is
an error that names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.cluster.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

PROMPT: Final = "$ "
BLOCK: Final = re.compile(r"^(?P<margin> *)```console\n(?P<text>.*?)^(?P=margin)```", re.MULTILINE | re.DOTALL)
ROW: Final = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
"""A row of a table whose first cell is something to type."""
INLINE: Final = re.compile(r"`(make [^`]+)`")
NEEDED: Final = re.compile(r"complete\s+on\s+a\s+fresh\s+machine\s+with\s+([^;,]+)[;,]")
PLACEHOLDER: Final = re.compile(r"\bNAME\b")
CONTINUED: Final = re.compile(r" *\\\n *")
"""Where one command goes on in the next line."""
FILE_APPLIED: Final = re.compile(r"kubectl apply -f (\S+)")
NAME: Final = re.compile(r"^  name: (\S+)$", re.MULTILINE)


class PageError(ClusterError):
    """A page lacks something, or says what does not work; the sentence names page and command."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page, as its reader sees it."""

    page: str
    """As in a sentence: README.md."""
    heading: str
    text: str

    @classmethod
    def of(cls, checkout: Path, page: str, heading: str) -> Section:
        """Find it; raises PageError where there is none."""
        text = (checkout / page).read_text()
        _, found, rest = text.partition(f"\n## {heading}\n")
        if not found:
            raise PageError(f"{page} has no section {heading!r} any more.")
        return cls(page, heading, rest.partition("\n## ")[0])

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Give what the machine has to have beforehand, in the page's words."""
        return tuple(re.split(r",\s*|\s+and\s+", self._the(NEEDED, "what a fresh machine has to have")))

    @property
    def first_of_table(self) -> str:
        """Give the command in the first row of its table."""
        return self._the(ROW, "a table of commands")

    @property
    def mentioned(self) -> str:
        """Give the first `make` command in its sentences."""
        return self._the(INLINE, "a make command")

    @property
    def typed(self) -> tuple[str, ...]:
        """Give the commands in its blocks; where a block has prompts, the other lines are answers."""
        commands = [command for block in BLOCK.finditer(self.text) for command in _commands(block["text"])]
        if not commands:
            raise PageError(f"{self._name} has no command in it.")
        return tuple(commands)

    def _the(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.search(self.text)
        if found is None:
            raise PageError(f"{self._name} does not say {what} where {pattern.pattern!r} would find it.")
        return found.group(1)

    @property
    def _name(self) -> str:
        return f"{self.page}, section {self.heading!r},"


def _commands(block: str) -> list[str]:
    lines = [line.strip() for line in CONTINUED.sub(" ", block).splitlines() if line.strip()]
    prompted = [line.removeprefix(PROMPT) for line in lines if line.startswith(PROMPT)]
    return prompted or lines


def named(commands: tuple[str, ...], checkout: Path) -> tuple[str, ...]:
    """Put the name of what is applied into the place of NAME, as a reader would."""
    applied = [found.group(1) for command in commands if (found := FILE_APPLIED.search(command))]
    names = [name for file in applied for name in NAME.findall((checkout / file).read_text())]
    if not names and any(map(PLACEHOLDER.search, commands)):
        raise PageError(f"{commands} asks for a NAME, and nothing that has one is applied before.")
    return tuple(PLACEHOLDER.sub(names[0], command) if names else command for command in commands)
