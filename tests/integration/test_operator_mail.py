"""What people are told by mail, from a real operator to a mail server, and what the server says of it (R38-R40)."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Builds, Stage, eventually, see
from tests.integration.simulated_specs import Spec, a_build_spec, a_template
from tests.integration.test_cli_plugin import plugin_on
from tests.mail.running import RunningMailServer
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes

ME = "me@example.com"
TWICE = {"limit": 2, "delay": "1s"}


def told(to: str | list[str] = ME, **email: Any) -> dict[str, Any]:
    """Give the part of a spec that says who gets mail."""
    return {"email": {"to": [to] if isinstance(to, str) else to, **email}}


def failing(to: str | list[str] = ME, **fields: Any) -> Spec:
    """Give the spec of a build that fails."""
    return a_build_spec(exit_code=3, notifications=told(to)) | fields


def is_quiet(build: PeriodicBuild) -> bool:
    """Tell whether nothing is owed and nothing runs."""
    return not build.read("status.mail.pending") and not build.read("status.runs")


@pytest.fixture
def refusing(mail: RunningMailServer) -> Iterator[dict[str, str]]:
    """Give what the mail server answers, by recipient or command; afterwards it takes everything again."""
    answers: dict[str, str] = {}
    mail.server.answers = answers
    yield answers
    mail.server.answers = {}


def test_a_failed_run_is_one_letter_and_the_next_good_one_is_one_more_in_the_same_thread(
    stage: Stage, mail: RunningMailServer
) -> None:
    build = stage.create("nightly", failing(retries=TWICE))
    (failure,) = mail.wait_for(1, stage.namespace)
    see(build, is_quiet, "the letter is off the list")
    run = build.read("status.lastFailure.run")
    assert (failure["To"], failure["From"]) == (ME, "Builds <builds@example.com>")
    assert failure["X-PeriodicBuild-Run"] == run
    assert failure["X-PeriodicBuild-Kind"] == "RunFailed"
    assert "exit code 3" in failure["Subject"]
    assert len(stage.app_servers(build)) == 3
    assert (build.condition("Notified").status, build.condition("Notified").reason) == ("True", "NothingPending")
    assert build.read("status.mail.failingSince.run") == run
    assert build.read("status.mail.lastSentTime") is not None

    build.patch({"spec": {"template": a_template()}})
    build.run_now("mended")
    see(build, lambda one: one.read("status.lastSuccess.run"), "the run by hand has succeeded")
    _, recovery = mail.wait_for(2, stage.namespace)
    assert recovery["X-PeriodicBuild-Kind"] == "RunRecovered"
    assert recovery["References"] == failure["References"]
    assert recovery["In-Reply-To"] == failure["In-Reply-To"] not in {failure["Message-ID"], recovery["Message-ID"]}
    see(build, is_quiet, "the letter is off the list")
    assert build.read("status.mail.failingSince") is None

    build.run_now("again")
    see(build, lambda one: is_quiet(one) and one.read("status.manual.token") == "again", "it has succeeded once more")
    assert len(mail.letters_about(stage.namespace)) == 2


SPECS: dict[str, Spec] = {
    "cancelled": a_build_spec("1h", notifications=told()),
    "by hand": a_build_spec(exit_code=3, notifications=told(), enabled=False),
    "each attempt": failing(
        retries={"limit": 1, "delay": "1s"}, notifications=told(events=["AttemptFailed", "RunFailed"])
    ),
    "elsewhere": failing("spy@elsewhere.example"),
    "nobody": a_build_spec(exit_code=3),
    "recoveries only": failing(notifications=told(events=["RunRecovered"])),
}


@pytest.fixture(scope="module")
def builds(shared_stage: Stage) -> Builds:
    """Create them all, so that they are at work at the same time; each test has its own."""
    return shared_stage.create_all(SPECS)


def test_nobody_is_told_of_what_was_cancelled(shared_stage: Stage, builds: Builds, mail: RunningMailServer) -> None:
    """R25."""
    build = builds["cancelled"]
    shared_stage.attempt(build, 1, "ConfiguringServer")
    plugin_on(shared_stage).here("cancel", build.name)
    see(build, lambda one: one.fates == ["Started/Due: Cancelled/ByUser"] and is_quiet(one), "it is cancelled")
    assert mail.letters_about(build.namespace, build.name) == []


def test_a_failure_of_a_run_by_hand_is_told(builds: Builds, mail: RunningMailServer) -> None:
    """R27."""
    build = builds["by hand"]
    build.run_now("please")
    (letter,) = mail.wait_for(1, build.namespace, build.name)
    assert letter["X-PeriodicBuild-Run"].startswith("m-")


def test_whoever_asks_for_it_hears_of_each_attempt(builds: Builds, mail: RunningMailServer) -> None:
    build = builds["each attempt"]
    letters = mail.wait_for(2, build.namespace, build.name)
    assert [letter["X-PeriodicBuild-Kind"] for letter in letters] == ["AttemptFailed", "RunFailed"]
    assert letters[0]["References"] != letters[0]["Message-ID"]


def test_a_domain_that_the_administrator_has_not_allowed_gets_nothing(builds: Builds, mail: RunningMailServer) -> None:
    build = builds["elsewhere"]
    see(build, lambda one: one.read("status.lastFailure") and is_quiet(one), "it has failed")
    notified = build.condition("Notified")
    assert (notified.status, notified.reason) == ("False", "RecipientRefused")
    assert "elsewhere.example" in notified.message
    assert mail.letters_about(build.namespace, build.name) == []


def test_without_anybody_to_tell_nothing_is_owed(builds: Builds) -> None:
    build = builds["nobody"]
    see(build, lambda one: one.read("status.lastFailure"), "it has failed")
    assert is_quiet(build)
    assert build.condition("Notified").reason == "NotConfigured"
    assert build.read("status.mail.failingSince") is not None


def test_what_nobody_asked_for_is_not_told(builds: Builds, mail: RunningMailServer) -> None:
    build = builds["recoveries only"]
    see(build, lambda one: one.read("status.lastFailure") and is_quiet(one), "it has failed")
    assert mail.letters_about(build.namespace, build.name) == []


def test_one_of_three_that_the_server_refuses_is_noted_and_the_others_have_it(
    stage: Stage, mail: RunningMailServer, refusing: dict[str, str]
) -> None:
    gone = "gone@example.org"
    refusing[gone] = "550 5.1.1 no such user"
    build = stage.create("partly", failing([ME, gone, "you@example.com"]))
    see(build, lambda one: one.condition("Notified").reason == "RecipientRefused", "the refusal is noted")
    (envelope,) = [one for one in mail.server.envelopes if stage.namespace.encode() in (one.content or b"")]
    assert envelope.rcpt_tos == [ME, "you@example.com"]
    notified = build.condition("Notified")
    assert notified.status == "False"
    assert "550" in notified.message
    assert is_quiet(build)
    eventually(lambda: "NotificationFailed" in stage.events(build), "an Event tells of it")
    assert stage.events(build).count("NotificationFailed") == 1


def test_a_server_that_is_busy_is_tried_again_and_the_letter_comes_under_one_id(
    stage: Stage, mail: RunningMailServer, refusing: dict[str, str]
) -> None:
    refusing["DATA"] = "451 4.3.0 come back later"
    build = stage.create("busy", failing())
    see(build, lambda one: one.condition("Notified").reason == "Retrying", "the first try was in vain")
    (owed,) = build.read("status.mail.pending")
    assert (owed["tries"], owed["sinks"]) == (1, ["Email"])
    assert "451" in build.condition("Notified").message
    assert mail.letters_about(stage.namespace) == []
    assert build.name in plugin_on(stage).here("mail", build.name).out

    refusing.clear()
    owed["nextTime"] = owed["sinceTime"]  # as if a minute had passed
    build.patch({"status": {"mail": {"pending": [owed]}}}, subresource="status")
    mail.wait_for(1, stage.namespace)
    see(build, is_quiet, "the letter is off the list")
    assert build.condition("Notified").status == "True"


def test_an_operator_that_is_killed_when_the_letter_has_come_sends_at_most_the_same_one_again(
    stage: Stage, mail: RunningMailServer, operator: OperatorProcess
) -> None:
    build = stage.create("killed", failing())
    mail.wait_for(1, stage.namespace)
    operator.stop(signal.SIGKILL)
    operator.start()
    see(build, is_quiet, "the letter is off the list")
    letters = mail.letters_about(stage.namespace)
    assert len({letter["Message-ID"] for letter in letters}) == 1


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        (["me"], "must be one e-mail address"),
        (["me@example.com\r\nBcc: you@example.com"], "must be one e-mail address"),
        (["a" * 388 + "@example.com"], "may not be more than 254"),
        ([f"me{n}@example.com" for n in range(51)], "must have at most 50 items"),
        (["me@example.com", "me@example.com"], "Duplicate value"),
        ([], "should have at least 1 items"),
    ],
    ids=["no address", "line breaks", "400 characters", "51", "twice", "none"],
)
def test_the_api_server_refuses_what_is_no_list_of_addresses(stage: Stage, to: list[str], sentence: str) -> None:
    with pytest.raises(Exception, match=r"spec\.notifications\.email\.to") as refused:
        stage.create("refused", failing(to))
    assert sentence in str(refused.value)


def test_a_person_sees_the_letter_before_it_is_sent(stage: Stage, mail: RunningMailServer) -> None:
    build = stage.create("preview", failing(enabled=True))
    (letter,) = mail.wait_for(1, stage.namespace)
    see(build, is_quiet, "the letter is off the list")
    plugin = plugin_on(stage)
    shown = plugin.here("mail", build.name, "--preview")
    assert shown.code == 0
    assert f"Subject: {letter['Subject']}" in shown.out
    assert "<html" in plugin.here("mail", build.name, "--preview", "--html").out
    nothing = plugin.here("mail", build.name, "--preview", "--kind", "RunRecovered")
    assert "no run of PeriodicBuild preview has succeeded yet" in nothing.err
    assert len(mail.letters_about(stage.namespace)) == 1


def test_no_password_is_in_any_log(operator: OperatorProcess, mail: RunningMailServer) -> None:
    assert mail.password not in operator.log.read_text()
    assert mail.password not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
