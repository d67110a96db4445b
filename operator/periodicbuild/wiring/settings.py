"""What an administrator may choose, from the command line."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
"""What Kubernetes allows as the name of a namespace."""


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

    @property
    def listen_host(self) -> str:
        """The host part; empty = all interfaces."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        """The port part; 0 = any free one."""
        return int(self.listen.rpartition(":")[2])


def parse_settings(arguments: Sequence[str]) -> Settings:
    """Read the command line; ends the process with a sentence if it cannot be understood."""
    parser = argparse.ArgumentParser(prog="python -m periodicbuild", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the operator until SIGTERM")
    run.add_argument("--kubeconfig", help="file to log in with; default: $KUBECONFIG, else the pod's service account")
    run.add_argument(
        "--namespace",
        type=_namespace,
        action="append",
        default=[],
        metavar="NAME",
        help="watch only this one; repeatable; default: all",
    )
    run.add_argument("--kube-api-qps", type=_rate, default=100.0, help="writes per second (default 100; 0 = no limit)")
    run.add_argument("--kube-api-burst", type=_at_least(1), default=200, help="writes at once (default 200)")
    run.add_argument("--starts-per-second", type=_rate, default=20.0, help="builds started (default 20; 0 = no limit)")
    run.add_argument(
        "--max-concurrent-builds", type=_at_least(0), default=0, help="in progress at once (default 0 = no limit)"
    )
    run.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    run.add_argument("--log-format", choices=("text", "json"), default="text")
    run.add_argument("--listen", type=_address, default="127.0.0.1:8080", help="of /healthz, /readyz, /metrics")
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
    )


def _namespace(text: str) -> str:
    if not DNS_LABEL.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text} is no namespace: give one, and repeat the flag for another")
    return text


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no rate: give a number per second, 0 for no limit")
    return rate


def _at_least(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if not text.removeprefix("-").isdecimal():
            raise argparse.ArgumentTypeError(f"{text} is no whole number")
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is too small: give at least {least}")
        return int(text)

    return whole_number


def _address(text: str) -> str:
    _, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the highest port there is
        raise argparse.ArgumentTypeError(f"{text} is no address: write host:port, as in 127.0.0.1:8080 or 0.0.0.0:8080")
    return text
