"""`explain-interval`: how the operator reads a text in `spec.schedule.interval.every`.  Needs no cluster."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click

from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import BadInputError
from periodicbuild.cli.options import output_option
from periodicbuild.core.durations import DurationError, format_duration
from periodicbuild.core.intervals import parse_interval

LETS_MINUS_PASS: Final = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""`-1h` is a text with a mistake worth explaining, and no option."""


@click.command("explain-interval", context_settings=LETS_MINUS_PASS)
@click.argument("text")
@output_option(Format.JSON, Format.YAML)
def command(*, text: str, output: Format | None) -> None:
    """Say how long an interval is.

    TEXT is in any notation that spec.schedule.interval.every takes, as in "1 00:00:00".
    """
    try:
        interval = parse_interval(text)
    except DurationError as error:
        raise BadInputError(str(error)) from error
    seconds, normal = interval // timedelta(seconds=1), format_duration(interval)
    if output is None:
        click.echo(f"{text!r} is every {normal} ({seconds} seconds), start to start")
    else:
        print_document({"seconds": seconds, "normal": normal}, output)
