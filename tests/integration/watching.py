"""A ListWatch of ConfigMaps, and what it has learned."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from tests.integration.kube_support import CONFIG_MAPS

from periodicbuild.kube.changes import ChangeType
from periodicbuild.kube.watch import Collection, ListWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from periodicbuild.kube.session import KubeSession

OWN = "app=own"


class Metadata(msgspec.Struct, frozen=True):
    """What these tests need of an object."""

    name: str
    namespace: str


class ConfigMap(msgspec.Struct, frozen=True):
    """A kind with few declared fields."""

    metadata: Metadata


class Known:
    """A handler that keeps the names it knows of, as a store would."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.lists = 0
        self.changes: list[tuple[ChangeType, str]] = []

    def listing(self) -> None:
        """Nothing else writes into this one."""

    def listed(self, items: Sequence[ConfigMap]) -> None:
        """Replace everything."""
        self.lists += 1
        self.names = {item.metadata.name for item in items}

    def changed(self, change: ChangeType, item: ConfigMap) -> None:
        """Apply one change."""
        self.changes.append((change, item.metadata.name))
        (self.names.discard if change is ChangeType.DELETED else self.names.add)(item.metadata.name)


@asynccontextmanager
async def watching(
    session: KubeSession, namespace: str, selector: str = OWN
) -> AsyncIterator[tuple[Known, ListWatch[ConfigMap]]]:
    """Run a ListWatch of a namespace's ConfigMaps."""
    known = Known()
    collection = Collection(path=CONFIG_MAPS.path(namespace=namespace), label_selector=selector)
    watch = ListWatch(session, collection, msgspec.json.Decoder(ConfigMap).decode, known)
    task = asyncio.create_task(watch.run())
    try:
        yield known, watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
