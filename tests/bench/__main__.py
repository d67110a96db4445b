"""The command line: `python -m tests.bench [NAME ...] [--strict]`; without a name all measurements."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from tests.bench.alerting import measure_alerting
from tests.bench.cancel import measure_cancel
from tests.bench.crash import measure_crash
from tests.bench.crowd import measure_crowd
from tests.bench.figures import measured, publish, read_figures
from tests.bench.gate import measure_gate
from tests.bench.herd import measure_herd
from tests.bench.idle import measure_idle
from tests.bench.image import measure_image
from tests.bench.mail_kills import measure_mail_kills
from tests.bench.mail_storm import measure_mail_storm
from tests.bench.mutation import measure_mutation
from tests.bench.outages import measure_outages
from tests.bench.planner_cost import measure_planner
from tests.bench.readme import measure_readme
from tests.bench.replicas import measure_replicas
from tests.bench.requests_per_run import measure_requests
from tests.bench.secrets import measure_secrets
from tests.bench.simulated import measure_simulation
from tests.bench.soak import measure_soak
from tests.bench.sources import measure_sources
from tests.bench.switch_over import measure_switch_over
from tests.bench.tables import PAGES, render_page, screen_table
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.mutation.run import MutationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.figures import Figure

MEASUREMENTS: Mapping[str, Callable[[], dict[str, float]]] = {
    "herd": measure_herd,
    "requests": measure_requests,
    "idle": measure_idle,
    "crowd": measure_crowd,
    "planner": measure_planner,
    "simulated": measure_simulation,
    "switch-over": measure_switch_over,
    "mutation": measure_mutation,
    "cancel": measure_cancel,
    "secrets": measure_secrets,
    "crash": measure_crash,
    "mail-kills": measure_mail_kills,
    "mail-storm": measure_mail_storm,
    "replicas": measure_replicas,
    "outages": measure_outages,
    "alerting": measure_alerting,
    "image": measure_image,
    "sources": measure_sources,
    "soak": measure_soak,
    "gate": measure_gate,
    "readme": measure_readme,
}
NAMES = f"{', '.join(MEASUREMENTS)}; none = all"
FAILED = 1
INTERRUPTED = 130
"""As a shell counts what Ctrl-C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, publish and print; return the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    figures: list[Figure] = []
    try:
        for name in options.measurements:
            figures += _measure(name)
    except (ClusterError, MutationError, TimeoutError) as error:
        say(f"error: {error}")
        return FAILED
    except KeyboardInterrupt:
        say("Interrupted; what was measured to its end is published.")
        return INTERRUPTED
    Console().print(screen_table(figures))
    return FAILED if options.strict and not all(figure.is_met for figure in figures) else 0


def _measure(name: str) -> list[Figure]:
    """Measure one thing, and publish it at once: the next may fail."""
    figures = measured(MEASUREMENTS[name]())
    publish(figures)
    for page in PAGES:
        page.write_text(render_page(page.read_text(), read_figures()))
    return figures


def _end(*_: object) -> NoReturn:
    """Leave by the way of Ctrl-C, on which the cluster is taken down."""
    raise KeyboardInterrupt


def _known(name: str) -> str:
    if name not in MEASUREMENTS:
        raise argparse.ArgumentTypeError(f"there is no measurement {name}; give {NAMES}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What the operator costs, measured.")
    parser.add_argument("measurements", nargs="*", type=_known, default=list(MEASUREMENTS), metavar="NAME", help=NAMES)
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a goal is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
