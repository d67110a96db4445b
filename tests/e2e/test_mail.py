"""One bad night, as the people hear of it who are to act: by mail, by webhook and in a chat (R24, R38-R40)."""

from __future__ import annotations

import json
import signal
from email.message import EmailMessage
from typing import Any

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.e2e.templates import a_build_spec, a_template
from tests.e2e.test_capsule import ENV, PLANTED, TALKS
from tests.mail.running import Mailbox
from tests.operator_process import OperatorProcess
from tests.receivers import Receiver

pytestmark = pytest.mark.real_node

TO_ME = {"email": {"to": ["me@example.com"]}}
FAILS = "for n in $(seq 1 60); do echo step $n; done; echo cannot reach the package index; exit 4"


def is_quiet(build: PeriodicBuild) -> bool:
    """Tell whether nothing is owed and nothing runs."""
    return not build.read("status.mail.pending") and not build.read("status.runs")


def text_of(letter: EmailMessage) -> str:
    """Give the text part."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def posted(hooks: Receiver, path: str, build: PeriodicBuild) -> list[dict[str, Any]]:
    """Give what was posted there about a PeriodicBuild."""
    bodies = [one.body for one in hooks.received if one.path == path]
    return [json.loads(body) for body in bodies if f"{build.namespace}/{build.name}".encode() in body]


def test_a_nightly_run_that_fails_after_two_retries_is_one_mail_and_the_next_good_one_is_one_more(
    stage: Stage, mail: Mailbox, hooks: Receiver
) -> None:
    spec = a_build_spec(FAILS, retries={"limit": 2, "delay": "1s"}, notifications=TO_ME)
    build = stage.create("nightly", spec)
    (failure,) = mail.wait_for(1, stage.namespace)
    see(build, is_quiet, "everybody has been told")
    assert len(stage.app_servers(build)) == 3
    text = text_of(failure)
    assert "cannot reach the package index" in text
    assert "step 60" in text
    assert "step 5\n" not in text
    assert text.count("step ") == 49  # of the 50 last lines one says why
    assert "exit code 4" in text
    assert f"kubectl periodicbuild logs nightly -n {stage.namespace}" in text
    assert max(map(len, text.splitlines())) <= 80

    build.patch({"spec": {"template": a_template("exit 0")}})
    build.run_now("mended")
    _, recovery = mail.wait_for(2, stage.namespace)
    see(build, lambda one: is_quiet(one) and one.read("status.lastSuccess"), "everybody has been told")
    assert [one["X-PeriodicBuild-Kind"] for one in mail.letters_about(stage.namespace)] == ["RunFailed", "RunRecovered"]
    assert recovery["References"] == failure["References"]
    kinds = [event["type"].rpartition(".")[0] for event in posted(hooks, "/webhook", build)]
    assert len(kinds) == len(set(kinds)) == 2
    assert len(posted(hooks, "/slack", build)) == 2


def test_whenever_the_operator_dies_there_is_a_mail_and_all_of_them_have_one_id(
    stage: Stage, mail: Mailbox, operator: OperatorProcess
) -> None:
    """At each step: an attempt has begun, it has failed, the letter has come."""
    spec = a_build_spec("sleep 1; exit 4", retries={"limit": 2, "delay": "2s"}, notifications=TO_ME)
    build = stage.create("killed", spec)
    for number in (1, 2, 3):
        stage.attempt(build, number, "ConfigurationFailed")
        operator.stop(signal.SIGKILL)
        operator.start()
    mail.wait_for(1, stage.namespace)
    operator.stop(signal.SIGKILL)
    operator.start()
    see(build, is_quiet, "everybody has been told")
    letters = mail.letters_about(stage.namespace)
    assert len({letter["Message-ID"] for letter in letters}) == 1
    assert {letter["X-PeriodicBuild-Kind"] for letter in letters} == {"RunFailed"}


def test_what_a_build_gives_away_reaches_nobody(
    stage: Stage, mail: Mailbox, hooks: Receiver, operator: OperatorProcess
) -> None:
    spec = a_build_spec(TALKS, container=ENV, notifications={"email": {"to": ["me@example.com"]}})
    build = stage.create("talks", spec)
    (letter,) = mail.wait_for(1, stage.namespace)
    see(build, is_quiet, "everybody has been told")
    everything = {
        "mail": letter.as_string()
        + "".join(str(part.get_content()) for part in letter.walk() if not part.is_multipart()),
        "webhook": json.dumps(posted(hooks, "/webhook", build)),
        "chat": json.dumps(posted(hooks, "/slack", build)),
        "status": json.dumps([build.obj["status"], *(one.obj["status"] for one in stage.app_servers(build))]),
        "Events": stage.kubectl("get", "events.events.k8s.io", "-o", "json"),
        "log": operator.log.read_text(),
    }
    assert all(everything.values())
    found = [(where, secret) for where, text in everything.items() for secret in PLANTED if secret in text]
    assert found == []
    assert "[redacted]" in text_of(letter)
