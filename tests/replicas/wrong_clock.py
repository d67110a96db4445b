"""The operator with a wall clock that is an hour off; ahead, or behind with `OFF_BY_SECONDS=-3600`.

Usage: python -m tests.replicas.wrong_clock run --kubeconfig=FILE ...
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Final

from periodicbuild.wiring.application import run
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.logs import configure_logs
from periodicbuild.wiring.settings import parse_settings

VARIABLE: Final = "OFF_BY_SECONDS"
AN_HOUR: Final = 3600


def main() -> None:
    """Run until SIGTERM."""
    settings = parse_settings(sys.argv[1:])
    configure_logs(settings.log_level, settings.log_format)
    off_by = timedelta(seconds=int(os.environ.get(VARIABLE, AN_HOUR)))
    asyncio.run(run(settings, Clock(wall=lambda: datetime.now(UTC) + off_by)))


if __name__ == "__main__":
    main()
