"""Everything that is known of the cluster, and what this process remembers beside it.

Must not know how facts arrive or what is decided from them.

The one idea a newcomer would miss: the answer of every write comes in here at once, so older versions from a watch,
which lags by seconds under load, must not put the past back; and an answer may be later than the news that its object
is gone.  Versions are compared as numbers, also those of two objects that had one name after each other.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from periodicbuild.core.reasons import State
from periodicbuild.core.recent import Recent
from periodicbuild.core.strays import holds_back, is_stray
from periodicbuild.kube.changes import is_older
from periodicbuild.kube.kinds import APP_SERVER, PERIODIC_BUILD
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.memories import AttemptMemory, BuildMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from periodicbuild.core.facts import AppServer, Pod
    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.kube.parse import StoredBuild

Name = tuple[str, str]
"""Namespace and name."""

GONE = 10_000
"""Uids of deleted objects that are remembered: answers are late by seconds; a forgotten AppServer costs a live GET."""


class Store:
    """Objects by name, children by the uid of their controller, and memories by uid."""

    def __init__(self, enqueue: Callable[[Key], None]) -> None:
        """`enqueue` is called with every key whose facts have changed."""
        self._enqueue = enqueue
        self.builds: dict[Name, StoredBuild] = {}
        self.app_servers: dict[Name, AppServer] = {}
        self.pods: dict[Name, Pod] = {}
        self._children: defaultdict[str, set[Name]] = defaultdict(set)
        self._naming: defaultdict[Name, set[Name]] = defaultdict(set)
        self._pods_of: dict[str, Name] = {}
        self._pods_naming: defaultdict[Name, set[Name]] = defaultdict(set)
        self._build_memories: dict[str, BuildMemory] = {}
        self._attempt_memories: dict[str, AttemptMemory] = {}
        self._gone: Recent[str, bool] = Recent(GONE)
        self._gone_pods: Recent[str, str] = Recent(GONE)
        """Their versions: one that lost its label looks deleted, and may come back newer."""

    # PeriodicBuilds

    def put_build(self, stored: StoredBuild) -> None:
        """Take a version of a PeriodicBuild, unless a newer one is known or it was seen to be deleted."""
        ref = stored.build.ref
        name = (ref.namespace, ref.name)
        known = self.builds.get(name)
        if self._gone.get(ref.uid) or (known is not None and not _is_news(stored.build, known.build)):
            return
        if known is not None and known.build.ref.uid != ref.uid:
            self.remove_build(known.build.ref)
        self.builds[name] = stored
        self._enqueue_with_attempts(name, with_servers=_speaks_of_servers(stored) or _speaks_of_servers(known))

    def remove_build(self, ref: ObjectRef) -> None:
        """Forget a PeriodicBuild that was deleted; a later one of the same name stays."""
        name = (ref.namespace, ref.name)
        self._gone.put(ref.uid, value=True)
        self._build_memories.pop(ref.uid, None)
        known = self.builds.get(name)
        if known is not None and known.build.ref.uid == ref.uid:
            del self.builds[name]
            self._enqueue_with_attempts(name)

    def _enqueue_with_attempts(self, name: Name, *, with_servers: bool = False) -> None:
        self._enqueue(Key(PERIODIC_BUILD, *name))
        for child in self._naming.get(name, ()):
            state = self.app_servers[child].state
            if not state.is_finished or (with_servers and state == State.RUNNING):
                self._enqueue(Key(APP_SERVER, *child))

    # AppServers

    def put_app_server(self, app_server: AppServer) -> None:
        """Take a version of an AppServer, unless a newer one is known or it was seen to be deleted."""
        ref = app_server.ref
        name = (ref.namespace, ref.name)
        known = self.app_servers.get(name)
        if self._gone.get(ref.uid) or (known is not None and not _is_news(app_server, known)):
            return
        if known is not None and known.ref.uid != ref.uid:
            self.remove_app_server(known.ref)
        elif known is not None:
            self._unlink(known)
        self.app_servers[name] = app_server
        if not _is_judged_by_its_pod(app_server):
            self.forget_pod_of(ref.uid)
        if app_server.controller_uid is not None:
            self._children[app_server.controller_uid].add(name)
        self._naming[ref.namespace, app_server.build_name].add(name)
        self._enqueue(Key(APP_SERVER, *name))
        self._enqueue(Key(PERIODIC_BUILD, ref.namespace, app_server.build_name))

    def remove_app_server(self, ref: ObjectRef) -> None:
        """Note that an AppServer is gone: a DELETED event, a live 404, or its absence from a complete list."""
        name = (ref.namespace, ref.name)
        self.note_gone(ref.uid)
        self._attempt_memories.pop(ref.uid, None)
        known = self.app_servers.get(name)
        if known is None or known.ref.uid != ref.uid:
            return
        self._unlink(known)
        del self.app_servers[name]
        self.forget_pod_of(ref.uid)
        self._enqueue(Key(APP_SERVER, *name))
        self._enqueue(Key(PERIODIC_BUILD, ref.namespace, known.build_name))

    def note_gone(self, uid: str) -> None:
        """Note that an AppServer of which only the uid is known is gone."""
        self._gone.put(uid, value=True)

    def _unlink(self, app_server: AppServer) -> None:
        name = (app_server.ref.namespace, app_server.ref.name)
        _discard(self._children, app_server.controller_uid or "", name)
        _discard(self._naming, (app_server.ref.namespace, app_server.build_name), name)

    # Pods

    def put_pod(self, pod: Pod) -> None:
        """Take a version of a pod, unless a newer one is known or was seen to be deleted."""
        name = (pod.ref.namespace, pod.ref.name)
        known = self.pods.get(name)
        gone_at = self._gone_pods.get(pod.ref.uid)
        if (known is not None and not _is_news(pod, known)) or (
            gone_at is not None and not is_older(gone_at, pod.resource_version)
        ):
            return
        if known is not None:
            self._unlink_pod(known)
        self.pods[name] = pod
        if pod.controller_uid is not None:
            self._pods_of[pod.controller_uid] = name
        self._pods_naming[pod.ref.namespace, pod.build_name].add(name)
        self._enqueue(Key(APP_SERVER, *name))
        for build_name in _builds_concerned(pod, known):
            self._enqueue(Key(PERIODIC_BUILD, pod.ref.namespace, build_name))

    def remove_pod(self, pod: Pod) -> None:
        """Keep the last that was known of a pod while its AppServer still has to be judged by it."""
        name = (pod.ref.namespace, pod.ref.name)
        known = self.pods.get(name)
        self._gone_pods.put(pod.ref.uid, pod.resource_version)
        if known is not None and known.ref.uid != pod.ref.uid:
            return
        if known is not None:
            self._unlink_pod(known)
            del self.pods[name]
        owner = self.app_servers.get(name)
        if owner is not None and owner.ref.uid == pod.controller_uid and _is_judged_by_its_pod(owner):
            self.pods[name] = replace(pod, is_gone=True)
            self._pods_of[pod.controller_uid] = name
        self._enqueue(Key(APP_SERVER, *name))
        self._enqueue(Key(PERIODIC_BUILD, pod.ref.namespace, pod.build_name))

    def _unlink_pod(self, pod: Pod) -> None:
        name = (pod.ref.namespace, pod.ref.name)
        if self._pods_of.get(pod.controller_uid or "") == name:
            del self._pods_of[pod.controller_uid or ""]
        _discard(self._pods_naming, (pod.ref.namespace, pod.build_name), name)

    def forget_pod_of(self, uid: str) -> None:
        """Drop the remembered pod of an AppServer that needs it no more."""
        name = self._pods_of.get(uid)
        if name is not None and name in self.pods and self.pods[name].is_gone:
            del self.pods[name]
            del self._pods_of[uid]

    # Questions

    def children(self, uid: str) -> tuple[AppServer, ...]:
        """Give the AppServers controlled by a PeriodicBuild."""
        return tuple(self.app_servers[name] for name in self._children.get(uid, ()))

    def strangers(self, name: Name) -> tuple[AppServer, ...]:
        """Give the AppServers that name a PeriodicBuild and have no controller."""
        named = (self.app_servers[child] for child in self._naming.get(name, ()))
        return tuple(app_server for app_server in named if app_server.controller_uid is None)

    def new_app_servers(self, name: Name) -> Iterator[Name]:
        """Give the AppServers that name a PeriodicBuild and have not begun, also those that nobody has taken up yet."""
        return (child for child in self._naming.get(name, ()) if self.app_servers[child].state == State.NEW)

    def pod_of(self, uid: str) -> Pod | None:
        """Give the pod of an AppServer, gone or not."""
        name = self._pods_of.get(uid)
        pod = self.pods.get(name) if name is not None else None
        return pod if pod is not None and pod.controller_uid == uid else None

    def pods_naming(self, name: Name) -> Iterator[Pod]:
        """Give the pods that exist and carry the label of a PeriodicBuild."""
        return (self.pods[pod] for pod in self._pods_naming.get(name, ()) if not self.pods[pod].is_gone)

    def is_stray(self, pod: Pod) -> bool:
        """Tell whether a pod of ours belongs to no AppServer that is known."""
        return is_stray(pod, self.app_servers.get((pod.ref.namespace, pod.ref.name)))

    def holds_back(self, pod: Pod) -> bool:
        """Tell whether builds wait for a pod that belongs to no AppServer that is known."""
        return holds_back(pod, self.app_servers.get((pod.ref.namespace, pod.ref.name)))

    def stray_pods(self) -> Iterator[Pod]:
        """Give the pods that belong to no AppServer that is known, whether their PeriodicBuild is there or not."""
        return (pod for pod in self.pods.values() if self.is_stray(pod))

    def is_alive(self, uid: str | None) -> bool:
        """Tell whether some PeriodicBuild or AppServer with this uid is known."""
        return any(stored.build.ref.uid == uid for stored in self.builds.values()) or any(
            app_server.ref.uid == uid for app_server in self.app_servers.values()
        )

    def builds_in_progress(self) -> Iterator[Key]:
        """Give the PeriodicBuilds whose status tells of a build in progress (R17)."""
        for name, stored in self.builds.items():
            if any(run.next_attempt_at is None for run in stored.build.status.runs):
                yield Key(PERIODIC_BUILD, *name)

    def build_memory(self, uid: str) -> BuildMemory:
        """Give what is remembered of a PeriodicBuild: nothing is of one that is gone."""
        return BuildMemory() if self._gone.get(uid) else self._build_memories.setdefault(uid, BuildMemory())

    def attempt_memory(self, uid: str) -> AttemptMemory:
        """Give what is remembered of an AppServer: nothing is of one that is gone."""
        return AttemptMemory() if self._gone.get(uid) else self._attempt_memories.setdefault(uid, AttemptMemory())

    def enqueue_all(self) -> None:
        """Ask for a look at everything."""
        for name in self.builds:
            self._enqueue(Key(PERIODIC_BUILD, *name))
        for name in self.app_servers:
            self._enqueue(Key(APP_SERVER, *name))

    def forget_memories(self) -> None:
        """Forget what this process remembers beside the cluster, as a fresh one would."""
        self._build_memories.clear()
        self._attempt_memories.clear()

    def gone_of(self, uids: Iterable[str]) -> frozenset[str]:
        """Give those of the uids that were seen to be deleted."""
        return frozenset(uid for uid in uids if self._gone.get(uid))


class _Versioned(Protocol):
    @property
    def resource_version(self) -> str: ...


K = TypeVar("K")


def _discard(index: defaultdict[K, set[Name]], key: K, name: Name) -> None:
    """Take a name out of an index, and the key with it when nothing is left."""
    names = index.get(key)
    if names is not None:
        names.discard(name)
        if not names:
            del index[key]


def _is_news(new: _Versioned, known: _Versioned) -> bool:
    return new.resource_version != known.resource_version and not is_older(new.resource_version, known.resource_version)


def _speaks_of_servers(stored: StoredBuild | None) -> bool:
    """Tell whether a PeriodicBuild says which of its servers is active (R28)."""
    return stored is not None and stored.build.spec.activation is not None


def _is_judged_by_its_pod(app_server: AppServer) -> bool:
    """Tell whether the pod's end still matters: to an attempt under way, and to a server that is up."""
    return app_server.state == State.RUNNING or not app_server.state.is_finished


def _builds_concerned(pod: Pod, known: Pod | None) -> set[str]:
    """Name the PeriodicBuilds to which a new version matters: not to those that only wait for the attempt."""
    if known is None:
        return {pod.build_name}
    return set() if _belonging(pod) == _belonging(known) else {pod.build_name, known.build_name}


def _belonging(pod: Pod) -> tuple[object, ...]:
    return (pod.ref.uid, pod.build_name, pod.controller_uid, pod.is_ours, pod.is_deleting, pod.is_gone)
