"""What an administrator may choose, from the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from periodicbuild.wiring.arguments import address, at_least, namespace, rate
from periodicbuild.wiring.electing import add_election_arguments, election_settings
from periodicbuild.wiring.gate_store import Unreadable
from periodicbuild.wiring.looking_up import add_source_arguments, source_settings
from periodicbuild.wiring.telling import add_telling_arguments, telling_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from periodicbuild.kube.election import ElectionSettings
    from periodicbuild.wiring.looking_up import SourceSettings
    from periodicbuild.wiring.telling import TellingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices for `run`."""

    kubeconfig: str | None
    namespaces: tuple[str, ...]
    """Empty = all."""
    qps: float
    burst: int
    starts_per_second: float
    max_concurrent_builds: int
    """In progress at once; 0 = no limit."""
    log_level: str
    log_format: str
    listen: str
    """`host:port` of /healthz, /readyz and /metrics."""
    metrics_max_builds: int
    """So many PeriodicBuilds have metrics of their own."""
    election: ElectionSettings | None
    """None = this is the only replica."""
    telling: TellingSettings
    gate_unreadable: Unreadable
    """What gates that cannot be read are taken for."""
    sources: SourceSettings

    @property
    def listen_host(self) -> str:
        """The host part; empty = all interfaces."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        """The port part; 0 = any free one."""
        return int(self.listen.rpartition(":")[2])


def add_gate_arguments(run: argparse.ArgumentParser) -> None:
    """Add the flag about gates."""
    run.add_argument(
        "--gate-unreadable",
        type=Unreadable,
        choices=tuple(Unreadable),
        default=Unreadable.OPEN,
        help="what BuildGates that may not be read are taken for (default Open: builds go on)",
    )


def parse_settings(arguments: Sequence[str]) -> Settings:
    """Read the command line; ends the process with a sentence if it cannot be understood."""
    parser = argparse.ArgumentParser(prog="python -m periodicbuild", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the operator until SIGTERM")
    run.add_argument("--kubeconfig", help="file to log in with; default: $KUBECONFIG, else the pod's service account")
    watched = "watch only this one; repeatable; default: all"
    run.add_argument("--namespace", type=namespace, action="append", default=[], metavar="NAME", help=watched)
    run.add_argument("--kube-api-qps", type=rate, default=100.0, help="writes per second (default 100; 0 = no limit)")
    run.add_argument("--kube-api-burst", type=at_least(1), default=200, help="writes at once (default 200)")
    run.add_argument("--starts-per-second", type=rate, default=20.0, help="builds started (default 20; 0 = no limit)")
    run.add_argument(
        "--max-concurrent-builds", type=at_least(0), default=0, help="in progress at once (default 0 = no limit)"
    )
    run.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    run.add_argument("--log-format", choices=("text", "json"), default="text")
    run.add_argument("--listen", type=address, default="127.0.0.1:8080", help="of /healthz, /readyz, /metrics")
    told = "PeriodicBuilds that have metrics of their own (default 2000; 0 = none)"
    run.add_argument("--metrics-max-builds", type=at_least(0), default=2_000, help=told)
    add_gate_arguments(run)
    add_election_arguments(run)
    add_telling_arguments(run)
    add_source_arguments(run)
    chosen = parser.parse_args(arguments)
    return Settings(
        kubeconfig=chosen.kubeconfig,
        namespaces=tuple(dict.fromkeys(chosen.namespace)),
        qps=chosen.kube_api_qps,
        burst=chosen.kube_api_burst,
        starts_per_second=chosen.starts_per_second,
        max_concurrent_builds=chosen.max_concurrent_builds,
        log_level=chosen.log_level,
        log_format=chosen.log_format,
        listen=chosen.listen,
        metrics_max_builds=chosen.metrics_max_builds,
        election=election_settings(chosen),
        telling=telling_settings(chosen, run),
        gate_unreadable=chosen.gate_unreadable,
        sources=source_settings(chosen),
    )
