"""Carry out what a plan asks for first; every answer, also a refusal, goes into the store as a fact.

Must not decide.  The one idea a newcomer would miss: "already exists" is answered by a look at what exists.  Ours by
uid, epoch and token means done, by an earlier try whose answer was lost; anything else is a refusal with its reason.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.plans import (
    AdoptAppServer,
    CancelAppServer,
    CheckNamespace,
    ConfirmAbsence,
    CreateAppServer,
    CreatePod,
    DryRun,
    DryRunPod,
    LookUpSources,
    ReadLog,
    ReadService,
    Refused,
    SwitchService,
)
from periodicbuild.core.redaction import printable, redact
from periodicbuild.kube.errors import AlreadyExistsError, ConflictError, InvalidError, KubeError, NotFoundError
from periodicbuild.kube.kinds import APP_SERVERS, PODS
from periodicbuild.kube.parse import app_server_from_json, pod_from_json
from periodicbuild.kube.render import (
    render_adoption,
    render_app_server,
    render_cancellation,
    render_dry_run_pod,
    render_pod,
)
from periodicbuild.kube.session import JSON_PATCH
from periodicbuild.kube.template_secrets import secrets_in
from periodicbuild.kube.writer import Priority, WriteRequest
from periodicbuild.wiring.namespaces import is_namespace_terminating
from periodicbuild.wiring.refusals import CHECKED_AGAIN_AFTER, is_unanswered, note_refusal, refusal_of, refused
from periodicbuild.wiring.services import Services

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
    from periodicbuild.core.plans import FirstAction, Refusal
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.kube.writer import Writer
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.lookups import Lookups
    from periodicbuild.wiring.store import Store


LOG_LINES = 200
LOG_BYTES = 64_000
"""Enough for the longer tail that a mail carries."""
LOG_WITHIN_SECONDS = 10
"""A node that does not answer keeps the verdict waiting no longer."""


class Actions:
    """Speak to the API for the reconcile loop."""

    def __init__(self, session: KubeSession, writer: Writer, store: Store, clock: Clock, lookups: Lookups) -> None:
        self._session = session
        self._lookups = lookups
        self._writer = writer
        self._store = store
        self._clock = clock
        self._services = Services(session, writer, store, clock)

    async def for_build(self, action: FirstAction, build: PeriodicBuild) -> None:
        """Carry out one action of a plan for a PeriodicBuild; raises KubeError for what is worth a back-off."""
        match action:
            case CreateAppServer():
                await self._create_app_server(action, build)
            case AdoptAppServer():
                await self._adopt(action, build)
            case CancelAppServer():
                await self._cancel(action, build)
            case DryRunPod():
                await self._dry_run(action, build)
            case ConfirmAbsence():
                await self._confirm_app_server(action, build)
            case ReadService():
                await self._services.read(action.name, build)
            case SwitchService():
                await self._services.switch(action, build)
            case LookUpSources():
                self._lookups.begin(action, build)
            case _:
                raise TypeError(f"{type(action).__name__} is no action for a PeriodicBuild")

    async def for_app_server(self, action: FirstAction, app_server: AppServer) -> None:
        """Carry out one action of a plan for an AppServer; raises KubeError for what is worth a back-off."""
        match action:
            case CreatePod():
                await self._create_pod(app_server)
            case ConfirmAbsence():
                await self._confirm_pod(app_server)
            case ReadLog():
                await self._read_log(action, app_server)
            case CheckNamespace():
                await self._check_namespace(app_server)
            case _:
                raise TypeError(f"{type(action).__name__} is no action for an AppServer")

    async def _create_app_server(self, create: CreateAppServer, build: PeriodicBuild) -> None:
        refusals = self._store.build_memory(build.ref.uid).refusals
        path = APP_SERVERS.path(namespace=build.ref.namespace)
        try:
            answer = await self._post(path, render_app_server(create, build))
            self._store.put_app_server(app_server_from_json(answer))
            refusals.pop(create.name, None)
        except AlreadyExistsError:
            await self._meet_app_server(create, build)
        except KubeError as error:
            steady = self._clock.now().steady
            refusal = refusal_of(create.name, error, refusals.get(create.name), steady)
            if is_unanswered(error):
                refusal = replace(refusal, kind=Refused.UNANSWERED)
            note_refusal(refusals, refusal, steady)

    async def _meet_app_server(self, create: CreateAppServer, build: PeriodicBuild) -> None:
        """Find out whose AppServer has the name we need (design 2.4)."""
        refusals = self._store.build_memory(build.ref.uid).refusals
        path = APP_SERVERS.path(namespace=build.ref.namespace, name=create.name)
        try:
            there = app_server_from_json(await self._session.get(path))
        except NotFoundError:
            return
        self._store.put_app_server(there)
        is_ours = there.controller_uid == build.ref.uid and not there.is_deleting
        if is_ours and (there.run, there.attempt, there.epoch, there.token) == (
            create.run,
            create.attempt,
            create.epoch,
            create.token,
        ):
            refusals.pop(create.name, None)
            return
        is_dying = there.is_deleting or (there.controller_uid is not None and not self._is_alive(there, build))
        kind = Refused.NAME_STILL_IN_USE if is_dying else Refused.NAME_COLLISION
        message = f"AppServer {create.name} exists and is not of this run"
        steady = self._clock.now().steady
        note_refusal(refusals, refused(create.name, kind, message, refusals.get(create.name), steady), steady)

    def _is_alive(self, there: AppServer, build: PeriodicBuild) -> bool:
        return there.controller_uid == build.ref.uid or self._store.is_alive(there.controller_uid)

    async def _adopt(self, adopt: AdoptAppServer, build: PeriodicBuild) -> None:
        ref = adopt.app_server.ref
        refusals = self._store.build_memory(build.ref.uid).refusals
        path = APP_SERVERS.path(namespace=ref.namespace, name=ref.name)
        request = WriteRequest(method="PATCH", path=path, body=render_adoption(adopt, build), content_type=JSON_PATCH)
        try:
            self._store.put_app_server(app_server_from_json(await self._writer.submit(Priority.CREATE, request)))
            refusals.pop(ref.name, None)
        except NotFoundError:
            self._store.remove_app_server(ref)
        except (InvalidError, ConflictError) as error:
            there = app_server_from_json(await self._session.get(path))
            self._store.put_app_server(there)
            if there.run is None:
                self._note_refused_adoption(ref.name, error, refusals)
        except KubeError as error:
            self._note_refused_adoption(ref.name, error, refusals)

    async def _cancel(self, cancel: CancelAppServer, build: PeriodicBuild) -> None:
        path = APP_SERVERS.path(namespace=build.ref.namespace, name=cancel.name)
        body = render_cancellation(cancel.uid)
        request = WriteRequest(method="PATCH", path=path, body=body, content_type=JSON_PATCH)
        try:
            self._store.put_app_server(app_server_from_json(await self._writer.submit(Priority.CREATE, request)))
        except (NotFoundError, InvalidError):  # it is gone, or another has its name
            self._store.note_gone(cancel.uid)

    def _note_refused_adoption(self, name: str, error: KubeError, refusals: dict[str, Refusal]) -> None:
        steady = self._clock.now().steady
        note_refusal(refusals, refusal_of(name, error, refusals.get(name), steady), steady)

    async def _dry_run(self, action: DryRunPod, build: PeriodicBuild) -> None:
        path = PODS.path(namespace=build.ref.namespace)
        memory = self._store.build_memory(build.ref.uid)
        try:
            await self._post(path, render_dry_run_pod(build), {"dryRun": "All"})
        except AlreadyExistsError:
            memory.dry_run = DryRun(generation=action.generation, refusal=None)
        except KubeError as error:
            steady = self._clock.now().steady
            refusal = refusal_of("dry run", error, memory.dry_run.refusal if memory.dry_run else None, steady)
            if refusal.kind in {Refused.FORBIDDEN, Refused.INVALID}:
                refusal = replace(refusal, retry_at=steady + CHECKED_AGAIN_AFTER)
            memory.dry_run = DryRun(generation=action.generation, refusal=refusal)
        else:
            memory.dry_run = DryRun(generation=action.generation, refusal=None)

    async def _confirm_app_server(self, confirm: ConfirmAbsence, build: PeriodicBuild) -> None:
        path = APP_SERVERS.path(namespace=build.ref.namespace, name=confirm.name)
        try:
            there = app_server_from_json(await self._session.get(path))
        except NotFoundError:
            self._note_absent(confirm, build)
            return
        if confirm.uid is None:
            self._store.build_memory(build.ref.uid).refusals.pop(confirm.name, None)
        elif there.ref.uid != confirm.uid:
            self._store.note_gone(confirm.uid)
        self._store.put_app_server(there)

    def _note_absent(self, confirm: ConfirmAbsence, build: PeriodicBuild) -> None:
        """Note that an object is gone or, if its create was never answered, that it was not made."""
        if confirm.uid is not None:
            self._store.note_gone(confirm.uid)
            return
        refusals = self._store.build_memory(build.ref.uid).refusals
        refusals[confirm.name] = replace(refusals[confirm.name], kind=Refused.API_ERROR)

    async def _create_pod(self, app_server: AppServer) -> None:
        memory = self._store.attempt_memory(app_server.ref.uid)
        path = PODS.path(namespace=app_server.ref.namespace)
        try:
            self._store.put_pod(pod_from_json(await self._post(path, render_pod(app_server))))
            memory.refusal = None
        except AlreadyExistsError:
            await self._meet_pod(app_server)
        except KubeError as error:
            memory.refusal = refusal_of(app_server.ref.name, error, memory.refusal, self._clock.now().steady)

    async def _meet_pod(self, app_server: AppServer) -> None:
        """Find out whose pod has the name we need."""
        memory = self._store.attempt_memory(app_server.ref.uid)
        pod = await self._get_pod(app_server)
        if pod is None:
            return
        if pod.controller_uid == app_server.ref.uid:
            self._store.put_pod(pod)
            memory.refusal = None
            return
        is_dying = pod.is_deleting or (pod.is_ours and not self._store.is_alive(pod.controller_uid))
        kind = Refused.NAME_STILL_IN_USE if is_dying else Refused.NAME_COLLISION
        message = f"pod {pod.ref.name} exists and is not of this AppServer"
        memory.refusal = refused(app_server.ref.name, kind, message, memory.refusal, self._clock.now().steady)

    async def _confirm_pod(self, app_server: AppServer) -> None:
        pod = await self._get_pod(app_server)
        if pod is not None and pod.controller_uid == app_server.ref.uid:
            self._store.put_pod(pod)
        else:
            self._store.attempt_memory(app_server.ref.uid).pod_is_absent = True

    async def _get_pod(self, app_server: AppServer) -> Pod | None:
        path = PODS.path(namespace=app_server.ref.namespace, name=app_server.ref.name)
        try:
            return pod_from_json(await self._session.get(path))
        except NotFoundError:
            return None

    async def _read_log(self, read: ReadLog, app_server: AppServer) -> None:
        """Read the end of a log once; that it could not be had is all there is to show of it then (R24)."""
        path = PODS.path(namespace=app_server.ref.namespace, name=read.pod, subresource="log")
        params = {"container": read.container, "tailLines": str(LOG_LINES)}
        try:
            async with asyncio.timeout(LOG_WITHIN_SECONDS):
                raw = await self._session.read_end(path, params, size=LOG_BYTES)
        except TimeoutError:
            raw = f"(the log could not be read within {LOG_WITHIN_SECONDS} s)".encode()
        except KubeError as error:
            raw = f"(the log could not be read: {error.message or error})".encode()
        log = redact(printable(raw), secrets_in(app_server.template))
        self._store.attempt_memory(app_server.ref.uid).log = log

    async def _check_namespace(self, app_server: AppServer) -> None:
        is_terminating = await is_namespace_terminating(self._session, app_server.ref.namespace)
        self._store.attempt_memory(app_server.ref.uid).namespace_is_terminating = is_terminating

    async def _post(self, path: str, body: bytes, params: dict[str, str] | None = None) -> bytes:
        request = WriteRequest(method="POST", path=path, body=body, params=params or {})
        return await self._writer.submit(Priority.CREATE, request)
