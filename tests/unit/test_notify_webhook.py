"""The signed CloudEvent that a webhook gets, and its description (docs/webhooks.md)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.builders.hook_notices import a_capsule, a_notice
from tests.builders.values import at
from tests.receivers import receiving

from periodicbuild.core.reasons import NoticeKind
from periodicbuild.notify.cloud_events import event_json
from periodicbuild.notify.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.receivers import Received

    from periodicbuild.notify.notice import Notice, Receipt

KEY = "0123456789abcdef-a-key"
DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "webhooks.md").read_text()


def documented(language: str) -> str:
    """Give the block of the document in a language; there is one of each."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return str(block)


async def received_of(folder: Path, *notices: Notice, key: str | None = KEY) -> Received:
    """Send one notice, or several as a digest, and give what the receiver got."""
    (folder / "key").write_text(f"{key}\n")
    async with receiving() as receiver:
        (folder / "url").write_text(receiver.url)
        sink = WebhookSink(url_file=folder / "url", key_file=folder / "key" if key else None)
        receipt = await (sink.send(notices[0], ()) if len(notices) == 1 else sink.send_digest(notices, ()))
        assert receipt.is_accepted
        (received,) = receiver.received
        return received


def test_the_event_is_the_one_of_the_document() -> None:
    assert json.loads(event_json(a_notice())) == json.loads(documented("json"))


def test_every_field_of_an_event_is_described() -> None:
    every = a_notice(failure=a_capsule(signal=9), next_attempt_at=at("2026-11-26T02:00:00"), left_out=2)
    data = json.loads(event_json(every))["data"]

    table = DOCUMENT.partition("| field |")[2].partition("\n\n")[0]
    assert [name for name in data if f"`{name}`" not in table] == []


@pytest.mark.parametrize("kind", NoticeKind)
def test_what_is_not_known_is_not_there(kind: NoticeKind) -> None:
    event = json.loads(event_json(a_notice(kind, failure=None, slot=None, attempt=0, last_success_at=None)))

    assert event["type"] == f"dev.periodicbuild.{kind}.v1"
    assert not event["data"].keys() & {"failure", "slotTime", "attempt", "lastSuccessTime", "leftOut"}


def test_a_body_is_signed_as_it_is_sent(tmp_path: Path) -> None:
    received = asyncio.run(received_of(tmp_path, a_notice()))

    assert (received.method, received.headers["Content-Type"]) == ("POST", "application/cloudevents+json")
    expected = hmac.digest(KEY.encode(), received.body, hashlib.sha256).hex()
    assert received.headers["X-PeriodicBuild-Signature"] == f"sha256={expected}"
    assert received.body == event_json(a_notice())


def test_the_document_verifies_it(tmp_path: Path) -> None:
    received = asyncio.run(received_of(tmp_path, a_notice()))
    names: dict[str, Any] = {}
    exec(documented("python"), names)  # noqa: S102 - the code of our own document
    is_genuine, signature = names["is_genuine"], received.headers["X-PeriodicBuild-Signature"]

    assert is_genuine(received.body, signature, KEY.encode())
    assert not is_genuine(received.body + b" ", signature, KEY.encode())
    assert not is_genuine(received.body, signature, b"another")
    assert not is_genuine(received.body, "sha256=\u00e9", KEY.encode())


def test_a_repeat_is_the_same_bytes_and_another_fact_has_another_id() -> None:
    ids = {json.loads(event_json(notice))["id"] for notice in (a_notice(), replace(a_notice(), key="other/RunFailed"))}

    assert event_json(a_notice()) == event_json(a_notice())
    assert len(ids) == 2


def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    assert "X-PeriodicBuild-Signature" not in asyncio.run(received_of(tmp_path, a_notice(), key=None)).headers


def test_a_digest_is_one_signed_batch_in_the_order_given_and_without_logs(tmp_path: Path) -> None:
    notices = [a_notice(), a_notice(NoticeKind.RUN_RECOVERED)]

    received = asyncio.run(received_of(tmp_path, *notices))

    assert received.headers["Content-Type"] == "application/cloudevents-batch+json"
    expected = hmac.digest(KEY.encode(), received.body, hashlib.sha256).hex()
    assert received.headers["X-PeriodicBuild-Signature"] == f"sha256={expected}"
    alone: Sequence[dict[str, Any]] = [json.loads(event_json(notice)) for notice in notices]
    del alone[0]["data"]["failure"]["logTail"]
    assert json.loads(received.body) == alone


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (None, "there is no file FILE with the key: mount the Secret that holds it"),
        ("", "the file FILE with the key is empty"),
        ("hunter2", "the key in FILE is shorter than 16 bytes: make a longer one"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_and_nothing_is_posted_unsigned(
    tmp_path: Path, key: str | None, problem: str
) -> None:
    if key is not None:
        (tmp_path / "key").write_text(key)

    async def scenario() -> tuple[Receipt, int]:
        async with receiving() as receiver:
            (tmp_path / "url").write_text(receiver.url)
            sink = WebhookSink(url_file=tmp_path / "url", key_file=tmp_path / "key")
            return await sink.send(a_notice(), ()), len(receiver.received)

    receipt, seen = asyncio.run(scenario())

    assert (receipt.is_accepted, receipt.is_final, seen) == (False, False, 0)
    assert receipt.problem.replace(str(tmp_path / "key"), "FILE") == problem


def test_the_key_is_read_for_each_try_since_secrets_rotate(tmp_path: Path) -> None:
    first, second = (asyncio.run(received_of(tmp_path, a_notice(), key=KEY + which)) for which in "12")

    assert first.body == second.body
    assert first.headers["X-PeriodicBuild-Signature"] != second.headers["X-PeriodicBuild-Signature"]
