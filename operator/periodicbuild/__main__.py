"""Start the operator: `python -m periodicbuild run`."""

from __future__ import annotations

import asyncio
import logging
import sys

from periodicbuild.kube.errors import OperatorError
from periodicbuild.wiring.application import run
from periodicbuild.wiring.logs import configure_logs
from periodicbuild.wiring.settings import parse_settings

CANNOT_START = 1
"""Exit code: a login that fails, an API that refuses, an address that is taken."""


def main() -> None:
    """Run the command line."""
    settings = parse_settings(sys.argv[1:])
    configure_logs(settings.log_level, settings.log_format)
    try:
        asyncio.run(run(settings))
    except (OperatorError, OSError) as error:
        logging.getLogger("periodicbuild").error("cannot start", extra={"error": str(error)})
        sys.exit(CANNOT_START)


if __name__ == "__main__":
    main()
