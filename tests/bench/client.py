"""A bare client: the operator's HTTP session and its number of connections, and nothing else of it.

Must not decide what is sent, nor in which order it is done: it sends a list as fast as the server answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from periodicbuild.kube.session import CONNECTIONS, JSON, KubeSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Call:
    """One request, encoded beforehand."""

    method: str
    path: str
    body: bytes
    content_type: str = JSON


async def send_all(session: KubeSession, calls: Sequence[Call]) -> list[bytes]:
    """Send all, so many at a time as there are connections; give the answers in the order of the calls."""
    answers = [b""] * len(calls)
    waiting = iter(enumerate(calls))
    await asyncio.gather(*(_send_in_turn(session, waiting, answers) for _ in range(CONNECTIONS)))
    return answers


async def _send_in_turn(session: KubeSession, waiting: Iterable[tuple[int, Call]], answers: list[bytes]) -> None:
    for number, call in waiting:
        answers[number] = await session.request(call.method, call.path, call.body, call.content_type)
