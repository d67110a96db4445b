"""The Service of a history, and what must be true of every switch of it (R28-R30).

The one idea a newcomer would miss: the books follow what the Service selects in truth, and who has asked for it.  They
never ask the code under test which server is the best one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.property.model import AnswerLostError, RefusedError

from periodicbuild.core.plans import Refused, SwitchService
from periodicbuild.core.reasons import State, Trigger
from periodicbuild.core.services import Service, ServiceRead

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.property.model import ApiServer
    from tests.property.model_knowledge import Knowledge

    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
    from periodicbuild.core.status import BuildStatus

NAME = "front"
HARMLESS = {"ServiceNotFound", "ServiceNotOptedIn", "ServiceNotSuitable", "SelectorChanged", "Forbidden"}
"""Reasons for which the Service may point anywhere."""


def pointed_at(service: Service, app_server: str | None) -> Service:
    """Give the Service with a selector that names an AppServer, or something else if it is None."""
    name = app_server or "somewhere-else"
    key = "app-server" if app_server is not None else "app"
    return replace(service, selector=((key, name),), app_server=app_server)


class ServingBooks:
    """What was ever selected, by whom, and which losses were answered."""

    def __init__(self) -> None:
        self.succeeded: set[str] = set()
        """Names of AppServers that have ever been up."""
        self.newness: dict[str, tuple[int, datetime, int]] = {}
        self.left: set[str] = set()
        """Names of servers from which the operator has switched back by itself."""

    def see_up(self, server: AppServer) -> None:
        """Take note of a success."""
        self.succeeded.add(server.ref.name)
        self.newness[server.ref.name] = server.newness

    def forget(self) -> None:
        """Forget what no status tells of any more."""
        self.left.clear()

    def see_build_status(self, before: BuildStatus, after: BuildStatus) -> None:
        """Check what status says is active."""
        if before.activation is not None and after.activation is None:
            self.forget()
        if after.activation is not None:
            assert after.activation.app_server in self.succeeded, f"{after.activation} has never been up"
        if before.activation is not None and after.activation is not None:
            was, now = ((one.epoch, one.slot) for one in (before.activation, after.activation))
            assert now >= was, f"{after.activation} would let a server come again after {before.activation}"

    def see_switch(self, before: Service, to: str, api: ApiServer) -> None:
        """Check a switch that the operator is about to make."""
        assert to in self.succeeded, f"the Service is pointed at {to}, which has never been up"
        build = api.build
        assert build is not None
        if build.activate is not None and build.activate.partition("/")[0] == to:
            self.left.discard(to)
            return
        assert to not in self.left, f"the Service is pointed at {to} again"
        was = before.app_server
        if was is not None and was in self.newness and self.newness[to] < self.newness[was]:
            self.left.add(was)

    def see_pod_removed(self, owner: AppServer, pod: Pod, api: ApiServer) -> None:
        """Check that what serves, and what may have to, is left alone (R29)."""
        build, service = api.build, api.services.get(NAME)
        if build is None or owner.state != State.RUNNING or build.status.activation is None:
            return
        known = build.status.activation
        up = [one for one in api.app_servers.values() if one.state == State.RUNNING and one.trigger != Trigger.MANUAL]
        is_newest = owner.trigger != Trigger.MANUAL and owner.newness >= max(one.newness for one in up)
        is_coming = is_newest and owner.newness[:2] > (known.epoch, known.slot)
        assert not is_coming, f"{pod.ref} is removed, and is newer than {known}"
        assert owner.ref.name != known.app_server, f"{pod.ref} is removed, and is active"
        until = known.fallback_until
        is_fallback = until is not None and api.clocks.now.steady < until and known.previous == owner.ref.name
        assert not is_fallback, f"{pod.ref} is removed, and is the fallback"
        if service is not None and service.activated_by == build.ref.name:
            assert service.app_server != owner.ref.name, f"{pod.ref} is removed, and the Service points at it"

    def check_rest(self, api: ApiServer) -> None:
        """Check, when nothing happens any more, that the Service points at the best there is, or status says why."""
        build = api.build
        if build is None or build.spec.activation is None:
            return
        verdict = build.status.condition("Activated")
        assert verdict is not None
        if verdict.reason in HARMLESS:
            return
        service, known = api.services.get(NAME), build.status.activation
        ready = [one for one in api.app_servers.values() if is_ready(one, build, api)]
        scheduled = [one for one in ready if one.trigger != Trigger.MANUAL]
        newest = max(scheduled, key=lambda one: one.newness, default=None)
        if known is None:
            assert newest is None, f"{newest} is Ready, and {verdict}"
            return
        assert service is not None
        if newest is not None:
            assert newest.newness[:2] <= (known.epoch, known.slot), f"{newest} is newer than {known}: {verdict}"
        active = api.app_servers.get(known.app_server)
        is_up = active is not None and active.state == State.RUNNING and not active.is_deleting
        assert verdict.status == str(is_up), f"{verdict} for {known}"
        assert not is_up or service.app_server == known.app_server, f"{service} and {known}: {verdict}"


def is_ready(server: AppServer, build: PeriodicBuild, api: ApiServer) -> bool:
    """Tell whether a server of the PeriodicBuild could serve."""
    pod = api.pods.get(server.ref.name)
    is_good_pod = pod is not None and pod.is_ready and not pod.is_deleting
    is_ours = server.controller_uid == build.ref.uid and not server.is_deleting
    return is_ours and is_good_pod and server.state == State.RUNNING


class ServiceClient:
    """The part of the operator that speaks of Services, in memory."""

    def __init__(self, api: ApiServer, knowledge: Knowledge, count_write: Callable[[], None]) -> None:
        self._api = api
        self._knowledge = knowledge
        self._count_write = count_write

    def read(self, name: str, build: PeriodicBuild) -> None:
        """Read the Service."""
        try:
            self._note(name, build, service=self._api.read_service(name))
        except RefusedError as refused:
            self._note(name, build, refused=refused.kind)

    def switch(self, switch: SwitchService, build: PeriodicBuild) -> None:
        """Point the Service at a server, if it is as it was read."""
        name = switch.service.name
        try:
            switched = self._api.switch_service(switch)
        except RefusedError as refused:
            self._note(name, build, refused=refused.kind)
        except AnswerLostError:
            self._count_write()
            self._note(name, build, refused=Refused.API_ERROR)
        else:
            if switched is None:
                self.read(name, build)
                return
            self._count_write()
            self._note(name, build, service=switched)

    def _note(
        self, name: str, build: PeriodicBuild, *, service: Service | None = None, refused: Refused | None = None
    ) -> None:
        if refused is not None:
            is_final = refused in {Refused.FORBIDDEN, Refused.INVALID}
            refused = Refused.FORBIDDEN if is_final else Refused.API_ERROR
        now = self._api.clocks.now.steady
        read = ServiceRead(name=name, read_at=now, version=build.resource_version, service=service, refused=refused)
        self._knowledge.memory.service = read
