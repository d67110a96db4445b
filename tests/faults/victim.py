"""The controller behind the proxy, as a process that is killed and comes back at once, as under a kubelet."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOOK_EVERY_SECONDS = 0.1


@dataclass(slots=True)
class Victim:
    """One command."""

    command: Sequence[str]
    kubeconfig: Path
    """In its environment as KUBECONFIG."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(self.command, env={**os.environ, "KUBECONFIG": str(self.kubeconfig)})

    def kill(self) -> None:
        """End it by SIGKILL, and start it again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.start()

    async def end(self) -> int:
        """Wait until it ends by itself, and give its exit code; cancelling this asks it to end first."""
        assert self._process is not None
        try:
            while self._process.poll() is None:  # noqa: ASYNC110 - what it waits for is another process
                await asyncio.sleep(LOOK_EVERY_SECONDS)
        except asyncio.CancelledError:
            self._process.terminate()
            self._process.wait()
            raise
        return self._process.returncode
