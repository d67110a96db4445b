"""Looking sources up in tests, on loopback, which an operator has to allow."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from periodicbuild.core.inputs import Source, SourceKind
from periodicbuild.sources.finder import PATIENCE_SECONDS, Finder
from periodicbuild.sources.hosts import HostRules
from periodicbuild.sources.web import Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from periodicbuild.core.inputs import Finding

HERE = frozenset({"127.0.0.1", "localhost"})
ON_LOOPBACK = HostRules(plain=HERE)


@asynccontextmanager
async def a_finder(
    rules: HostRules = ON_LOOPBACK,
    *,
    credentials: Path | None = None,
    ca_file: Path | None = None,
    patience: float = PATIENCE_SECONDS,
    looked_up: list[tuple[SourceKind, bool]] | None = None,
) -> AsyncIterator[Finder]:
    """Give a finder; `looked_up` is told of each lookup that is really made."""
    count = None if looked_up is None else lambda kind, is_found: looked_up.append((kind, is_found))
    finder = Finder(Web(rules, ca_file), credentials, patience=patience, on_lookup=count)
    try:
        yield finder
    finally:
        await finder.close()


async def found(source: Source, rules: HostRules = ON_LOOPBACK, *, patience: float = PATIENCE_SECONDS) -> Finding:
    """Look one source up."""
    async with a_finder(rules, patience=patience) as finder:
        return (await finder.find(source))[0]


def code(url: str, ref: str = "") -> Source:
    """Name a repository."""
    return Source("code", SourceKind.GIT, url, ref)


def image(reference: str) -> Source:
    """Name an image."""
    return Source("base", SourceKind.IMAGE, reference)
