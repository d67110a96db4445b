"""Letters as people and their filters see them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from tests.builders.looks import a_wait
from tests.builders.notices import (
    A_FAILURE,
    OF_EACH_KIND,
    OWED,
    a_failed_attempt,
    a_failed_run,
    a_recovery,
    a_reminder,
)

from periodicbuild.core.reasons import Blocker, NoticeKind
from periodicbuild.notify.instants import span
from periodicbuild.notify.letters import digest_letter, heartbeat_letter, letter
from periodicbuild.notify.overviews import ROWS, Heartbeat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage

    from periodicbuild.notify.notice import Notice

SENDER = "Periodic builds <builds@example.com>"
TO = ("oncall@example.com", "ann@example.org")
A_HEARTBEAT = Heartbeat(
    at=OWED, version="0.1.0", periodic_builds=120, failing=3, next_at=datetime(2026, 11, 26, 2, 47, 12, tzinfo=UTC)
)


def a_letter(notice: Notice, *, to: Sequence[str] = TO) -> EmailMessage:
    """Write a letter."""
    return letter(notice, sender=SENDER, to=to, domain="example.com")


def a_digest(*notices: Notice) -> EmailMessage:
    """Write one about many."""
    return digest_letter(notices, sender=SENDER, to=TO, domain="example.com")


def a_sign_of_life(heartbeat: Heartbeat = A_HEARTBEAT) -> EmailMessage:
    """Write that all is well."""
    return heartbeat_letter(heartbeat, sender=SENDER, to=TO, domain="example.com")


def received(message: EmailMessage) -> EmailMessage:
    """Read it as the other side does."""
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)


def part_of(message: EmailMessage, kind: str) -> str:
    """Give the text or the HTML of a letter that was received."""
    body = received(message).get_body((kind,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


def text_of(message: EmailMessage) -> str:
    """Give its text, without what is at the end of lines."""
    return part_of(message, "plain").replace("\r\n", "\n")


FAILED = """\
apps/openedx: build failed (NonZeroExit, exit code 2)

container main ended with exit code 2

This run has no further attempt: its retries are used up (RetriesUsedUp).

  Run            20261125-023000, attempt 3, by schedule
  Due            2026-11-25 02:30:00 UTC
  Failed         2026-11-25 02:47:12 UTC
  AppServer      openedx-20261125-023000-3
  Class          Build (the build itself, not the cluster)
  Reason         NonZeroExit
  Stage          Configuring
  Container      main, exit code 2
  Node           worker-3
  Image          registry.example.com/team/openedx
    sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  Failing since  2026-11-23 02:44:00 UTC (2 days)
  In a row       3 failed runs of the schedule
  Last success   2026-11-22 02:41:30 UTC (3 days ago), run 20261122-023000
  Next slot      2026-11-26 02:30:00 UTC (in 23 hours 42 minutes)
  Schedule       every 24h

The log:
  kubectl periodicbuild logs openedx -n apps --run 20261125-023000

Why it does not run now, and what comes next:
  kubectl periodicbuild why openedx -n apps

Run it again, and watch:
  kubectl periodicbuild run openedx -n apps --wait

The last that container main wrote:

  Collecting xblock-drag-and-drop-v2==5.0.2
  Building wheels for collected packages: lxml
    error: subprocess-exited-with-error
    fatal error: libxml/xmlversion.h: No such file or directory
  make: *** [Makefile:41: requirements] Error 1
"""

REMINDER_WITHOUT_A_RECORD = """\
apps/openedx: still failing after 5 days

The record of the attempt is gone: nothing more is known about how it failed.

This run has no further attempt: its retries are used up (RetriesUsedUp).

2 older notices about this PeriodicBuild could not be delivered and were given
up.

  Run            20261128-023000, attempt 3, by schedule
  Due            2026-11-28 02:30:00 UTC
  As of          2026-11-28 02:50:00 UTC
  AppServer      openedx-20261128-023000-3
  Failing since  2026-11-23 02:44:00 UTC (5 days)
  In a row       6 failed runs of the schedule
  Last success   2026-11-22 02:41:30 UTC (6 days ago), run 20261122-023000
  Next slot      2026-11-29 02:30:00 UTC (in 23 hours 40 minutes)
  Schedule       every 24h

What became of each slot:
  kubectl periodicbuild history openedx -n apps

Why it does not run now, and what comes next:
  kubectl periodicbuild why openedx -n apps

Run it again, and watch:
  kubectl periodicbuild run openedx -n apps --wait
"""

RECOVERED = """\
apps/openedx: build succeeded again after 5 days 23 hours

