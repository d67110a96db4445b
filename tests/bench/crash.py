"""What is lost, doubled or unaccounted for when the operator is killed before and after every write that it makes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.ground import own_cluster
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.crash.arena import Arena
from tests.crash.sweep import sweep_all, undisturbed
from tests.mail.running import running_mail_server

if TYPE_CHECKING:
    from tests.crash.sweep import Sweep


def measure_crash() -> dict[str, float]:
    """Give the figures."""
    with (
        own_cluster(Level.SIMULATED) as cluster,
        tempfile.TemporaryDirectory() as folder,
        running_mail_server(Path(folder)) as mail,
    ):
        arena = Arena.in_cluster(cluster, mail)
        say("Once without a kill, to know what the operator writes.")
        calm = undisturbed(arena)
        say(f"{len(calm.writes)} writes in {calm.seconds:.0f} s, so twice as many points to be killed at.")
        done = sweep_all(arena, calm)
    for when, write in done.missed:
        say(f"not met: {when} {write}")
    say(f"{len(done.struck)} points in {len(set(calm.writes))} kinds of writes.")
    return _figures(done)


def _figures(done: Sweep) -> dict[str, float]:
    found = [one.findings for one in done.plays]
    return {
        "crash-points": len(done.struck),
        "crash-kinds-missed": len(done.missed),
        "crash-lost": sum(len(one.lost) for one in found),
        "crash-doubled": sum(len(one.doubled) for one in found),
        "crash-unaccounted": sum(len(one.unaccounted) for one in found),
        "crash-false-warnings": sum(len(one.false_warnings) for one in found),
        "crash-differences": sum(len(one.others) for one in found),
        "crash-events-untold": sum(len(one.untold) for one in found),
    }
