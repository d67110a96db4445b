"""Status writes and clean-up, whose answers go into the store at once.

Each status write carries the resourceVersion it was planned on; a conflict means "look again", never "merge".  What
was deleted is gone with the answer: the watch tells of it late, and until then every look would delete it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.plans import DeleteAppServer, DeletePod
from periodicbuild.kube.answers import is_object
from periodicbuild.kube.errors import ConflictError, NotFoundError
from periodicbuild.kube.kinds import APP_SERVERS, PERIODIC_BUILDS, PODS
from periodicbuild.kube.parse import app_server_from_json, pod_from_json, stored_build_from_json
from periodicbuild.kube.render import render_app_server_status_patch, render_build_status_patch
from periodicbuild.kube.session import MERGE_PATCH
from periodicbuild.kube.writer import Priority, WriteRequest

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild
    from periodicbuild.core.plans import ThenAction
    from periodicbuild.core.status import BuildStatus
    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.kube.writer import Writer
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.store import Store


class Writes:
    """Write statuses and clean up."""

    def __init__(self, writer: Writer, store: Store, clock: Clock, leadership: Leadership) -> None:
        self._writer = writer
        self._store = store
        self._clock = clock
        self._leadership = leadership
        self._deleting: set[str] = set()

    async def build_status(self, build: PeriodicBuild, status: BuildStatus) -> None:
        """Write the status of a PeriodicBuild, and in which term; raises KubeError."""
        ref = build.ref
        status = replace(status, lease_transitions=max(status.lease_transitions, self._leadership.term))
        path = PERIODIC_BUILDS.path(namespace=ref.namespace, name=ref.name, subresource="status")
        answer = await self._patch(path, render_build_status_patch(build, status))
        self._store.put_build(stored_build_from_json(answer))
        self._store.build_memory(ref.uid).written_at = self._clock.now().steady

    async def app_server_status(self, app_server: AppServer, status: AppServerStatus) -> None:
        """Write the status of an AppServer; raises KubeError."""
        ref = app_server.ref
        path = APP_SERVERS.path(namespace=ref.namespace, name=ref.name, subresource="status")
        body = render_app_server_status_patch(app_server, status, self._clock.now().steady)
        self._store.put_app_server(app_server_from_json(await self._patch(path, body)))

    async def remove(self, action: ThenAction, namespace: str) -> bool:
        """Delete a pod or a record, guarded by its uid; once at a time, and gone already is as good.

        Tells whether it was this that removed it.
        """
        if action.uid in self._deleting:
            return False
        request = _deletion(action, namespace)
        self._deleting.add(action.uid)
        self._note_own_doing(action, namespace)
        try:
            answer = await self._writer.submit(Priority.LATER, request)
        except NotFoundError:
            self._note_gone(action, namespace)
            return False
        except ConflictError:
            return False  # another object has the name by now, or it has changed; the watch is about to say so
        finally:
            self._deleting.discard(action.uid)
        self._note_deletion(action, namespace, answer)
        return True

    def _note_own_doing(self, action: ThenAction, namespace: str) -> None:
        """Spare the question why a pod goes that we take ourselves: it would cost a request per run (R41, R43)."""
        pod = self._store.pods.get((namespace, action.name))
        if pod is not None and pod.ref.uid == action.uid and pod.controller_uid is not None:
            self._store.attempt_memory(pod.controller_uid).namespace_is_terminating = False

    def _note_deletion(self, action: ThenAction, namespace: str, answer: bytes) -> None:
        """Take what is left of it: a pod within its grace period, an object that a finalizer holds, or nothing."""
        if not is_object(answer):
            self._note_gone(action, namespace)
        elif isinstance(action, DeleteAppServer):
            self._store.put_app_server(app_server_from_json(answer))
        else:
            self._store.put_pod(pod_from_json(answer))

    def _note_gone(self, action: ThenAction, namespace: str) -> None:
        if isinstance(action, DeleteAppServer):
            record = self._store.app_servers.get((namespace, action.name))
            if record is not None and record.ref.uid == action.uid:
                self._store.remove_app_server(record.ref)
            return
        pod = self._store.pods.get((namespace, action.name))
        if pod is not None and pod.ref.uid == action.uid:
            self._store.remove_pod(pod)

    async def _patch(self, path: str, body: bytes) -> bytes:
        request = WriteRequest(method="PATCH", path=path, body=body, content_type=MERGE_PATCH)
        return await self._writer.submit(Priority.STATUS, request)


def _deletion(action: ThenAction, namespace: str) -> WriteRequest:
    kind = APP_SERVERS if isinstance(action, DeleteAppServer) else PODS
    preconditions = {"uid": action.uid}
    if isinstance(action, DeletePod) and action.version is not None:
        preconditions["resourceVersion"] = action.version
    options = {"preconditions": preconditions, "propagationPolicy": "Background"}
    path = kind.path(namespace=namespace, name=action.name)
    return WriteRequest(method="DELETE", path=path, body=msgspec.json.encode(options))
