"""Creating an AppServer: what is asked for, and whether it may be asked for now (R14, R42)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.names import app_server_name
from periodicbuild.core.plans import CreateAppServer

if TYPE_CHECKING:
    from periodicbuild.core.look import Draft
    from periodicbuild.core.plans import Refusal, Refused
    from periodicbuild.core.reasons import Trigger


def create_app_server(draft: Draft, *, run: str, attempt: int, trigger: Trigger) -> CreateAppServer:
    """Ask for the record of one attempt, by the spec of now; the caller adds slot and token."""
    spec = draft.build.spec
    return CreateAppServer(
        name=app_server_name(draft.build.ref.name, run, attempt),
        run=run,
        attempt=attempt,
        trigger=trigger,
        slot=None,
        epoch=draft.schedule.epoch,
        succeed_when=spec.succeed_when,
        timeouts=spec.timeouts,
        template=spec.template,
    )


def is_refused(refusal: Refusal | None, kind: Refused) -> bool:
    """Tell whether a create was refused for that reason."""
    return refusal is not None and refusal.kind == kind


def may_try(draft: Draft, refusal: Refusal | None) -> bool:
    """Tell whether a create may be tried: a refused one after its back-off."""
    if refusal is None or draft.now.steady >= refusal.retry_at:
        return True
    draft.wake_at(steady=refusal.retry_at)
    return False
