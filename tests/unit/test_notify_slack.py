"""What a chat shows, and that no text of the cluster makes it do anything else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.builders.hook_notices import a_capsule, a_notice
from tests.receivers import answers, receiving

from periodicbuild.core.reasons import NoticeKind
from periodicbuild.notify.slack import SlackSink
from periodicbuild.notify.slack_text import LONGEST_SECTION, digest_json, escaped, message_json

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loopback import Answer

    from periodicbuild.notify.notice import Receipt

EVIL = "<!channel> <@U123> <https://evil.example|click> @here @channel & ```"


def sections(message: bytes) -> list[str]:
    """Give the texts of a message's blocks, each within its bound."""
    texts = [block["text"] for block in json.loads(message)["blocks"]]
    assert all(text["type"] == "mrkdwn" and text["verbatim"] for text in texts)
    assert all(len(text["text"].encode("utf-16-le")) <= 2 * LONGEST_SECTION for text in texts)
    return [text["text"] for text in texts]


def test_a_failure_is_told_with_cause_what_comes_and_the_end_of_the_log() -> None:
    told, log = sections(message_json(a_notice()))

    assert told.splitlines() == [
        "*apps/nightly has failed*",
        "*Failure:* Build/NonZeroExit: container build ended with exit code 3",
        "*Where:* container build, exit code 3, while Configuring, on node-1",
        "*Then:* no further attempt (RetriesUsedUp), the next slot is 2026-11-27T01:30:00Z",
        "*Run:* 20261126-013000, Schedule, attempt 3, due 2026-11-26T01:30:00Z",
        "*Before:* failing since 2026-11-26T01:52:10Z, 1 in a row, last success 2026-11-25T01:41:07Z",
        "*Schedule:* daily 02:30 Europe/Berlin",
        "`kubectl periodicbuild logs nightly -n apps --run 20261126-013000`",
    ]
    assert log == "```\nstep 1 of 2\nstep 2 of 2\nno space left on device\n```"


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        (NoticeKind.RUN_FAILED, "*apps/nightly has failed*"),
        (NoticeKind.STILL_FAILING, "*apps/nightly is still failing*"),
        (NoticeKind.RUN_RECOVERED, "*apps/nightly works again*"),
        (NoticeKind.ATTEMPT_FAILED, "*apps/nightly has failed in one attempt*"),
    ],
)
def test_every_kind_has_its_headline_in_blocks_and_in_the_text_for_notifications(
    kind: NoticeKind, headline: str
) -> None:
    message = message_json(a_notice(kind))

    assert sections(message)[0].splitlines()[0] == headline
    assert json.loads(message)["text"] == "\n".join(sections(message))


def test_little_that_is_known_is_still_a_message() -> None:
    (told,) = sections(
        message_json(
            a_notice(failure=a_capsule(message="", stage="", container=None, exit_code=None, signal=9, log=""))
        )
    )

    assert "*Failure:* Build/NonZeroExit\n*Where:* signal 9, on node-1\n" in told
    (gone,) = sections(message_json(a_notice(failure=None, left_out=2, next_slot=None, outcome_reason="", slot=None)))
    assert "*Left out:* 2 older notices, which nobody would take" in gone
    assert gone.endswith("`kubectl periodicbuild status nightly -n apps`")


def test_who_has_never_succeeded_is_told_so() -> None:
    assert "never succeeded" in sections(message_json(a_notice(last_success_at=None)))[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U123|me>", "&lt;@\u200bU123|me&gt;"),
        ("@here and @all", "@\u200bhere and @\u200ball"),
        ("me@example.com", "me@example.com"),
        ("&lt;!x&gt;", "&amp;lt;!x&amp;gt;"),
        ("```", "'''"),
        ("two\nlines\x1b[31m\u202e", "two lines"),
        ("&" * 8, "&amp;&amp;&amp;..."),
        ("\U0001f525" * 20, "\U0001f525" * 8 + "..."),
        ("x" * 21, "x" * 17 + "..."),
    ],
)
def test_no_chat_obeys_a_text_and_no_escape_is_cut_in_two(text: str, shown: str) -> None:
    assert escaped(text, 20) == shown


