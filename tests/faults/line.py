"""The proxy on a thread of its own, as a line that can be cut: for tests that are no coroutines."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.background import in_background
from tests.faults.effects import Delay, Drop, Stall
from tests.faults.proxy import FaultProxy
from tests.faults.script import ALWAYS, Fault, Match

from periodicbuild.kube.credentials import load_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.script import Seen

ANYTHING: Final = Match(event="*")
DEAD: Final = (Fault(Drop(), times=ALWAYS),)
"""Nobody answers at the other end: what is asked is lost."""
SILENT: Final = (Fault(Delay(), times=ALWAYS), Fault(Stall(), match=ANYTHING, times=ALWAYS))
"""What is sent stays on its way until the line is mended, and arrives then."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; every method returns when it is done."""

    proxy: FaultProxy
    _loop: asyncio.AbstractEventLoop

    def put(self, *faults: Fault) -> None:
        """Put faults in force."""
        self._do(lambda: self.proxy.add(*faults))

    def cut(self) -> None:
        """Break every connection, and let none come back."""
        self.put(*DEAD)
        self._do(self.proxy.cut)

    def silence(self) -> None:
        """Let nothing through in either direction, and break nothing."""
        self.put(*SILENT)

    def mend(self) -> None:
        """Put all faults out of force."""
        self._do(self.proxy.lift_all)

    @property
    def seen(self) -> list[Seen]:
        """Give the requests so far."""
        return list(self.proxy.seen)

    def _do(self, act: Callable[[], None]) -> None:
        async def call() -> None:
            act()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result()


class _Laid:
    """Lay a line, on whatever loop this is entered."""

    def __init__(self, upstream: Path, kubeconfig: Path) -> None:
        self._upstream = upstream
        self._kubeconfig = kubeconfig

    async def __aenter__(self) -> Line:
        self._proxy = FaultProxy(await load_credentials(self._upstream), self._kubeconfig)
        return Line(await self._proxy.__aenter__(), asyncio.get_running_loop())

    async def __aexit__(self, *_: object) -> None:
        await self._proxy.__aexit__()


@contextmanager
def line_to(upstream: Path, kubeconfig: Path) -> Iterator[Line]:
    """Log in as the user of one kubeconfig, and write another that leads through the line."""
    with in_background(lambda: _Laid(upstream, kubeconfig)) as line:
        yield line
