"""What is typed wrong, or meant for a cluster that is not there: one sentence, and the exit code that scripts go by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cluster.ports import free_loopback_port

from periodicbuild.cli.__main__ import run
from periodicbuild.cli.completion import completions
from periodicbuild.cli.errors import EXIT_CODES, AnswerIsNoError, BadInputError, exit_code_of, sentence_of
from periodicbuild.kube.errors import (
    CredentialsError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    OperatorError,
    TransientKubeError,
)

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = [
    "activate",
    "audit",
    "cancel",
    "changes",
    "convert",
    "disable",
    "doctor",
    "enable",
    "explain-interval",
    "gate",
    "history",
    "logs",
    "mail",
    "next",
    "reschedule",
    "rollback",
    "run",
    "safe",
    "simulate",
    "status",
    "why",
]


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the kubeconfig of a cluster that is down, as the one in force."""
    path = tmp_path / "kubeconfig.yaml"
    cluster = {"server": f"http://127.0.0.1:{free_loopback_port()}"}
    contexts = [
        {"name": name, "context": {"cluster": "it", "user": "me", "namespace": "apps"}} for name in ("dev", "prod")
    ]
    users = [{"name": "me", "user": {"token": "x"}}]
    content = {"clusters": [{"name": "it", "cluster": cluster}], "users": users, "contexts": contexts}
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "dev", **content}))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fly"], "No such command 'fly'; see kubectl periodicbuild --help"),
        (["status", "--fly"], "No such option '--fly'; see kubectl periodicbuild status --help"),
        (["status", "-o", "xml"], "'xml' is not one of 'json', 'yaml', 'wide', 'name'"),
        (["status", "apps/nightly"], "'apps/nightly' is no name of a PeriodicBuild: write it bare"),
        (["status", "../nodes"], "'../nodes' is no name of a PeriodicBuild"),
        (["status", "-n", "Apps"], "'Apps' is no name of a namespace: small letters"),
        (["status", "-A", "nightly"], "a name is looked for in one namespace: leave -A out"),
        (["status", "--context", "prot"], "context 'prot' is not in kubeconfig {kubeconfig}: there is prod"),
        (
            ["status", "--context", "prot", "-n", "apps"],
            "context 'prot' is not in kubeconfig {kubeconfig}: there is prod",
        ),
        (["run"], "Missing argument 'NAME'; see kubectl periodicbuild run --help"),
        (["run", "nightly", "extra"], "Got unexpected extra argument (extra)"),
        (["run", "nightly", "--timeout", "30s"], "--timeout says how long to follow the run: add --wait"),
        (["run", "nightly", "--wait", "--timeout", "30"], "'30' has no unit: write '30s' if seconds are meant"),
        (["run", "nightly", "--dry-run", "--wait"], "leave --wait and --timeout out"),
        (["run", "nightly", "--dry-run", "-o", "name"], "'name' is none: write -o yaml or -o json"),
        (["next", "nightly", "-c", "0"], "0 is not in the range 1<=x<=1000"),
        (["next", "nightly", "-o", "name"], "'name' is not one of 'json', 'yaml'"),
        (["audit"], "name a PeriodicBuild, or write --all for every one of the namespace"),
        (["audit", "nightly", "--all"], "either a NAME or --all: leave one of them out"),
        (["audit", "nightly", "-A"], "either a NAME or --all: leave one of them out"),
        (["reschedule", "nightly"], "Missing argument 'TIME'"),
        (
            ["reschedule", "nightly", "tomorrow"],
            "'tomorrow' is no instant: write date, time and zone as in '2026-12-01",
        ),
        (["reschedule", "nightly", "2026-12-01"], "a time of day is missing, as in '2026-12-01T02:30:00Z'"),
        (["reschedule", "nightly", "2026-12-01T02:30"], "'2026-12-01T02:30' has no zone: write '2026-12-01T02:30Z'"),
        (["reschedule", "nightly", "2026-02-30T02:30Z"], "there is no such date, time or offset"),
        (["reschedule", "nightly", "0001-01-01T00:00+14:00"], "there is no such date, time or offset"),
        (["reschedule", "nightly", "9999-01-01T00:00Z"], "out of reach: write an instant between 1970 and 9900"),
        (["reschedule", "nightly", "+2"], "after the '+', '2' has no unit: write '2s' if seconds are meant"),
        (["reschedule", "nightly", "+1h", "-o", "wide"], "'wide' is not one of 'name', 'json', 'yaml'"),
        (["why", "nightly", "--at", "+1h"], "'+1h' is no instant"),
        (["why", "nightly", "--at", "02:30"], "'02:30' is no instant"),
        (["doctor", "-o", "name"], "'name' is not one of 'json', 'yaml'"),
        (["doctor", "--operator-account", "me"], "'me' is no service account: write NAMESPACE/NAME"),
        (["doctor", "--operator-account", "a/../b"], "'a/../b' is no service account: write NAMESPACE/NAME"),
        (["doctor", "--operator-url", "here"], "'here' is no URL: write it as in http://127.0.0.1:8080"),
        (["doctor", "--operator-url", "file:///etc/passwd"], "is no URL: write it as in http://127.0.0.1:8080"),
        (["gate", "close"], "name the gate: kubectl periodicbuild gate close NAME"),
        (["gate", "shut", "rollout"], "'shut' is not one of 'list', 'close', 'open'"),
        (["gate", "close", "../nodes"], "'../nodes' is no name of a BuildGate"),
        (["gate", "open", "rollout", "--until", "+2h"], "say how a gate is closed: write gate close NAME"),
        (["gate", "--reason", "upgrade"], "say how a gate is closed: write gate close NAME"),
        (["gate", "close", "rollout", "--until", "2020-01-01T00:00Z"], "--until 2020-01-01T00:00:00Z has passed"),
        (["gate", "--dry-run", "--hours", "0"], "0 is not in the range 1<=x<=744"),
        (["safe"], "Missing argument 'NAME'"),
        (["safe", "rollout", "--timeout", "1m"], "--timeout says how long to wait: add --wait"),
        (["explain-interval", "15:30"], "'15:30' is ambiguous"),
        (["explain-interval", "-1h"], "'-1h' is negative: write it without the minus sign"),
        (["explain-interval", "1h", "-o", "wide"], "'wide' is not one of 'json', 'yaml'"),
    ],
)
def test_bad_input_is_answered_by_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(arguments), capsys.readouterr()

    assert (code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("error: ")
    assert sentence.format(kubeconfig=kubeconfig) in said.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no kubeconfig at {path}, and this is no pod with a service account"),
        ("- no: mapping", "{path} is no kubeconfig (it lists no contexts): correct it, or name another one"),
        ("{no yaml", "{path} is no kubeconfig (while parsing"),
        ("clusters: []", "cannot log in with kubeconfig {path}"),
    ],
    ids=["none", "another file", "no YAML", "one without a context"],
)
def test_a_kubeconfig_that_cannot_be_used_is_answered_by_its_path_and_exit_code_3(
    content: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.yaml"
    if content is not None:
        path.write_text(content)

    code, said = run(["status", "--kubeconfig", str(path)]), capsys.readouterr()

    assert (code, said.out, said.err.count("\n")) == (3, "", 1)
    assert sentence.format(path=path) in said.err


def test_an_api_server_that_is_down_is_named(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]

    code, said = run(["status"]), capsys.readouterr()

    assert code == 3
    assert said.err.startswith(f"error: no API server answers at {server} (Connection refused): is the cluster up")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (AnswerIsNoError("it failed"), 1, "it failed"),
        (BadInputError("write it so"), 2, "write it so"),
        (CredentialsError("no way in"), 3, "no way in"),
        (
            NotFoundError(verb="list", ref="periodicbuilds", status=404, message="404 page not found"),
            3,
            "this cluster does not know PeriodicBuilds: kubectl apply -f crds/",
        ),
        (
            ForbiddenError(verb="list", ref="periodicbuilds apps", status=403, message="User eve cannot list"),
            3,
            "not allowed: User eve cannot list; ask whoever runs the cluster for the right to list periodicbuilds",
        ),
        (
            TransientKubeError(verb="list", ref="periodicbuilds", status=401, reason="Unauthorized"),
            3,
            "the API server does not accept these credentials (401, periodicbuilds): log in to the cluster again",
        ),
        (
            KubeError(verb="patch", ref="periodicbuilds apps/a", status=418, reason="Teapot", message="no coffee"),
            3,
            "the API server refuses to patch periodicbuilds apps/a (418 Teapot): no coffee",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_error_has_its_exit_code_and_sentence(error: OperatorError, code: int, sentence: str) -> None:
    assert (exit_code_of(error), sentence_of(error)) == (code, sentence)


@pytest.mark.parametrize("text", ["24h", "1 00:00:00", "P1D", "daily"])
def test_explain_interval_tells_programs_the_seconds_and_the_normal_form(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain-interval", text, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"seconds": 86_400, "normal": "24h"}


def test_explain_interval_tells_people_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain-interval", "90m"]) == 0
    assert capsys.readouterr().out == "'90m' is every 1h30m (5400 seconds), start to start\n"


def test_help_lists_the_commands_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    said = capsys.readouterr().out
    assert all(f"\n  {command} " in said for command in COMMANDS)
    assert all(meaning in said for meaning in EXIT_CODES.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: kubectl periodicbuild {command} ")


@pytest.mark.parametrize(
    ("words", "candidates"),
    [
        ([], [*COMMANDS, ":4"]),
        (["e"], ["enable", "explain-interval", ":4"]),
        (["run", "--w"], ["--wait", ":4"]),
        (["status", "-o", ""], ["json", "yaml", "wide", "name", ":4"]),
        (["status", "--context", "p"], ["prod", ":4"]),
        (["status", "--kubeconfig", ""], [":0"]),
        (["simulate", "-f", ""], [":0"]),
        (["run", ""], [":4"]),
        (["run", "--fly", ""], [":4"]),
    ],
    ids=[
        "nothing",
        "a command",
        "an option",
        "a format",
        "a context",
        "a file",
        "a manifest",
        "a name without a cluster",
        "nonsense",
    ],
)
def test_completion_offers_what_may_come_next_and_never_an_error(words: list[str], candidates: list[str]) -> None:
    assert [line.partition("\t")[0] for line in completions(words)] == candidates
