"""Where the operator's CPU goes in a herd, as a picture: `python -m tests.bench.flame FILE.svg [COUNT]`.

The one idea a newcomer would miss: waiting is in the picture, too.  The bar of `EpollSelector.select` is the process
that waits for the API server; what the processor does is the rest, and shares are to be taken of that.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.ground import own_cluster
from tests.bench.herd import COUNT, WARM_UP_COUNT, Herd
from tests.cluster.console import say
from tests.cluster.levels import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

PER_SECOND = 200
"""Samples; more would slow down what is sampled."""


def main() -> None:
    """Record one herd after a smaller one."""
    file = Path(sys.argv[1])
    count = int(sys.argv[2]) if sys.argv[2:] else COUNT

    @contextmanager
    def recorded(pid: int) -> Iterator[None]:
        command = ["record", "--pid", str(pid), "--rate", str(PER_SECOND), "--output", str(file)]
        spy = subprocess.Popen([Path(sys.executable).with_name("py-spy"), *command], stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            spy.send_signal(signal.SIGINT)
            spy.wait()

    with own_cluster(Level.CONTROL_PLANE) as cluster:
        herd = Herd(cluster)
        herd.pair(WARM_UP_COUNT)
        herd.while_at_work = recorded
        say(f"Recording a herd of {count:,}.")
        herd.pair(count)


if __name__ == "__main__":
    main()
