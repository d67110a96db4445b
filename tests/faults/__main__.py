"""The command line: put the proxy between a controller and its API server, until Ctrl-C or the controller's end."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tests.cluster.console import say
from tests.faults.proxy import FaultProxy, KillsNobodyError
from tests.faults.script import read_script
from tests.faults.victim import Victim

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.armed import Strike
    from tests.faults.script import Fault

FAILED = 1
INTERRUPTED = 130
"""As a shell counts what Ctrl-C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the controller's exit status, or that of an interruption."""
    options = _parser().parse_args(arguments)
    try:
        faults = read_script(options.script) if options.script else ()
        with tempfile.TemporaryDirectory() as folder:
            return asyncio.run(_run(options, faults, options.write_kubeconfig or Path(folder) / "kubeconfig.yaml"))
    except msgspec.DecodeError as error:
        say(f"error: {options.script}: {error}")
    except KillsNobodyError:
        say("error: the script kills: name the controller's command at the end, after --")
    except (CredentialsError, OSError) as error:
        say(f"error: {error}")
    return FAILED


async def _run(options: argparse.Namespace, faults: Sequence[Fault], kubeconfig: Path) -> int:
    victim = Victim(options.command, kubeconfig) if options.command else None
    credentials = await load_credentials(options.kubeconfig, options.context)
    kill = victim.kill if victim is not None else None
    async with FaultProxy(credentials, kubeconfig, kill=kill, tell=_tell, port=options.port) as proxy:
        proxy.add(*faults)
        say(f"The way through the proxy: export KUBECONFIG={kubeconfig}")
        code = await _until_the_end(victim)
        _summarise(proxy)
    return code


async def _until_the_end(victim: Victim | None) -> int:
    """Wait for the controller's end if there is one, and in any case for Ctrl-C or SIGTERM."""
    task = asyncio.create_task(_follow(victim))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED


async def _follow(victim: Victim | None) -> int:
    if victim is None:
        await asyncio.Event().wait()
        return 0
    victim.start()
    return await victim.end()


def _tell(strike: Strike) -> None:
    seen = strike.seen
    event = f", event {seen.event}" if seen.event else ""
    say(f"{type(strike.fault.effect).__name__}: {seen.target.verb} {seen.target.ref}{event}")


def _summarise(proxy: FaultProxy) -> None:
    counts = Counter(f"{seen.target.verb} {seen.target.resource}" for seen in proxy.seen)
    say(f"{proxy.requests} requests, {len(proxy.strikes)} strikes")
    for what, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        say(f"{count:7} {what}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description="A proxy that makes faults, between a controller and its API server."
    )
    of_environment = os.environ.get("KUBECONFIG")
    parser.add_argument(
        "--kubeconfig",
        type=Path,
        default=of_environment,
        required=not of_environment,
        metavar="FILE",
        help="whom to log in as: give the controller's own (default: $KUBECONFIG)",
    )
    parser.add_argument("--context", metavar="NAME", help="of that file, instead of its current one")
    parser.add_argument("--script", type=Path, metavar="FILE", help="the faults; without it requests are only counted")
    parser.add_argument(
        "--write-kubeconfig", type=Path, metavar="FILE", help="where to write the way through the proxy"
    )
    parser.add_argument("--port", type=int, default=0, metavar="NUMBER", help="to listen on (default: any free one)")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="the controller; gets KUBECONFIG; after --")
    return parser


if __name__ == "__main__":
    sys.exit(main())
