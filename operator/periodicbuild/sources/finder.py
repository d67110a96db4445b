"""Revisions of sources: each is looked up once for all who want it now, and many at a time.

Must not know who asks, nor what follows.

The one idea a newcomer would miss: a thousand builds of fifty repositories fall due in the same second.  Whoever asks
for what is under way waits for that answer; and an answer is good for all who would take one of that age.  A host that
asks for a pause gets it from all of them.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from periodicbuild.core.inputs import Finding, SourceKind
from periodicbuild.sources.credentials import basic_authorization
from periodicbuild.sources.git import revision_of_ref
from periodicbuild.sources.pauses import Pauses
from periodicbuild.sources.problems import SourceError
from periodicbuild.sources.references import parse_reference
from periodicbuild.sources.registry import digest_of_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from periodicbuild.core.inputs import Source
    from periodicbuild.sources.web import Web

PATIENCE_SECONDS: Final = 15.0
"""For one source: name, connection, token, answer."""
GOOD_FOR_SECONDS: Final = 600.0
"""At most, whatever whoever asks would take: a slot that waits longer asks again (R14)."""
BAD_FOR_SECONDS: Final = 10.0
LONGEST_RETRY_AFTER: Final = 600.0
"""A host that asks for a longer pause is asked again after this."""
SHORT_WAIT_SECONDS: Final = 5.0
"""A host that asks for no longer pause is waited for."""
LONGEST_QUEUE_SECONDS: Final = 60.0
"""Whoever has waited for its turn for longer is not waited for any more: the slot has started without."""
FEWEST_TIDIED: Final = 1_000
"""Answers that are not worth looking through."""
AT_ONCE: Final = 32
AT_ONCE_PER_HOST: Final = 4

_Key = tuple[SourceKind, str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    finding: Finding
    at: float
    """Monotonic: when it was asked for."""
    good_for: float


@dataclass(frozen=True, slots=True)
class _Entry:
    task: asyncio.Task[_Answer]

    def is_good(self, now: float, max_age: float) -> bool:
        """Tell whether nobody needs to ask again; what is under way is as fresh as can be."""
        if not self.task.done():
            return True
        if self.task.cancelled() or self.task.exception() is not None:
            return False  # a bug of ours is no answer that anybody else should get
        answer = self.task.result()
        good_for = answer.good_for if answer.finding.revision is None else min(answer.good_for, max_age)
        return now - answer.at <= good_for


class Finder:
    """Look sources up."""

    def __init__(
        self,
        web: Web,
        credentials: Path | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
        on_lookup: Callable[[SourceKind, bool], None] | None = None,
    ) -> None:
        """`on_lookup` hears of each lookup that was really made, and whether it found a revision."""
        self._web = web
        self._credentials = credentials
        self._patience = patience
        self._on_lookup = on_lookup
        self._known: dict[_Key, _Entry] = {}
        self._tidy_at = FEWEST_TIDIED
        self._pauses = Pauses()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._places_at: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """Of the hosts that are asked now: nobody else holds one, so it goes with the last who does."""

    async def find(self, source: Source, max_age: float = GOOD_FOR_SECONDS) -> tuple[Finding, float]:
        """Find out at which revision a source is, or was at most so many seconds ago, and how many ago it was asked.

        What goes wrong is a finding.
        """
        key = (source.kind, source.location, source.ref)
        entry = self._known.get(key)
        if entry is None or not entry.is_good(time.monotonic(), max_age):
            self._tidy()
            entry = self._known[key] = _Entry(asyncio.create_task(self._look_up(source)))
        answer = await asyncio.shield(entry.task)
        return answer.finding, time.monotonic() - answer.at

    async def close(self) -> None:
        """Break off what is under way, and close the connections."""
        tasks = [entry.task for entry in self._known.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._web.close()

    def _tidy(self) -> None:
        """Forget what is good for nobody, each time that as much has been added as was left the last time."""
        if len(self._known) < self._tidy_at:
            return
        now = time.monotonic()
        self._known = {key: entry for key, entry in self._known.items() if entry.is_good(now, GOOD_FOR_SECONDS)}
        self._tidy_at = max(FEWEST_TIDIED, 2 * len(self._known))

    async def _look_up(self, source: Source) -> _Answer:
        at = time.monotonic()
        try:
            host = _host_of(source)
            places = self._places_at.setdefault(host, asyncio.Semaphore(AT_ONCE_PER_HOST))
            async with places, self._places, asyncio.timeout(self._patience):
                begun_at = time.monotonic()
                if begun_at - at > LONGEST_QUEUE_SECONDS:
                    raise SourceError(f"too many lookups wait for {host}")
                at = begun_at
                answer = _Answer(Finding(await self._revision_of(source, host)), at, GOOD_FOR_SECONDS)
        except SourceError as error:
            pause = min(error.retry_after or BAD_FOR_SECONDS, LONGEST_RETRY_AFTER)
            answer = _Answer(Finding(problem=str(error)), at, max(pause, BAD_FOR_SECONDS))
        except TimeoutError:
            problem = f"{host} has not answered within {self._patience:.0f} s"
            answer = _Answer(Finding(problem=problem), at, BAD_FOR_SECONDS)
        if self._on_lookup is not None:
            self._on_lookup(source.kind, answer.finding.revision is not None)
        return answer

    async def _revision_of(self, source: Source, host: str) -> str:
        try:
            return await self._ask_if_it_may_be(source, host)
        except SourceError as error:
            if error.retry_after is None or error.retry_after > SHORT_WAIT_SECONDS:
                raise
            return await self._ask_if_it_may_be(source, host)

    async def _ask_if_it_may_be(self, source: Source, host: str) -> str:
        """Ask, after a pause that is short; raises SourceError in one that is longer."""
        left = self._pauses.left(host)
        if left > SHORT_WAIT_SECONDS:
            end = datetime.now(UTC) + timedelta(seconds=left)
            sentence = f"{host} wants a pause, and is not asked before {end:%Y-%m-%dT%H:%M:%SZ}"
            raise SourceError(sentence, retry_after=left)
        await asyncio.sleep(left)
        try:
            return await self._ask(source, host)
        except SourceError as error:
            if error.retry_after is not None:
                self._pauses.begin(host, min(error.retry_after, LONGEST_RETRY_AFTER))
            raise

    async def _ask(self, source: Source, host: str) -> str:
        authorization = self._authorization_for(source, host)
        if source.kind == SourceKind.GIT:
            return await revision_of_ref(self._web, source.location, source.ref, authorization)
        return await digest_of_image(self._web, source.location, authorization)

    def _authorization_for(self, source: Source, host: str) -> Mapping[str, str]:
        """Give the credentials of a host, which nobody gets over http."""
        is_git = source.kind == SourceKind.GIT
        scheme = urlsplit(source.location).scheme if is_git else self._web.rules.scheme_of(host)
        basic = basic_authorization(self._credentials, host) if scheme == "https" else None
        return {} if basic is None else {"Authorization": basic}


def _host_of(source: Source) -> str:
    """Return the host by which people know where a source is: credentials are named after it."""
    if source.kind == SourceKind.GIT:
        try:
            return urlsplit(source.location).hostname or ""
        except ValueError:
            raise SourceError("its URL has a host that is none") from None
    if source.kind == SourceKind.IMAGE:
        return urlsplit(f"//{parse_reference(source.location).registry}").hostname or ""
    raise SourceError("this version of the operator does not know such a source")
