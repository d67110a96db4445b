"""Completion: kubectl calls `kubectl_complete-periodicbuild` with the words typed so far, the last one unfinished.

Must not know commands: click says what may come next.

The one idea a newcomer would miss: this is the protocol of Cobra, the library under kubectl.  A candidate per line, a
tab before its description, and in the last line a number of bits that tell the shell what to do.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import ShellComplete

from periodicbuild.cli.root import PROGRAM, root

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_FILES: Final = ":4"
"""ShellCompDirectiveNoFileComp: nothing but the candidates."""

FILES: Final = ":0"
"""ShellCompDirectiveDefault: the shell offers files where there is no candidate."""

PATHS: Final = ("file", "dir")
"""How click marks what the shell must complete."""


def main() -> None:
    """Print what may come next; a person who types is never shown an error."""
    for line in completions(sys.argv[1:]):
        click.echo(line)


def completions(words: Sequence[str]) -> list[str]:
    """Give the lines for kubectl; the last of the words is the one being typed."""
    *typed, unfinished = words or ("",)
    try:
        found = ShellComplete(root, {}, PROGRAM, "").get_completions(typed, unfinished)
    except click.ClickException:
        return [NO_FILES]
    if any(item.type in PATHS for item in found):
        return [FILES]
    return [*("\t".join(filter(None, (str(item.value), item.help))) for item in found), NO_FILES]


if __name__ == "__main__":
    main()
