"""From lists and watches to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from periodicbuild.kube.changes import ChangeType
from periodicbuild.kube.kinds import APP_SERVERS, BUILD_LABEL, PERIODIC_BUILDS, PODS
from periodicbuild.kube.parse import app_server_from_json, pod_from_json, stored_build_from_json
from periodicbuild.kube.watch import Collection, ListWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from periodicbuild.core.facts import AppServer, Pod
    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.kube.parse import StoredBuild
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.wiring.store import Store


class _Referenced(Protocol):
    @property
    def ref(self) -> ObjectRef: ...


F = TypeVar("F", bound=_Referenced)


class Follower(Generic[F]):
    """Keep one kind in the store, in one namespace or (empty) in all."""

    def __init__(self, put: Callable[[F], None], remove: Callable[[F], None], known: Callable[[], Iterable[F]]) -> None:
        self._put = put
        self._remove = remove
        self._known = known
        self._before: tuple[F, ...] = ()

    def listing(self) -> None:
        """Note what is known before the list: the answer of a create may come between its pages, and be newer."""
        self._before = tuple(self._known())

    def listed(self, items: Sequence[F]) -> None:
        """Take the complete list; what was known before and is not in it was deleted unseen."""
        present = {item.ref.uid for item in items}
        before, self._before = self._before, ()
        for known in before:
            if known.ref.uid not in present:
                self._remove(known)
        for item in items:
            self._put(item)

    def changed(self, change: ChangeType, item: F) -> None:
        """Take one change."""
        (self._remove if change == ChangeType.DELETED else self._put)(item)


def follow_builds(session: KubeSession, store: Store, namespace: str) -> ListWatch[StoredBuild]:
    """Watch PeriodicBuilds."""
    follower = Follower(
        store.put_build,
        lambda stored: store.remove_build(stored.ref),
        lambda: (one for one in store.builds.values() if namespace in {"", one.ref.namespace}),
    )
    collection = Collection(path=PERIODIC_BUILDS.path(namespace=namespace))
    return ListWatch(session, collection, stored_build_from_json, follower)


def follow_app_servers(session: KubeSession, store: Store, namespace: str) -> ListWatch[AppServer]:
    """Watch AppServers."""
    follower = Follower(
        store.put_app_server,
        lambda app_server: store.remove_app_server(app_server.ref),
        lambda: (one for one in store.app_servers.values() if namespace in {"", one.ref.namespace}),
    )
    collection = Collection(path=APP_SERVERS.path(namespace=namespace))
    return ListWatch(session, collection, app_server_from_json, follower)


def follow_pods(session: KubeSession, store: Store, namespace: str) -> ListWatch[Pod]:
    """Watch the pods with our label."""
    follower = Follower(
        store.put_pod,
        store.remove_pod,
        lambda: (one for one in store.pods.values() if namespace in {"", one.ref.namespace} and not one.is_gone),
    )
    collection = Collection(path=PODS.path(namespace=namespace), label_selector=BUILD_LABEL)
    return ListWatch(session, collection, pod_from_json, follower)
