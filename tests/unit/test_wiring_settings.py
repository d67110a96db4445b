"""The command line: every flag is understood, and every mistake is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from periodicbuild.sources.hosts import HostRules
from periodicbuild.wiring.looking_up import SourceSettings
from periodicbuild.wiring.settings import parse_settings


def test_without_flags_it_watches_everything_and_listens_on_loopback() -> None:
    settings = parse_settings(["run"])
    assert settings.namespaces == ()
    assert (settings.qps, settings.burst, settings.starts_per_second) == (100, 200, 20)
    assert settings.max_concurrent_builds == 0
    assert (settings.listen_host, settings.listen_port) == ("127.0.0.1", 8080)


def test_namespaces_are_repeatable_and_counted_once() -> None:
    arguments = ["run", "--namespace", "a", "--namespace", "b", "--namespace", "a"]
    assert parse_settings(arguments).namespaces == ("a", "b")


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("0.0.0.0:9000", "0.0.0.0", 9000), ("[::1]:80", "::1", 80), (":8080", "", 8080)],  # noqa: S104 - only parsed
)
def test_an_address_is_a_host_and_a_port(address: str, host: str, port: int) -> None:
    settings = parse_settings(["run", "--listen", address])
    assert (settings.listen_host, settings.listen_port) == (host, port)


def test_replicas_share_a_lease_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("periodicbuild.wiring.electing.OWN_NAMESPACE", tmp_path / "namespace")
    outside = parse_settings(["run"]).election
    assert outside is not None
    assert (outside.namespace, outside.name, outside.duration_seconds) == ("periodicbuild-system", "periodicbuild", 15)
    (tmp_path / "namespace").write_text("builds\n")
    inside, chosen = (
        parse_settings(["run", *arguments]).election
        for arguments in ([], ["--leader-elect-resource-namespace=elsewhere", "--leader-elect-identity=pod-1"])
    )
    assert inside is not None
    assert chosen is not None
    assert inside.namespace == "builds"
    assert inside.identity != outside.identity, "no two processes may have one"
    assert (chosen.namespace, chosen.identity) == ("elsewhere", "pod-1")
    assert parse_settings(["run", "--leader-elect=false"]).election is None


def test_sources_may_be_on_any_public_host_unless_told_otherwise() -> None:
    assert parse_settings(["run"]).sources == SourceSettings()
    chosen = [
        "--source-allowed-hosts= github.com,*.Example.com,",
        "--source-private-hosts=http://git.tools.svc,registry.local,10.0.0.7,http://::1",
        "--source-credentials-folder=/etc/sources",
        "--source-ca-file=/etc/ca.pem",
    ]
    assert parse_settings(["run", *chosen]).sources == SourceSettings(
        rules=HostRules(
            allowed=frozenset({"github.com", "*.example.com"}),
            private=frozenset({"registry.local", "10.0.0.7"}),
            plain=frozenset({"git.tools.svc", "::1"}),
        ),
        credentials_folder=Path("/etc/sources"),
        ca_file=Path("/etc/ca.pem"),
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--leader-elect", "no"], "'no' is neither true nor false"),
        (["--leader-elect-lease-duration", "2s"], "2s does not fit: give whole seconds, at least 3s"),
        (["--leader-elect-lease-duration", "15"], "15"),
        (["--leader-elect-resource-name", "My_Lease"], "'My_Lease' is no name of an object"),
        (["--leader-elect-resource-namespace", "A"], "A is no namespace"),
        (["--leader-elect-identity", ""], "'' is no name of a replica: 1 to 253 printable characters"),
        (["--leader-elect-identity", "a\nb"], "is no name of a replica"),
        (["--kube-api-qps", "-1"], "-1 is no rate"),
        (["--kube-api-qps", "nan"], "nan is no rate"),
        (["--kube-api-burst", "0"], "0 is too small: give at least 1"),
        (["--max-concurrent-builds", "-1"], "-1 is too small: give at least 0"),
        (["--listen", "8080"], "8080 is no address: write host:port"),
        (["--listen", "host:99999"], "host:99999 is no address"),
        (["--log-level", "loud"], "invalid choice"),
        (["--kube-api-qps", "fast"], "fast is no rate: give a number per second"),
        (["--kube-api-burst", "1.5"], "1.5 is no whole number"),
        (["--namespace", ""], " is no namespace"),
        (["--namespace", "a,b"], "a,b is no namespace: give one, and repeat the flag for another"),
        (["--namespace", "Team-A"], "Team-A is no namespace"),
        (["--listen", "host:"], "host: is no address"),
        (["--source-allowed-hosts", "https://example.com"], "'https://example.com' is no host: write names like"),
        (["--source-allowed-hosts", "example.com:443"], "'example.com:443' is no host"),
        (["--source-private-hosts", "http://a b"], "'a b' is no host"),
        (["--source-credentials-folder", ""], "the name of the file is empty"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_settings(["run", *arguments])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
