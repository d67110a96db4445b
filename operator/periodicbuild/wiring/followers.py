"""From watches to the store: AppServers and pods, which machines write at a high rate, through our own lean watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from periodicbuild.kube.changes import ChangeType
from periodicbuild.kube.kinds import APP_SERVERS, BUILD_LABEL, PODS
from periodicbuild.kube.parse import AppServerWire, PodWire, parse_app_server, parse_pod
from periodicbuild.kube.watch import Collection, ListWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.wiring.store import Store


class _Referenced(Protocol):
    @property
    def ref(self) -> ObjectRef: ...


W = TypeVar("W")
F = TypeVar("F", bound=_Referenced)


class _Follower(Generic[W, F]):
    """Keep one kind in the store, in one namespace or (empty) in all."""

    def __init__(
        self,
        parse: Callable[[W], F],
        put: Callable[[F], None],
        remove: Callable[[F], None],
        known: Callable[[], Iterable[F]],
    ) -> None:
        self._parse = parse
        self._put = put
        self._remove = remove
        self._known = known
        self._before: tuple[F, ...] = ()

    def listing(self) -> None:
        """Note what is known before the list: the answer of a create may come between its pages, and be newer."""
        self._before = tuple(self._known())

    def listed(self, items: Sequence[W]) -> None:
        """Take the complete list; what was known before and is not in it was deleted unseen."""
        facts = [self._parse(item) for item in items]
        present = {fact.ref.uid for fact in facts}
        before, self._before = self._before, ()
        for known in before:
            if known.ref.uid not in present:
                self._remove(known)
        for fact in facts:
            self._put(fact)

    def changed(self, change: ChangeType, item: W) -> None:
        """Take one change."""
        fact = self._parse(item)
        (self._remove if change == ChangeType.DELETED else self._put)(fact)


def follow_app_servers(session: KubeSession, store: Store, namespace: str) -> ListWatch[AppServerWire]:
    """Watch AppServers."""
    follower = _Follower(
        parse_app_server,
        store.put_app_server,
        lambda app_server: store.remove_app_server(app_server.ref),
        lambda: (one for one in store.app_servers.values() if namespace in {"", one.ref.namespace}),
    )
    return ListWatch(session, Collection(path=APP_SERVERS.path(namespace=namespace)), AppServerWire, follower)


def follow_pods(session: KubeSession, store: Store, namespace: str) -> ListWatch[PodWire]:
    """Watch the pods with our label."""
    follower = _Follower(
        parse_pod,
        store.put_pod,
        store.remove_pod,
        lambda: (one for one in store.pods.values() if namespace in {"", one.ref.namespace} and not one.is_gone),
    )
    collection = Collection(path=PODS.path(namespace=namespace), label_selector=BUILD_LABEL)
    return ListWatch(session, collection, PodWire, follower)
