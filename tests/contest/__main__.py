"""The command line: `python -m tests.contest [SCENARIO ...]`; without a scenario all, in about a hundred minutes."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tests.bench.figures import ROOT, measured, publish, read_figures
from tests.bench.tables import PAGES
from tests.bench.tables import render_page as render_figures
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.contest.contest import Plan
from tests.contest.page import PAGE, render_page
from tests.contest.published import figures_of
from tests.contest.scenarios import BY_ID
from tests.contest.stage import ContestError
from tests.contest.turns import read_turns

from periodicbuild.kube.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contest.scenarios import Scenario

FILE = ROOT / "docs" / "contest.json"
NAMES = f"{', '.join(BY_ID)}; none = all"
FAILED = 1
INTERRUPTED = 130
"""As a shell counts what Ctrl-C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, store and, if all is as published, publish; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.file == FILE and (options.scale != 1 or options.ticks is not None):
        parser.error("--scale and --ticks are for trying things out: give another --file")
    signal.signal(signal.SIGTERM, _end)
    scenarios = [_as_asked(BY_ID[name], options) for name in options.scenarios]
    try:
        Plan.of(scenarios, options.file, resume=options.resume).play()
    except (ClusterError, ContestError, OperatorError, TimeoutError) as error:
        say(f"error: {error}; what was played to its end is kept, go on with --resume.")
        return FAILED
    except KeyboardInterrupt:
        say("Interrupted; what was played to its end is kept, go on with --resume.")
        return INTERRUPTED
    finally:
        _show(options.file)
    return 0


def _show(file: Path) -> None:
    """Write the pages if it is the published file that has changed, else print them."""
    turns = read_turns(file)
    if file != FILE:
        say(
            render_page(
                "\n".join(f"## {id_}\n<!-- contest: {id_} -->\n<!-- end of contest -->" for id_ in BY_ID), turns
            )
        )
        return
    known = {figure.id: figure.value for figure in read_figures()}
    news = [figure for figure in measured(figures_of(turns)) if figure.value != known.get(figure.id)]
    publish(news)  # the others keep the date at which their scenario was played
    PAGE.write_text(render_page(PAGE.read_text(), turns))
    for page in PAGES:
        page.write_text(render_figures(page.read_text(), read_figures()))
    say(PAGE.read_text())


def _as_asked(scenario: Scenario, options: argparse.Namespace) -> Scenario:
    scenario = scenario.scaled(options.scale)
    rounds, ticks = options.rounds or scenario.rounds, options.ticks or scenario.ticks
    return replace(scenario, rounds=rounds, ticks=ticks)


def _end(*_: object) -> NoReturn:
    """Leave by the way of Ctrl-C, on which the cluster is taken down."""
    raise KeyboardInterrupt


def _known(name: str) -> str:
    if name not in BY_ID:
        raise argparse.ArgumentTypeError(f"there is no scenario {name}; give {NAMES}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.contest", description=__doc__)
    parser.add_argument("scenarios", nargs="*", type=_known, default=list(BY_ID), metavar="SCENARIO", help=NAMES)
    parser.add_argument("--resume", action="store_true", help="play only the rounds that the file does not have yet")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each scenario's own")
    parser.add_argument("--ticks", type=int, metavar="N", help="minutes that count, instead of each scenario's own")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="play with F times as many schedules")
    parser.add_argument("--file", type=Path, default=FILE, help="results; any but docs/contest.json leaves docs alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
