"""A census of the PeriodicBuilds: names and uids only, at the start and every ten minutes.

kopf never reports an object that was deleted while its watch was broken.  The census does: what it does not find is
gone.  It also answers "has kopf shown us everything?", which kopf itself cannot say.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.notices import ObjectRef
from periodicbuild.kube.changes import Decoder
from periodicbuild.kube.errors import KubeError
from periodicbuild.kube.kinds import PERIODIC_BUILD, PERIODIC_BUILDS
from periodicbuild.kube.outage import Outage
from periodicbuild.kube.watch import PAGE_SIZE

if TYPE_CHECKING:
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.wiring.store import Store

EVERY_SECONDS = 600.0
AT_START_EVERY_SECONDS = 5.0
"""Until kopf has shown everything: what was deleted in between will never be shown."""
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""The server leaves spec and status out: a tenth of the bytes."""

_log = logging.getLogger(__name__)


class _Metadata(msgspec.Struct):
    namespace: str
    name: str
    uid: str


class _Item(msgspec.Struct):
    metadata: _Metadata


@dataclass(frozen=True, slots=True)
class _Counted:
    namespace: str
    name: str
    uid: str


class Census:
    """Count the PeriodicBuilds of some namespaces (none = all)."""

    def __init__(self, session: KubeSession, store: Store, namespaces: tuple[str, ...]) -> None:
        self._session = session
        self._store = store
        self._scopes = namespaces or ("",)
        self._decoder = Decoder(_Item)
        self._unseen: list[_Counted] | None = None
        self._outage = Outage("counting PeriodicBuilds")

    @property
    def is_complete(self) -> bool:
        """Tell whether every PeriodicBuild of the first census has been seen; stays true from then on."""
        if self._unseen is None:
            return False
        known = self._store.builds
        # Asked often while thousands come in: what was seen once is not looked for again.
        while self._unseen and (self._unseen[-1].namespace, self._unseen[-1].name) in known:
            self._unseen.pop()
        return not self._unseen

    async def run(self) -> None:
        """Count for ever."""
        while True:
            before = {stored.build.ref.uid: stored.build.ref for stored in self._store.builds.values()}
            try:
                counted = await self._count()
            except (KubeError, msgspec.DecodeError) as error:
                await asyncio.sleep(self._outage.failed(error))
                continue
            self._outage.is_over()
            self._remove_absent(before, counted)
            self._unseen = [*counted] if self._unseen is None else [one for one in self._unseen if one in counted]
            await asyncio.sleep(EVERY_SECONDS if self.is_complete else AT_START_EVERY_SECONDS)

    def _remove_absent(self, before: dict[str, ObjectRef], counted: frozenset[_Counted]) -> None:
        present = {one.uid for one in counted}
        for uid, ref in before.items():
            if uid not in present:
                _log.info(
                    "a deletion was never reported; found by count", extra={"kind": PERIODIC_BUILD, "object": ref.name}
                )
                self._store.remove_build(ref)

    async def _count(self) -> frozenset[_Counted]:
        return frozenset([one for scope in self._scopes for one in await self._count_in(scope)])

    async def _count_in(self, namespace: str) -> list[_Counted]:
        counted: list[_Counted] = []
        params = {"limit": str(PAGE_SIZE)}
        while True:
            path = PERIODIC_BUILDS.path(namespace=namespace)
            page = self._decoder.page(await self._session.get(path, params, accept=METADATA_ONLY))
            counted += (_Counted(one.metadata.namespace, one.metadata.name, one.metadata.uid) for one in page.items)
            if not page.next_token:
                return counted
            params = {**params, "continue": page.next_token}