Run 20261129-023000 succeeded. Before it, 6 runs of the schedule failed in a
row.

  Run           20261129-023000, attempt 1, by schedule
  Due           2026-11-29 02:30:00 UTC
  Succeeded     2026-11-29 02:41:00 UTC
  AppServer     openedx-20261129-023000-1
  Failed since  2026-11-23 02:44:00 UTC (5 days 23 hours)
  In a row      6 failed runs of the schedule
  Last success  2026-11-22 02:41:30 UTC (6 days 23 hours ago), run
                20261122-023000
  Next slot     2026-11-30 02:30:00 UTC (in 23 hours 49 minutes)
  Schedule      every 24h

What became of each slot:
  kubectl periodicbuild history openedx -n apps
"""

ATTEMPT_FAILED = """\
apps/openedx: attempt 1 failed (Evicted, signal 9)

It is tried again at 2026-11-25 02:48:12 UTC (in 1 minute).

  Run           20261125-023000, attempt 1, by schedule
  Due           2026-11-25 02:30:00 UTC
  Failed        2026-11-25 02:47:12 UTC
  AppServer     openedx-20261125-023000-1
  Class         Disruption (its pod was taken away: eviction, preemption, a
                lost node)
  Reason        Evicted
  Container     exit code 137, signal 9
  Last success  never
  Next attempt  2026-11-25 02:48:12 UTC (in 1 minute)
  Next slot     2026-11-26 02:30:00 UTC (in 23 hours 42 minutes)
  Schedule      every 24h

The log:
  kubectl periodicbuild logs openedx -n apps --run 20261125-023000

Why it does not run now, and what comes next:
  kubectl periodicbuild why openedx -n apps

Run it again, and watch:
  kubectl periodicbuild run openedx -n apps --wait

The last that the build wrote:

  killed
"""

DIGEST = """\
periodicbuild: 3 notices held back (1 failed, 1 recovered, 1 to be tried
again)

There were too many for a letter each within 3 days 23 hours. This one
replaces them, oldest first.

Older ones that could not be delivered and were given up: 2.

  2026-11-25 02:47:12 UTC  apps/openedx: build failed (NonZeroExit, exit code
                           2), run 20261125-023000
  2026-11-25 02:47:12 UTC  apps/openedx: attempt 1 failed (NonZeroExit, exit
                           code 2), run 20261125-023000
  2026-11-29 02:41:00 UTC  apps/openedx: build succeeded again after 5 days 23
                           hours, run 20261129-023000

How all of them are now:
  kubectl periodicbuild status -A
"""

SIGN_OF_LIFE = """\
periodicbuild: alive, 120 PeriodicBuilds, 3 of them are failing

The operator runs, and this is how its mail arrives. The next one is due at
2026-11-26 02:47:12 UTC: if it stays away, look at the operator.

  PeriodicBuilds  120
  Failing         3
  Version         0.1.0
  Sent for        2026-11-25 02:47:12 UTC

How all of them are now:
  kubectl periodicbuild status -A
