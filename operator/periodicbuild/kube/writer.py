"""The only way out: every write of the operator passes one queue, one rate limit and one fence.

Must not know what is written or why.

The one idea a newcomer would miss: a worker takes its token *before* it looks at the queue.  So whatever is most
urgent at the instant a write may go out goes out, and a status that came early never goes before a create that came
late (R41).  But who starts builds faster than anybody cleans up after them fills the cluster: so what has given way for
minutes takes turns with what is urgent.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Self

from periodicbuild.kube.bucket import TokenBucket
from periodicbuild.kube.errors import NotLeaderError, TransientKubeError, WriterClosedError
from periodicbuild.kube.fence import FencedBody
from periodicbuild.kube.patience import Patience
from periodicbuild.kube.session import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from periodicbuild.kube.session import KubeSession

WORKERS = 32
"""Writes in flight at most; as many as the session has connections."""

SHORTEST_PAUSE_SECONDS = 1.0
"""After a 429 that does not say how long."""

LONGEST_PAUSE_SECONDS = 30.0
"""A 429 holds all writes back; a server that asks for more patience is tried again after this."""

SHUTDOWN_SECONDS = 1.0
"""How long writes in flight may take to end after SIGTERM: the process has 2 s in all."""

LATER_GIVES_WAY_SECONDS = 300.0
"""So long clean-up and Events wait while there is anything more urgent: longer than a herd."""


class Priority(IntEnum):
    """What goes first; within one priority, what came first."""

    CREATE = 0
    """Starting what is due."""

    STATUS = 1
    """Recording what happened."""

    LATER = 2
    """Events, clean-up: nobody waits for them, for some minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """One write."""

    method: str
    """POST, PUT, PATCH or DELETE."""

    path: str
    """From `Kind.path`."""

    body: bytes
    """Already encoded; every write has one, as it can be held back up to the last instant (`fence.py`)."""

    content_type: str = JSON
    """JSON for POST and DELETE; MERGE_PATCH or JSON_PATCH for PATCH."""

    params: Mapping[str, str] = field(default_factory=dict)
    """For example `dryRun`."""

    def __str__(self) -> str:
        """Name the write without its body, which may hold what logs must not."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterSettings:
    """How fast to write."""

    qps: float = 100.0
    """Writes per second on average; 0 = no limit (`--kube-api-qps`)."""

    burst: int = 200
    """Writes at once after a calm (`--kube-api-burst`)."""

    workers: int = WORKERS
    """Writes in flight at most."""


@dataclass(order=True, slots=True)
class _Entry:
    priority: Priority
    number: int
    request: WriteRequest = field(compare=False)
    answer: asyncio.Future[bytes] = field(compare=False)


class Writer:
    """Send writes in the order of their priority: `async with Writer(...) as writer: await writer.submit(...)`."""

    def __init__(
        self, session: KubeSession, settings: WriterSettings, *, fence: Callable[[], bool] = lambda: True
    ) -> None:
        """`fence` is asked before each write, the last time as it leaves, and says whether this replica may write."""
        self._session = session
        self._settings = settings
        self._fence = fence
        self._bucket = TokenBucket(rate=settings.qps, burst=settings.burst, now=time.monotonic())
        self._urgent: list[_Entry] = []
        self._later: deque[_Entry] = deque()
        self._patience = Patience(seconds=LATER_GIVES_WAY_SECONDS, now=time.monotonic())
        self._was_later = False
        self._numbers = count()
        self._has_work = asyncio.Event()
        self._creates = 0
        """Of the urgent ones."""
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._turn = asyncio.Lock()
        self._resume_at = 0.0
        self._is_closed = False
        self._in_flight: set[asyncio.Task[bytes]] = set()
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the workers."""
        self._workers = [asyncio.create_task(self._work(), name=f"writer-{n}") for n in range(self._settings.workers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close within SHUTDOWN_SECONDS."""
        await self.close()

    @property
    def depth(self) -> int:
        """Count the writes that wait."""
        return len(self._urgent) + len(self._later)

    @property
    def is_pressed(self) -> bool:
        """Tell whether more writes wait than may go out in a second; what is left of a burst is no pressure."""
        return self.depth > max(self._settings.workers, self._settings.qps)

    @property
    def in_flight(self) -> int:
        """Count the writes that are sent and not answered."""
        return len(self._in_flight)

    async def submit(self, priority: Priority, request: WriteRequest) -> bytes:
        """Send a write when its turn comes and give the answer's body.

        Raises KubeError (as the session), NotLeaderError if the fence is down (nothing was sent), WriterClosedError.
        Cancelling the caller takes a waiting write out of the queue; one in flight goes on.
        """
        if self._is_closed:
            raise WriterClosedError(f"{request} was not sent: the writer is closed")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        entry = _Entry(priority, next(self._numbers), request, answer)
        if priority is Priority.LATER:
            self._later.append(entry)
        else:
            heapq.heappush(self._urgent, entry)
        self._note_who_gives_way()
        self._creates += priority is Priority.CREATE
        self._has_work.set()
        return await answer

    async def has_room(self) -> None:
        """Wait while creates are in line and only the API server holds them up.

        Whoever has something else to prepare does it afterwards: the processor belongs to the creates, and to the API
        server, which may run beside us.  While the rate limit holds them up there is time for it.
        """
        await self._has_room.wait()

    async def close(self, within_seconds: float = SHUTDOWN_SECONDS) -> None:
        """Accept nothing more, refuse what waits, let what is in flight end for a while, then break it off."""
        self._is_closed = True
        while (entry := self._take()) is not None:
            entry.answer.set_exception(WriterClosedError(f"{entry.request} was not sent: the writer was closed first"))
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=within_seconds)
        unfinished = [*self._in_flight, *self._workers]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        self._workers.clear()

    def break_off(self) -> None:
        """Let nothing arrive any more that is in flight, if that can be helped; what waits is for the fence."""
        for sending in self._in_flight:
            sending.cancel()

    async def _work(self) -> None:
        while True:
            async with self._turn:  # one worker waits for work and token, the others for the worker
                entry = await self._next()
            await self._send(entry)

    async def _next(self) -> _Entry:
        """Wait for a token, the end of a pause and a write; then take the most urgent one."""
        while True:
            await self._has_work.wait()
            now = time.monotonic()
            seconds = max(self._resume_at - now, self._bucket.wait_seconds(now))
            if seconds > 0:
                self._has_room.set()
                await asyncio.sleep(seconds)
            elif (entry := self._take()) is not None:
                self._bucket.take(now)
                (self._has_room.clear if self._creates else self._has_room.set)()
                return entry

    def _take(self) -> _Entry | None:
        """Take the write that goes next, of those that somebody still waits for."""
        while self._urgent or self._later:
            self._note_who_gives_way()
            entry = self._later.popleft() if self._is_later_next() else heapq.heappop(self._urgent)
            self._note_who_gives_way()
            self._creates -= entry.priority is Priority.CREATE
            if not entry.answer.done():
                self._was_later = entry.priority is Priority.LATER
                return entry
        self._has_work.clear()
        self._has_room.set()
        return None

    def _is_later_next(self) -> bool:
        if not (self._urgent and self._later):
            return bool(self._later)
        return self._patience.is_out and not self._was_later

    def _note_who_gives_way(self) -> None:
        self._patience.note(is_tried=bool(self._urgent and self._later), now=time.monotonic())

    async def _send(self, entry: _Entry) -> None:
        sending = asyncio.create_task(self._write(entry.request))
        self._in_flight.add(sending)
        sending.add_done_callback(partial(self._deliver, entry))
        await asyncio.wait({sending})

    async def _write(self, request: WriteRequest) -> bytes:
        body = FencedBody(request.body, self._fence)
        try:
            if self._fence():
                return await self._session.request(
                    request.method, request.path, body, request.content_type, request.params
                )
        except TransientKubeError:
            if not body.was_held_back:
                raise
        raise NotLeaderError(f"{request} was not sent: another replica holds the lease")

    def _deliver(self, entry: _Entry, sending: asyncio.Task[bytes]) -> None:
        """Hand the outcome to the caller, whatever it is: a worker neither hides an error nor dies of one."""
        self._in_flight.discard(sending)
        error = WriterClosedError(f"{entry.request} was broken off, and may have been carried out")
        outcome = error if sending.cancelled() else sending.exception()
        self._hold_back_after(outcome)
        if entry.answer.done():
            return  # its caller was cancelled meanwhile
        if outcome is None:
            entry.answer.set_result(sending.result())
        else:
            entry.answer.set_exception(outcome)

    def _hold_back_after(self, outcome: BaseException | None) -> None:
        if isinstance(outcome, TransientKubeError) and outcome.status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = min(outcome.retry_after or SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            self._resume_at = max(self._resume_at, time.monotonic() + seconds)
