"""Follow the pages without publishing anything: `python -m tests.newcomer [--warm]`."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.newcomer.walk import follow_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""As a shell counts what Ctrl-C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Follow them, and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m tests.newcomer", description="Follow the pages word by word.")
    parser.add_argument("--warm", action="store_true", help="with the programs of Kubernetes that were built here")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    try:
        times = follow_pages(warm=options.warm)
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; nothing of the machine is left.")
        return INTERRUPTED
    say(f"First success after {times.first_success:.0f} s, the demo's end after {times.demo:.0f} s.")
    say(f"First success after `helm install`: {times.installed_success:.0f} s.")
    return 0


def _end(*_: object) -> NoReturn:
    """Leave by the way of Ctrl-C, on which the machine is removed."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
