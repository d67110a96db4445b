"""The operator with a steady clock that hurries: what takes it minutes of patience takes seconds.

Usage: python -m tests.integration.hasty_operator run --kubeconfig=FILE ...
"""

from __future__ import annotations

import asyncio
import sys
import time

from periodicbuild.wiring.application import run
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.logs import configure_logs
from periodicbuild.wiring.settings import parse_settings

TIMES = 20
"""Two minutes in six seconds, and no time-out of an attempt in a test."""


def main() -> None:
    """Run until SIGTERM."""
    settings = parse_settings(sys.argv[1:])
    configure_logs(settings.log_level, settings.log_format)
    asyncio.run(run(settings, Clock(monotonic=lambda: TIMES * time.monotonic())))


if __name__ == "__main__":
    main()
