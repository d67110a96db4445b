"""Laws of what is posted: any text may stand in a notice, and no text of a URL's file does harm."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.strategies import counts, instants
from tests.builders.values import at

from periodicbuild.core.reasons import NoticeKind
from periodicbuild.notify.cloud_events import LARGEST_EVENT, CloudEvent, batch_json, event_json, event_of
from periodicbuild.notify.mounted import parse_address
from periodicbuild.notify.notice import Failure, Notice
from periodicbuild.notify.slack_text import FENCE, LONGEST_SECTION, digest_json, message_json

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
"""Of a failing example; hypothesis makes it beforehand, and texts are long here."""

ANY = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Z", "C")))
"""Surrogates, controls and marks of direction, too."""
LONG = st.builds(lambda text, times: text * times, ANY, st.sampled_from([1, 1, 1000]))
NUMBERS = st.none() | st.integers(-(2**31), 2**31)

FAILURES = st.builds(
    Failure,
    failure_class=LONG,
    reason=LONG,
    message=LONG,
    stage=LONG,
    container=st.none() | LONG,
    exit_code=NUMBERS,
    signal=NUMBERS,
    node=st.none() | LONG,
    image_digests=st.lists(LONG, max_size=20).map(tuple),
    log=LONG,
)

NOTICES: SearchStrategy[Notice] = st.builds(
    Notice,
    kind=st.sampled_from(NoticeKind),
    key=LONG,
    uid=LONG,
    namespace=LONG,
    name=LONG,
    thread=LONG,
    run=LONG,
    trigger=LONG,
    attempt=counts,
    app_server=LONG,
    slot=st.none() | instants,
    owed_at=instants,
    failure=st.none() | FAILURES,
    outcome_reason=LONG,
    failing_since=st.none() | instants,
    failures_in_a_row=counts,
    last_success_run=st.none() | LONG,
    last_success_at=st.none() | instants,
    next_attempt_at=st.none() | instants,
    next_slot=st.none() | instants,
    schedule_text=LONG,
    left_out=counts,
)


@given(NOTICES)
def test_an_event_is_json_that_reads_back_as_it_was_and_has_at_most_64_kib(notice: Notice) -> None:
    body = event_json(notice)

    assert len(body) <= LARGEST_EVENT
    assert msgspec.json.decode(body, type=CloudEvent) == event_of(notice)
    assert msgspec.json.decode(batch_json([notice] * 2), type=list[CloudEvent])[1] == event_of(notice, with_log=False)
    assert {"specversion", "id", "source", "type", "time", "data"} <= json.loads(body).keys()


@given(st.lists(NOTICES, min_size=1, max_size=4))
def test_a_message_is_json_within_the_bounds_of_a_chat_and_nothing_in_it_is_obeyed(notices: list[Notice]) -> None:
    for message in (json.loads(message_json(notices[0])), json.loads(digest_json(notices))):
        for block in message["blocks"]:
            text = block["text"]["text"]
            assert 0 < len(text.encode("utf-16-le")) // 2 <= LONGEST_SECTION
            assert "<" not in text
            assert text.count(FENCE) in (0, 2)
        assert message["text"] == "\n".join(block["text"]["text"] for block in message["blocks"])


def test_the_largest_notice_fits() -> None:
    """The law above would hardly find it: every text longer than it may be, of the widest characters."""
    wide = "\U0001f525" * 5_000
    words = ("failure_class", "reason", "message", "stage", "container", "node")
    capsule: dict[str, Any] = dict.fromkeys(words, wide)
    failure = Failure(image_digests=(wide,) * 100, log=f"{wide}\n" * 1_000, **capsule)
    texts = [field.name for field in fields(Notice) if field.type in ("str", "str | None")]
    special: dict[str, Any] = dict.fromkeys(texts, wide)
    times = [field.name for field in fields(Notice) if field.type in ("datetime", "datetime | None")]
    special |= dict.fromkeys(times, at("2026-11-26T01:52:10"))

    size = len(event_json(Notice(kind=NoticeKind.STILL_FAILING, failure=failure, **special)))

    assert LARGEST_EVENT * 0.9 < size <= LARGEST_EVENT


@given(st.text() | st.from_regex(r"\Ahttps?://[^/]*/.*\Z"), st.sampled_from(["", "https://", "http://", "https://a@b"]))
def test_a_url_is_read_or_refused_in_our_own_words(text: str, scheme: str) -> None:
    try:
        told = parse_address(scheme + text).origin
    except ValueError as error:
        told = str(error)

    assert re.fullmatch(r"https?://[\w.:\[\]-]+|(write one|it|its|http is) .*", told)


def test_no_module_here_knows_a_path_of_a_url() -> None:
    """Whoever formats `address.url` into a sentence gives it away; one place hands it to the HTTP library."""
    notify = Path(__file__).parent.parent.parent / "operator" / "periodicbuild" / "notify"
    uses = [path.name for path in notify.glob("*.py") for _ in range(path.read_text().count("address.url"))]
    assert uses == ["posting.py"]
