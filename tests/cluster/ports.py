"""Choose ports on loopback that two clusters started at once do not share."""

from __future__ import annotations

import random
import socket

from tests.cluster.errors import ClusterError

PORTS = range(20000, 30000)
"""Below the range that the kernel hands out to clients (32768 up), so that no outgoing connection takes the port of a
server that a test has stopped for a while."""

ATTEMPTS = 200


def free_loopback_port(chooser: random.Random | None = None) -> int:
    """Return a port on which nothing listens now.

    Another program may take it before our server does: the caller starts the server and asks again if it ended.
    """
    chooser = chooser or random.SystemRandom()
    for _ in range(ATTEMPTS):
        port = chooser.choice(PORTS)
        if _is_free(port):
            return port
    raise ClusterError(f"No free port among {PORTS.start}-{PORTS.stop - 1} on 127.0.0.1 in {ATTEMPTS} attempts.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
