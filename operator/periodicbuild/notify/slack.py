"""The chat: each notice is posted to an incoming webhook as Slack has them, and those who do as Slack does.

Must not know when it is tried again.

The one idea a newcomer would miss: 200 is not enough.  A proxy's login page answers 200, too; a chat says `ok`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.core.reasons import SinkName
from periodicbuild.notify.mounted import DeliveryError, read_address
from periodicbuild.notify.notice import Receipt
from periodicbuild.notify.posting import PATIENCE, Terms, post, receipt_of, refusal
from periodicbuild.notify.slack_text import digest_json, message_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from periodicbuild.notify.notice import Notice
    from periodicbuild.notify.posting import Answer

READS: Final = 1_024
"""Bytes of the answer; it is one word."""

_YES: Final = re.compile(r'\s*(?:ok|\{.*"(?:ok|success)"\s*:\s*true\b.*\})\s*', re.DOTALL)
"""Slack and Mattermost say `ok`, Rocket.Chat an object."""

_WORDS: Final = {
    "action_prohibited": "an administrator of the chat has forbidden it",
    "channel_is_archived": "the channel is archived",
    "channel_not_found": "the channel is gone",
    "invalid_payload": "it does not understand the message",
    "invalid_token": "the URL is not valid any more",
    "no_active_hooks": "the webhook is switched off",
    "no_service": "the webhook is switched off or removed",
    "no_service_id": "the URL is incomplete",
    "no_team": "the URL is not valid any more",
    "posting_to_general_channel_denied": "nobody may post to that channel by webhook",
    "team_disabled": "the workspace is disabled",
    "user_not_found": "the user it is for is gone",
}
"""Slack's reasons; of an answer nothing else is ever told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSink:
    """Post to the incoming webhook whose URL is in a file, which is read for each try."""

    url_file: Path
    ca_file: Path | None = None
    """The authorities that are trusted, instead of the system's."""
    patience: timedelta = PATIENCE

    @property
    def name(self) -> SinkName:
        """Name it."""
        return SinkName.SLACK

    async def send(self, notice: Notice, to: Sequence[str]) -> Receipt:  # noqa: ARG002 - the URL says who is told
        """Post one message."""
        return await self._post(message_json(notice))

    async def send_digest(self, notices: Sequence[Notice], to: Sequence[str]) -> Receipt:  # noqa: ARG002 - likewise
        """Post one message with a line for each."""
        return await self._post(digest_json(notices))

    async def _post(self, body: bytes) -> Receipt:
        terms = Terms(ca_file=self.ca_file, patience=self.patience, reads=READS)
        headers = {"Content-Type": "application/json"}
        try:
            return _judged(await post(read_address(self.url_file), body, headers, terms))
        except DeliveryError as error:
            return Receipt(is_accepted=False, problem=str(error))


def _judged(answer: Answer) -> Receipt:
    if answer.is_success and not _YES.fullmatch(answer.text):
        return refusal(answer, ", but not with ok: is it an incoming webhook?")
    reason = _WORDS.get(answer.text.strip())
    return refusal(answer, f": {reason}") if reason and not answer.is_success else receipt_of(answer)
