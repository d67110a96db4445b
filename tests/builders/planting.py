"""Secrets planted where builds give them away, and everything that the operator would make of it.

The one idea a newcomer would miss: the way is the operator's own, from the bytes of a log and the words of a kubelet to
status, Event, mail, webhook and chat; only the API server and the mail server at its ends are left out.
"""

from __future__ import annotations

import json
from dataclasses import replace
from string import ascii_letters, digits
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from tests.builders import a_build, a_run, an_app_server, at
from tests.builders.looks import PREVIOUS, a_look, a_status, an_attempt_look, memory
from tests.builders.notices import OWED

from periodicbuild.core.facts import TemplateJson
from periodicbuild.core.reasons import SinkName, State
from periodicbuild.core.recipients import Telling
from periodicbuild.core.redaction import printable, redact
from periodicbuild.kube.event_body import Reporter, event_body
from periodicbuild.kube.parse import pod_from_json
from periodicbuild.kube.render import render_app_server_status_patch, render_build_status_patch
from periodicbuild.kube.template_secrets import secrets_in, without_secrets
from periodicbuild.notify.cloud_events import batch_json, event_json
from periodicbuild.notify.composing import compose
from periodicbuild.notify.letters import digest_letter, letter
from periodicbuild.notify.slack_text import digest_json, message_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import SearchStrategy

    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.mail import PendingNotice

SECRETS = st.text(ascii_letters + digits, min_size=16, max_size=40).map("Zq9".__add__)
"""Long enough that no word of ours holds one by chance."""

SHAPES: Mapping[str, Callable[[str], str]] = {
    "an assignment": "password={}".format,
    "a key of YAML": "db_password: {}".format,
    "a key of JSON": '{{"api_key": "{}", "user": "me"}}'.format,
    "an option": "+ login --user me --password {}".format,
    "an option with a sign": "+ login --token={} --user me".format,
    "a URL": "cloning https://me:{}@example.com/repo.git".format,
    "a URL of a database": "postgres://me:{}@db:5432/shop".format,
    "a header": "> Authorization: Bearer {}".format,
    "a token of a forge": "using ghp_{} now".format,
    "a key": "-----BEGIN RSA PRIVATE KEY-----\n{0}\n{0}\n-----END RSA PRIVATE KEY-----".format,
    "a key that is cut off": "-----BEGIN PRIVATE KEY-----\n{}".format,
    "a variable": "it is {}".format,
    "coloured": "\x1b[1;31mpassword=\x1b[0m{}".format,
}
"""How builds print them; of a variable in plain text the operator knows the value."""

NOISE = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Z", "C")), max_size=40)


@st.composite
def logs(draw: st.DrawFn) -> tuple[bytes, str]:
    """Draw a log, and the secret that is somewhere in it."""
    secret = draw(SECRETS)
    shape = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
    before, after = draw(NOISE), draw(NOISE)
    return f"{before}\n{shape(secret)}\n{after}".encode(), secret


PLANTED: SearchStrategy[tuple[bytes, str]] = logs()


def everything_told(log: bytes, secret: str) -> dict[str, str]:
    """Give all that becomes of a failed build, by where it goes; log, pod message and environment hold the secret."""
    env = [{"name": "DB_PASSWORD", "value": secret}]
    template = json.dumps({"spec": {"containers": [{"name": "main", "env": env}]}})
    attempt = replace(an_app_server(slot=PREVIOUS), template=TemplateJson(template.encode()))
    shown = redact(printable(log), secrets_in(attempt.template))
    pod = without_secrets(pod_from_json(_failed_pod(attempt, log.decode())), attempt.template)
    build = a_build(status=a_status(runs=[a_run(attempt)]))
    plan = an_attempt_look(attempt, PREVIOUS, pod=pod, log=shown, parent=build)
    assert plan.status is not None
    failed = replace(attempt, status=plan.status)
    assert failed.state == State.ERROR
    telling = Telling(sinks=frozenset(SinkName), to=("me@example.com",))
    ended = a_look(build, PREVIOUS, children=[failed], telling=telling)
    status = memory(ended)
    told = replace(build, status=status)
    (owed,) = status.mail.pending
    return _rendered(told, failed, owed, shown) | {
        "status of the AppServer": render_app_server_status_patch(attempt, plan.status, OWED).decode(),
        "status of the PeriodicBuild": render_build_status_patch(told, status).decode(),
        "Events": "".join(
            event_body(event, Reporter(instance="x"), OWED).decode() for event in (*plan.events, *ended.events)
        ),
    }


def _rendered(build: PeriodicBuild, failed: AppServer, owed: PendingNotice, shown: str) -> dict[str, str]:
    notice = compose(build, owed, failed, shown)
    to, sender = ["me@example.com"], "builds@example.com"
    letters = [
        letter(notice, sender=sender, to=to, domain="example.com"),
        digest_letter([notice], sender=sender, to=to, domain="example.com"),
    ]
    parts = [part.get_content() for one in letters for part in one.walk() if not part.is_multipart()]
    return {
        "mail": "".join([*(one.as_string() for one in letters), *parts]),
        "webhook": (event_json(notice) + batch_json([notice])).decode(),
        "chat": (message_json(notice) + digest_json([notice])).decode(),
    }


def _failed_pod(attempt: AppServer, message: str) -> bytes:
    owner, name = [{"uid": attempt.ref.uid, "controller": True}], attempt.ref.name
    status = {"phase": "Failed", "reason": "Odd", "message": message}
    created = f"{at(PREVIOUS):%Y-%m-%dT%H:%M:%SZ}"
    metadata = {"name": name, "namespace": "apps", "uid": "pod", "creationTimestamp": created, "ownerReferences": owner}
    return json.dumps({"metadata": metadata, "spec": {}, "status": status}).encode()