@pytest.mark.parametrize("field", ["name", "namespace", "run", "trigger", "schedule_text", "outcome_reason"])
def test_nothing_in_a_notice_mentions_anybody(field: str) -> None:
    capsule = a_capsule(message=EVIL, reason=EVIL, container=EVIL, node=EVIL, stage=EVIL, log=EVIL)
    special: dict[str, Any] = {field: EVIL}
    notice = a_notice(failure=capsule, **special)

    for text in (*sections(message_json(notice)), *sections(digest_json([notice, notice]))):
        assert "<" not in text
        assert ">" not in text
    told, log = sections(message_json(notice))
    assert "@here" not in told
    assert log == "```\n&lt;!channel&gt; &lt;@U123&gt; &lt;https://evil.example|click&gt; @here @channel &amp; '''\n```"


def test_of_a_long_log_the_end_is_shown() -> None:
    _, log = sections(message_json(a_notice(failure=a_capsule(log="\n".join(f"line {n}" for n in range(1000))))))

    assert log.splitlines()[1:-1] == [f"line {n}" for n in range(980, 1000)]


def test_of_a_log_that_is_all_escapes_the_end_is_shown() -> None:
    _, log = sections(message_json(a_notice(failure=a_capsule(log="&" * 5_000 + "end"))))

    assert log.startswith("```\n&amp;&amp;")
    assert log.endswith("&amp;end\n```")


def test_a_digest_has_a_line_for_each() -> None:
    (told,) = sections(digest_json([a_notice(), a_notice(NoticeKind.RUN_RECOVERED)]))

    assert told.splitlines() == [
        "*2 notices at once:*",
        "2026-11-26T01:52:10Z apps/nightly has failed: Build/NonZeroExit: container build ended with exit code 3",
        "2026-11-26T01:52:10Z apps/nightly works again",
    ]


def test_a_digest_that_is_too_long_says_so() -> None:
    (told,) = sections(digest_json([a_notice()] * 100))

    assert told.splitlines()[0] == "*100 notices at once:*"
    assert told.splitlines()[-2].endswith("container build ended with exit code 3")
    assert told.splitlines()[-1] == "and more: `kubectl periodicbuild status -A`"


@pytest.mark.parametrize(
    ("behaviour", "is_accepted", "is_final", "problem"),
    [
        pytest.param(answers(200, "ok"), True, False, "", id="Slack, Mattermost, Discord"),
        pytest.param(answers(200, '{"success": true}'), True, False, "", id="Rocket.Chat"),
        pytest.param(
            answers(200, "<html>please log in, ok?</html>"),
            False,
            False,
            "HERE answers 200 OK, but not with ok: is it an incoming webhook?",
            id="a login page",
        ),
        pytest.param(
            answers(403, "action_prohibited"),
            False,
            False,
            "HERE answers 403 Forbidden: an administrator of the chat has forbidden it",
            id="a reason of Slack's",
        ),
        pytest.param(
            answers(410, "channel_is_archived"),
            False,
            True,
            "HERE answers 410 Gone: the channel is archived",
            id="a reason that is final",
        ),
        pytest.param(
            answers(404, "no such thing"),
            False,
            False,
            "HERE answers 404 Not Found: is the path of the URL still the right one?",
            id="words of somebody",
        ),
    ],
)
def test_a_chat_says_ok_or_why_not(
    tmp_path: Path, behaviour: Answer, problem: str, *, is_accepted: bool, is_final: bool
) -> None:
    async def scenario() -> tuple[Receipt, str, str]:
        async with receiving(behaviour) as receiver:
            (tmp_path / "url").write_text(receiver.url)
            receipt = await SlackSink(url_file=tmp_path / "url").send_digest([a_notice()], ())
            return receipt, receiver.url, receiver.received[0].headers["Content-Type"]

    receipt, url, content_type = asyncio.run(scenario())

    assert content_type == "application/json"
    assert (receipt.is_accepted, receipt.is_final) == (is_accepted, is_final)
    assert receipt.problem.replace(url, "HERE") == problem