"""

EVICTED = replace(
    A_FAILURE,
    failure_class="Disruption",
    reason="Evicted",
    message="",
    stage="",
    container=None,
    exit_code=137,
    signal=9,
    node=None,
    image_digests=(),
    log="killed\n\n",
)

TEXTS = {
    "a run that failed": (a_letter(a_failed_run()), FAILED),
    "a reminder without a record": (a_letter(a_reminder(failure=None, left_out=2)), REMINDER_WITHOUT_A_RECORD),
    "a recovery": (a_letter(a_recovery()), RECOVERED),
    "an attempt of which little is known": (
        a_letter(a_failed_attempt(failure=EVICTED, last_success_at=None, last_success_run=None)),
        ATTEMPT_FAILED,
    ),
    "a digest": (a_digest(a_failed_run(left_out=2), a_failed_attempt(), a_recovery()), DIGEST),
    "a sign of life": (a_sign_of_life(), SIGN_OF_LIFE),
}


@pytest.mark.parametrize(("message", "text"), TEXTS.values(), ids=TEXTS)
def test_a_letter_says_at_eighty_columns(message: EmailMessage, text: str) -> None:
    assert text_of(message) == text
    assert max(map(len, text.splitlines())) <= 78
    assert message["Subject"] == " ".join(text.split("\n\n", maxsplit=1)[0].split())


SUBJECTS = {
    a_failed_run(): "apps/openedx: build failed (NonZeroExit, exit code 2)",
    a_failed_run(failure=None): "apps/openedx: build failed",
    a_reminder(): "apps/openedx: still failing after 5 days (NonZeroExit, exit code 2)",
    a_recovery(failing_since=None): "apps/openedx: build succeeded again",
    a_failed_attempt(attempt=0): "apps/openedx: attempt failed (NonZeroExit, exit code 2)",
    a_failed_run(name="x" * 300): f"apps/{'x' * 192}...",
    a_failed_run(
        name="a\r\nBcc: eve@example.com"
    ): "apps/a Bcc: eve@example.com: build failed (NonZeroExit, exit code 2)",
    a_failed_run(name="a\0\x1b[31m\u2028\u202eb\ud83d"): "apps/ab?: build failed (NonZeroExit, exit code 2)",
    a_failed_run(name="=?utf-8?q?=0D=0ABcc:_eve=40example.com?="): (
        "apps/= ?utf-8?q?=0D=0ABcc:_eve=40example.com?=: build failed (NonZeroExit, exit code 2)"
    ),
    a_failed_run(name="b\u00fccher-\U0001f4da"): "apps/b\u00fccher-\U0001f4da: build failed (NonZeroExit, exit code 2)",
}


@pytest.mark.parametrize(("notice", "subject"), SUBJECTS.items(), ids=SUBJECTS.values())
def test_a_subject_says_it_all_and_is_nothing_else(notice: Notice, subject: str) -> None:
    read = received(a_letter(notice))
    assert read["Subject"] == subject
    assert read["Bcc"] is None
    assert not read.defects


WHAT_FOLLOWS = {
    "RetriesUsedUp": "This run has no further attempt: its retries are used up (RetriesUsedUp).",
    "NotRetried": "This run has no further attempt: a failure of this kind is not retried (NotRetried).",
    "TimedOut": "This run has no further attempt: timeouts.run has passed (TimedOut).",
    "GivenUpForSlot": "This run has no further attempt: the next slot came before its next attempt (GivenUpForSlot).",
    "SomethingNew": "This run has no further attempt: SomethingNew.",
}


@pytest.mark.parametrize(("reason", "sentence"), WHAT_FOLLOWS.items())
def test_why_nothing_follows_is_said(reason: str, sentence: str) -> None:
    assert sentence in " ".join(text_of(a_letter(a_failed_run(outcome_reason=reason))).split())


def test_without_a_reason_and_without_an_instant_nothing_is_made_up() -> None:
    assert "no further attempt" not in text_of(a_letter(a_failed_run(outcome_reason="")))
    assert "\nIt is tried again.\n" in text_of(a_letter(a_failed_attempt(next_attempt_at=None)))


def test_a_run_by_hand_has_no_slot_and_one_of_which_nothing_is_known_has_no_rows() -> None:
    by_hand = text_of(a_letter(a_failed_run(run="m-1a2b3c4d", trigger="Manual", slot=None)))
    assert "  Run            m-1a2b3c4d, attempt 3, asked for by hand\n  Failed " in by_hand
    little = a_failed_run(trigger="", attempt=0, app_server="", slot=None, failure=None, schedule_text="")
    little = replace(little, failing_since=None, failures_in_a_row=0, last_success_at=None, next_slot=None)
    rows = text_of(a_letter(little)).split("\n\n")[3]
    assert rows.split("\n") == [
        "  Run           20261125-023000",
        "  Failed        2026-11-25 02:47:12 UTC",
        "  Last success  run 20261122-023000",
    ]


def test_what_has_changed_since_the_last_success_stands_below_the_run() -> None:
    """R31."""
    changed = ("code (111111111111 to 222222222222)", "base, not known: is down")
    lines = text_of(a_letter(a_failed_run(changed=changed))).splitlines()
    at = lines.index("  Changed        code (111111111111 to 222222222222)")
    assert lines[at + 1] == "                 base, not known: is down"
    assert "Changed" not in text_of(a_letter(a_failed_run()))


def test_a_gate_that_holds_the_next_slot_back_stands_below_it() -> None:
    """R32."""
    waiting = a_wait("2026-11-25T02:45:00", reason=Blocker.GATE_CLOSED, message="gate upgrade (me: disks) is closed")
    notice = a_failed_run(held_back=waiting, start_note="in spite of gate rollout")
    lines = text_of(a_letter(notice)).splitlines()
    at = lines.index("  Held back      the slot 2026-11-25 02:45:00 UTC")
    assert lines[at - 1].startswith("  Next slot ")
    assert lines[at + 1] == "                 GateClosed: gate upgrade (me: disks) is closed"
    assert lines[lines.index("  Started        in spite of gate rollout") - 1].startswith("  Due ")


def test_a_recovery_does_not_call_itself_the_last_success() -> None:
    assert "Last success" not in text_of(a_letter(a_recovery(last_success_run="20261129-023000")))
    assert "Before it, 1 run of the schedule failed in a row." in " ".join(
        text_of(a_letter(a_recovery(failures_in_a_row=1))).split()
    )
    assert "Before it" not in text_of(a_letter(a_recovery(failures_in_a_row=0)))
    assert "An older notice about this PeriodicBuild could not be delivered and was given up." in " ".join(
        text_of(a_letter(a_recovery(left_out=1))).split()
    )


def test_names_as_long_as_kubernetes_has_them_fit_into_eighty_columns() -> None:
    text = text_of(
        a_letter(a_failed_run(namespace="n" * 63, name="p" * 44, app_server="p" * 44 + "-20261125-023000-3"))
    )
    assert f"  kubectl periodicbuild logs {'p' * 44} \\\n      -n {'n' * 63} \\\n      --run 20261125-023000\n" in text
    head, _, rest = text.partition("\n\n")
    assert head == f"{'n' * 63}/{'p' * 44}:\nbuild failed (NonZeroExit, exit code 2)"
    assert max(map(len, rest.splitlines())) <= 78


def test_a_command_is_one_word_for_each_name_whatever_the_name() -> None:
    text = text_of(a_letter(a_failed_run(name="a; rm -rf ~")))
    assert "kubectl periodicbuild why 'a; rm -rf ~' -n apps\n" in text


def test_of_a_log_the_last_fifty_lines_are_shown_in_full() -> None:
    log = "\n".join(f"line {number}" for number in range(200)) + "\n" + "x" * 4000
    message = a_letter(a_failed_run(failure=replace(A_FAILURE, log=log)))
    shown = text_of(message).partition("wrote:\n\n")[2].strip("\n").split("\n")
    assert shown == [f"  line {number}" for number in range(151, 200)] + ["  " + "x" * 4000]
    assert max(map(len, message.as_bytes().split(b"\r\n"))) <= 998


class Markup(HTMLParser):
    """Collect what a mail program would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize(
    "message",
    [
        *(a_letter(make()) for make in OF_EACH_KIND.values()),
        a_digest(a_failed_run(name="<script>alert(1)</script>")),
        a_sign_of_life(replace(A_HEARTBEAT, version="<script>")),
        a_letter(
            a_failed_run(
                name="<script>alert(1)</script>",
                run="<img src=x onerror=alert(1)>",
                schedule_text="</td></table><a href=https://evil.example>",
                failure=replace(
                    A_FAILURE, log='<script>alert(1)</script> & "quotes"', message="<b>bold</b>", node="'<iframe>"
                ),
            )
        ),
    ],
)
def test_the_html_fetches_nothing_and_runs_nothing_whatever_it_shows(message: EmailMessage) -> None:
    markup = Markup()
    html = part_of(message, "html")
    markup.feed(html)
    assert not markup.tags & {"script", "img", "a", "link", "iframe", "object", "form", "b", "svg"}
    assert not {name for name in markup.attributes if name.startswith("on")} | markup.attributes & {"src", "href"}
    assert "url(" not in html
    assert "http" not in html.replace("https://evil.example", "")


