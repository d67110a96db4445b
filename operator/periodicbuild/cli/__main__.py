"""Start the plug-in: `kubectl periodicbuild`, or `python -m periodicbuild.cli`.

The one idea a newcomer would miss: whatever goes wrong ends here as one sentence on stderr and an exit code.
"""

from __future__ import annotations

import logging
import sys
import warnings
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from periodicbuild.cli.errors import ExitCode, exit_code_of, sentence_of
from periodicbuild.cli.root import PROGRAM, root
from periodicbuild.cli.tables import one_line
from periodicbuild.kube.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command line of this process."""
    warnings.simplefilter("ignore")  # nobody but us writes to stderr
    logging.disable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no character of the cluster's is too much for a terminal
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line, and give its exit code."""
    try:
        return root.main(arguments, prog_name=PROGRAM, standalone_mode=False) or ExitCode.FINE
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        return _end(_usage(error), ExitCode.BAD_INPUT)
    except OperatorError as error:
        return _end(sentence_of(error), exit_code_of(error))
    except click.Abort:
        return ExitCode.INTERRUPTED


def _usage(error: click.ClickException) -> str:
    """Say what was typed wrong and where the right way is written."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else PROGRAM
    return f"{error.format_message().rstrip('.')}; see {path} --help"


def _end(sentence: str, code: ExitCode) -> ExitCode:
    click.echo(f"error: {one_line(sentence)}", err=True)
    return code


if __name__ == "__main__":
    main()
