"""The command line as a whole: it finds commands, and knows none.

The one idea a newcomer would miss: a command's module is loaded when it is called, or when help has to list them all,
so that completion answers before a person grows impatient.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

import click

from periodicbuild.cli import commands
from periodicbuild.cli.errors import EXIT_CODES

PROGRAM: Final = "kubectl periodicbuild"


class Commands(click.Group):
    """The modules of `commands/`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name them as they are typed."""
        return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one; None if there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - what the package's docstring asks of a module
        return command

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        """List the exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code.value), meaning) for code, meaning in EXIT_CODES.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def root() -> None:
    """See and steer PeriodicBuilds: what is due, what runs, what failed and why."""