def test_the_html_shows_what_was_written() -> None:
    failure = replace(A_FAILURE, log='<script>alert(1)</script> & "quotes"')
    html = part_of(a_letter(a_failed_run(failure=failure)), "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;quotes&#34;" in html
    assert "kubectl periodicbuild logs openedx -n apps --run 20261125-023000" in html


def test_filters_find_all_they_need_in_the_headers() -> None:
    read = received(a_letter(a_failed_run()))
    wanted = {
        "From": SENDER,
        "To": "oncall@example.com, ann@example.org",
        "Date": "Wed, 25 Nov 2026 02:47:12 +0000",
        "Auto-Submitted": "auto-generated",
        "List-Id": "<apps.periodicbuild.example.com>",
        "X-PeriodicBuild-Namespace": "apps",
        "X-PeriodicBuild-Name": "openedx",
        "X-PeriodicBuild-Run": "20261125-023000",
        "X-PeriodicBuild-Kind": "RunFailed",
        "X-PeriodicBuild-Reason": "NonZeroExit",
    }
    assert {name: read[name] for name in wanted} == wanted
    assert read.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert a_letter(a_recovery())["X-PeriodicBuild-Reason"] is None
    overviews = [a_digest(a_failed_run()), a_sign_of_life()]
    assert [message["X-PeriodicBuild-Kind"] for message in overviews] == ["Digest", "Heartbeat"]
    assert {message["List-Id"] for message in overviews} == {"<periodicbuild.example.com>"}


def test_ids_stay_in_one_piece_in_the_longest_domain() -> None:
    domain = ".".join(["d" * 60] * 4)
    sent = letter(a_failed_run(namespace="n" * 63), sender=SENDER, to=TO, domain=domain).as_bytes().decode()
    for header in ("Message-ID: <notice.", "In-Reply-To: <thread.", "References: <thread."):
        assert re.search(rf"^{header}[0-9a-f]{{32}}@{domain}>\r$", sent, re.MULTILINE)
    assert f"\r\nList-Id: <{'n' * 63}.periodicbuild.{domain}>\r\n" in sent


def test_an_episode_is_a_thread_whose_root_was_never_sent() -> None:
    episode = [a_letter(make()) for make in (a_failed_run, a_reminder, a_recovery)]
    (root,) = {message["References"] for message in episode}
    assert {message["In-Reply-To"] for message in episode} == {root}
    ids = {message["Message-ID"] for message in episode}
    assert len(ids) == 3
    assert root not in ids
    others = [a_failed_run(thread="20261201-023000"), a_failed_run(uid="another")]
    assert root not in {a_letter(other)["References"] for other in others}


def test_the_same_fact_is_the_same_letter_and_another_one_has_another_id() -> None:
    assert a_letter(a_failed_run()).as_bytes() == a_letter(a_failed_run()).as_bytes()
    assert a_digest(a_failed_run(), a_recovery()).as_bytes() == a_digest(a_failed_run(), a_recovery()).as_bytes()
    assert a_sign_of_life().as_bytes() == a_sign_of_life().as_bytes()
    others = [
        a_letter(a_failed_run()),
        a_letter(a_failed_run(uid="another")),
        a_letter(a_failed_run(key="20261125-023000/StillFailing")),
        a_letter(a_failed_run(uid=a_failed_run().uid + "2", key="0261125-023000/RunFailed")),
        a_digest(a_failed_run()),
        a_digest(a_failed_run(), a_recovery()),
        a_sign_of_life(),
        a_sign_of_life(replace(A_HEARTBEAT, at=OWED + timedelta(days=1))),
    ]
    assert len({message["Message-ID"] for message in others}) == len(others)
    assert len({message.get_boundary() for message in others}) == len(others)


def test_a_letter_to_nobody_that_can_be_named_is_to_undisclosed_recipients() -> None:
    assert received(a_letter(a_failed_run(), to=["b\u00f6b@example.com", "a b@c"]))["To"] == "undisclosed-recipients:;"


@pytest.mark.parametrize("domain", ["", "exa mple.com>\r\nBcc: x", "." * 5])
def test_a_domain_that_is_none_makes_no_other_header(domain: str) -> None:
    message = letter(a_failed_run(), sender=SENDER, to=TO, domain=domain)
    read = received(message)
    assert read["Bcc"] is None
    assert read["Message-ID"].endswith(">")
    assert " " not in read["Message-ID"]


def test_a_digest_of_thousands_shows_the_newest() -> None:
    many = [a_failed_run(key=f"{number}", run=f"run-{number}") for number in range(ROWS + 2)]
    text = text_of(a_digest(*many))
    assert f"Only the newest {ROWS} are shown." in text
    assert "run-1\n" not in text
    assert "run-2\n" in text


def test_a_sign_of_life_counts_in_words() -> None:
    one = Heartbeat(at=OWED, version="", periodic_builds=1, failing=1)
    message = a_sign_of_life(one)
    assert message["Subject"] == "periodicbuild: alive, 1 PeriodicBuild, 1 of them is failing"
    assert "Version" not in text_of(message)
    assert "The next one" not in text_of(message)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=2, seconds=1), "2 minutes 1 second"),
        (timedelta(days=1, minutes=59), "1 day"),
        (timedelta(days=-2, hours=-3), "2 days 3 hours"),
    ],
)
def test_a_length_of_time_is_told_by_its_two_largest_units(length: timedelta, words: str) -> None:
    assert span(length) == words


@pytest.mark.parametrize("sender", ["", "nobody", "a@b@c", "x <y>", "B\u00f6b <b\u00f6b@example.com>"])
def test_a_sender_that_is_none_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="is no address to send from"):
        letter(a_failed_run(), sender=sender, to=TO, domain="example.com")


def test_every_kind_has_a_letter() -> None:
    assert set(OF_EACH_KIND) == set(NoticeKind)
