"""What happens when: two minutes of watching, with a run by hand in the middle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.text import Text
from tests.demo.chapters import LAST_CHAPTER, chapter
from tests.demo.closing import Ending
from tests.demo.examples import SPAWNED
from tests.demo.observation import Attempt, Observation
from tests.demo.scene import Scene
from tests.demo.showing import Showing
from tests.demo.spawn import Effect, Spawn, asked_in_words, effect, effect_in_words, may_ask
from tests.demo.view import Frame

LOOK_EVERY_SECONDS = 1.0
"""What a person can follow, and what costs the cluster next to nothing."""

SPAWN_AFTER = 0.5
"""The part of the story after which the run by hand is asked for."""

LONGEST_OVERTIME_SECONDS = 60.0
"""How much longer it may take until the run by hand was seen, where the machine is slow."""

QUIET_WITHIN_SECONDS = 15.0
"""How long the end waits for a moment without a run in progress, so that the ledgers have all outcomes."""

READ_SECONDS = 10.0
"""How long the words about the run by hand stay at least."""


@dataclass(slots=True)
class Story:
    """One telling."""

    scene: Scene
    length_seconds: float
    title: str
    _began: float = field(default_factory=time.monotonic)
    _spawn: Spawn | None = None
    _effect: Effect | None = None
    _effect_seen_at: float = 0.0
    _attempts: dict[str, Attempt] = field(default_factory=dict)

    def tell(self, showing: Showing) -> Ending:
        """Play it to its end."""
        for frame in self._frames():
            showing.show(frame)
        unaccounted = self.scene.operator.metric("periodicbuild_unaccounted_slots")
        return Ending(
            seen=frame.seen, attempts=tuple(self._attempts.values()), effect=self._effect, unaccounted=unaccounted
        )

    def _frames(self) -> Iterator[Frame]:
        while True:
            look_at = time.monotonic() + LOOK_EVERY_SECONDS
            now, seen = datetime.now(UTC), self.scene.look()
            self._attempts |= {attempt.name: attempt for attempt in seen.attempts}
            self._play_spawn(seen, now)
            yield Frame(
                seen=seen,
                now=now,
                elapsed_seconds=self._elapsed(),
                total_seconds=self.length_seconds,
                title=self.title,
                words=self._words(),
            )
            if self._is_over(seen):
                return
            time.sleep(max(0.0, look_at - time.monotonic()))

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _is_over(self, seen: Observation) -> bool:
        late = self._elapsed() - self.length_seconds
        if self._effect is None:
            return late >= LONGEST_OVERTIME_SECONDS
        return late >= 0 and (late >= QUIET_WITHIN_SECONDS or not any(build.runs for build in seen.builds))

    def _play_spawn(self, seen: Observation, now: datetime) -> None:
        build = seen.build(SPAWNED)
        if self._effect is not None or self._elapsed() < SPAWN_AFTER * self.length_seconds:
            return
        if self._spawn is not None:
            self._effect = effect(self._spawn, build)
            self._effect_seen_at = self._elapsed()
        elif build is not None and build.next_slot is not None and may_ask(build, now):
            self._spawn = Spawn(token=f"{now:%H%M%S}", before=build.next_slot)
            self.scene.spawn(SPAWNED, self._spawn.token)

    def _words(self) -> Text:
        part = self._elapsed() / self.length_seconds
        if self._effect is not None and (part < LAST_CHAPTER or self._elapsed() < self._effect_seen_at + READ_SECONDS):
            return effect_in_words(self._effect)
        if self._spawn is not None and self._effect is None:
            return asked_in_words(self._spawn)
        return Text(chapter(part))
