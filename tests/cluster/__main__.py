"""The command line: up, down, status, kubeconfig."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.cluster import lifecycle
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.levels import Level


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(COMMANDS[options.command](options))
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; the next `up` cleans what is left.")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description="A real Kubernetes on this machine.")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--name", default="dev", help="which cluster (default: dev)")
    parser.add_argument(
        "--level", type=Level, choices=list(Level), default=Level.CONTROL_PLANE, help="for up: how much of a cluster"
    )
    parser.add_argument("--no-audit-log", action="store_true", help="for up: measure the API server without it")
    return parser


def _up(options: argparse.Namespace) -> int:
    wish = lifecycle.Wish(name=options.name, level=options.level, has_audit_log=not options.no_audit_log)
    cluster = lifecycle.up(wish)
    say(f"The cluster {options.name} ({cluster.level}) is ready at {cluster.server}. To use it:")
    say(f"export KUBECONFIG={cluster.kubeconfig}")
    return 0


def _down(options: argparse.Namespace) -> int:
    lifecycle.down(options.name)
    say(f"Nothing is left of the cluster {options.name}.")
    return 0


def _status(_: argparse.Namespace) -> int:
    """Print one line per cluster; fail if one of them is not whole."""
    clusters = {name: lifecycle.find(name) for name in lifecycle.names()}
    if not clusters:
        say("There is no cluster. To start one: python -m tests.cluster up")
    is_whole = True
    for name, cluster in clusters.items():
        missing = ["everything"] if cluster is None else cluster.missing_components()
        state = f"lacks {', '.join(missing)}" if missing else "runs"
        is_whole = is_whole and not missing
        sys.stdout.write(
            f"{name}\t{cluster.level if cluster else '-'}\t{cluster.server if cluster else '-'}\t{state}\n"
        )
    return 0 if is_whole else 1


def _kubeconfig(options: argparse.Namespace) -> int:
    cluster = lifecycle.find(options.name)
    if cluster is None:
        raise ClusterError(f"There is no cluster {options.name}: python -m tests.cluster up --name {options.name}")
    sys.stdout.write(f"{cluster.kubeconfig}\n")
    return 0


COMMANDS = {"up": _up, "down": _down, "status": _status, "kubeconfig": _kubeconfig}

if __name__ == "__main__":
    sys.exit(main())
