"""Read and switch the Service of an activation; every answer, also a refusal, becomes a fact of the next look (R28).

Must not decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.plans import Refused
from periodicbuild.core.services import ServiceRead
from periodicbuild.kube.errors import ConflictError, ForbiddenError, InvalidError, KubeError, NotFoundError
from periodicbuild.kube.kinds import SERVICES
from periodicbuild.kube.services import render_switch, service_from_json
from periodicbuild.kube.session import JSON_PATCH
from periodicbuild.kube.writer import Priority, WriteRequest

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.plans import SwitchService
    from periodicbuild.core.services import Service
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.kube.writer import Writer
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.store import Store


class Services:
    """Speak to the API about Services."""

    def __init__(self, session: KubeSession, writer: Writer, store: Store, clock: Clock) -> None:
        self._session = session
        self._writer = writer
        self._store = store
        self._clock = clock

    async def read(self, name: str, build: PeriodicBuild) -> Service | None:
        """Read a Service, and remember what came of it."""
        try:
            answer = await self._session.get(SERVICES.path(namespace=build.ref.namespace, name=name))
        except NotFoundError:
            self._remember(name, build)
        except KubeError as error:
            self._remember(name, build, error=error)
        else:
            service = service_from_json(answer)
            self._remember(name, build, service=service)
            return service
        return None

    async def switch(self, switch: SwitchService, build: PeriodicBuild) -> None:
        """Point a Service at a server; where it is not as it was read, nothing happens and it is read again."""
        planned_on = switch.service
        path = SERVICES.path(namespace=build.ref.namespace, name=planned_on.name)
        body = render_switch(planned_on, switch.app_server)
        request = WriteRequest(method="PATCH", path=path, body=body, content_type=JSON_PATCH)
        try:
            answer = await self._writer.submit(Priority.CREATE, request)
        except (InvalidError, ConflictError, NotFoundError) as error:
            now_there = await self.read(planned_on.name, build)
            if now_there == planned_on and isinstance(error, InvalidError):  # it is refused, and not outdated
                self._remember(planned_on.name, build, service=now_there, error=error)
        except KubeError as error:
            self._remember(planned_on.name, build, error=error)
        else:
            self._remember(planned_on.name, build, service=service_from_json(answer))

    def _remember(
        self, name: str, build: PeriodicBuild, *, service: Service | None = None, error: KubeError | None = None
    ) -> None:
        refused = None
        if error is not None:
            is_final = isinstance(error, (ForbiddenError, InvalidError))
            refused = Refused.FORBIDDEN if is_final else Refused.API_ERROR
        self._store.build_memory(build.ref.uid).service = ServiceRead(
            name=name,
            read_at=self._clock.now().steady,
            version=build.resource_version,
            service=service,
            refused=refused,
            message="" if error is None else error.message or str(error),
        )
