"""The webhook: each notice is posted as a signed CloudEvent to one URL of the administrator's.

Must not know when it is tried again.

The one idea a newcomer would miss: the signature needs no timestamp.  A request that is replayed is a repeat, and the
id, which is signed with the rest of the body, folds repeats whoever makes them.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.core.reasons import SinkName
from periodicbuild.notify.cloud_events import BATCH, EVENT, batch_json, event_json
from periodicbuild.notify.mounted import DeliveryError, read_address, read_key
from periodicbuild.notify.notice import Receipt
from periodicbuild.notify.posting import PATIENCE, Terms, post, receipt_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from periodicbuild.notify.notice import Notice

SIGNATURE_HEADER: Final = "X-PeriodicBuild-Signature"


def signature_of(body: bytes, key: bytes) -> str:
    """Return what the header holds: HMAC-SHA256 of the very bytes of the body, in hex."""
    return f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSink:
    """Post to the URL of a file, signed with the key of another; both are read for each try."""

    url_file: Path
    key_file: Path | None = None
    """None = nothing is signed."""
    ca_file: Path | None = None
    """The authorities that are trusted, instead of the system's."""
    patience: timedelta = PATIENCE

    @property
    def name(self) -> SinkName:
        """Name it."""
        return SinkName.WEBHOOK

    async def send(self, notice: Notice, to: Sequence[str]) -> Receipt:  # noqa: ARG002 - the URL says who is told
        """Post one event."""
        return await self._post(event_json(notice), EVENT)

    async def send_digest(self, notices: Sequence[Notice], to: Sequence[str]) -> Receipt:  # noqa: ARG002 - likewise
        """Post one batch."""
        return await self._post(batch_json(notices), BATCH)

    async def _post(self, body: bytes, content_type: str) -> Receipt:
        terms = Terms(ca_file=self.ca_file, patience=self.patience)
        try:
            headers = {"Content-Type": content_type, **self._signature(body)}
            return receipt_of(await post(read_address(self.url_file), body, headers, terms))
        except DeliveryError as error:
            return Receipt(is_accepted=False, problem=str(error))

    def _signature(self, body: bytes) -> dict[str, str]:
        return {} if self.key_file is None else {SIGNATURE_HEADER: signature_of(body, read_key(self.key_file))}
