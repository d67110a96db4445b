"""What is posted to somebody else's server, and what comes of it, whatever that server does (R38-R40)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from tests.builders.hook_notices import a_notice
from tests.loopback import Loopback
from tests.receivers import answers, drips, echoes, floods, hangs_up, never, no_http, receiving

from periodicbuild.core.reasons import SinkName
from periodicbuild.notify.slack import SlackSink
from periodicbuild.notify.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.loopback import Answer

    from periodicbuild.notify.notice import Receipt, Sink

    MakeSink = Callable[..., Sink]

SECRET = "T0K3N-that-nobody-may-read"  # noqa: S105 - planted, to be looked for
SECRET_PATH = f"/services/{SECRET}?key={SECRET}"
SHORT = timedelta(seconds=0.3)

every_sink = pytest.mark.parametrize("make", [WebhookSink, SlackSink])


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of this machine come between a test and its server."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def file_with(folder: Path, text: str) -> Path:
    """Write a file as a mounted Secret has it."""
    file = folder / "url"
    file.write_text(f"{text}\n")
    return file


async def told_to(make: MakeSink, file: Path, *, patience: timedelta = timedelta(seconds=10)) -> Receipt:
    """Send one notice; whatever comes of it, no part of the URL but its origin may be told."""
    receipt = await make(url_file=file, patience=patience).send(a_notice(), ())
    assert SECRET not in repr(receipt)
    return receipt


async def told(make: MakeSink, folder: Path, behaviour: Answer, patience: timedelta = timedelta(seconds=10)) -> Receipt:
    """Send one notice to a receiver that behaves so; `HERE` in the receipt is its origin."""
    async with receiving(behaviour) as receiver:
        receipt = await told_to(make, file_with(folder, receiver.url + SECRET_PATH), patience=patience)
        assert len(receiver.received) == 1
    problem = receipt.problem.replace(receiver.url, "HERE")
    return type(receipt)(is_accepted=receipt.is_accepted, problem=problem, is_final=receipt.is_final)


@every_sink
def test_who_takes_it_has_it(make: MakeSink, tmp_path: Path) -> None:
    receipt = asyncio.run(told(make, tmp_path, answers(200, "ok")))

    assert (receipt.is_accepted, receipt.problem) == (True, "")


@every_sink
@pytest.mark.parametrize(
    ("status", "is_final", "problem"),
    [
        (400, False, "HERE answers 400 Bad Request"),
        (401, False, "HERE answers 401 Unauthorized: are the key and the URL the right ones?"),
        (403, False, "HERE answers 403 Forbidden: are the key and the URL the right ones?"),
        (404, False, "HERE answers 404 Not Found: is the path of the URL still the right one?"),
        (405, False, "HERE answers 405 Method Not Allowed: is the path of the URL the one that takes a POST?"),
        (408, False, "HERE answers 408 Request Timeout"),
        (410, True, "HERE answers 410 Gone"),
        (413, True, "HERE answers 413 Request Entity Too Large"),
        (422, True, "HERE answers 422 Unprocessable Entity"),
        (425, False, "HERE answers 425 Too Early"),
        (429, False, "HERE answers 429 Too Many Requests"),
        (500, False, "HERE answers 500 Internal Server Error"),
        (503, False, "HERE answers 503 Service Unavailable"),
        (599, False, "HERE answers 599"),
    ],
)
def test_a_refusal_is_final_only_if_no_administrator_could_mend_it(
    make: MakeSink, tmp_path: Path, status: int, problem: str, *, is_final: bool
) -> None:
    receipt = asyncio.run(told(make, tmp_path, answers(status)))

    assert not receipt.is_accepted
    assert receipt.is_final == is_final
    # Python 3.13 has newer words for 413 and 422.
    assert (
        receipt.problem.replace("Content Too", "Request Entity Too").replace("able Content", "able Entity") == problem
    )


@every_sink
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_by_its_host_and_never_followed(make: MakeSink, tmp_path: Path, status: int) -> None:
    async def scenario() -> tuple[Receipt, int]:
        async with receiving() as other:
            elsewhere = answers(status, Location=f"{other.url}/{SECRET}?{SECRET}")
            receipt = await told(make, tmp_path, elsewhere)
            return receipt, len(other.received)

    receipt, seen_elsewhere = asyncio.run(scenario())

    assert (receipt.is_accepted, receipt.is_final, seen_elsewhere) == (False, False, 0)
    assert "which points to 127.0.0.1: redirects are not followed" in receipt.problem


@every_sink
@pytest.mark.parametrize("location", [f"/{SECRET}", "", f"https://[{SECRET}", f"https://{SECRET}!/"])
def test_a_redirect_to_no_host_is_told_without_its_words(make: MakeSink, tmp_path: Path, location: str) -> None:
    receipt = asyncio.run(told(make, tmp_path, answers(302, Location=location)))

    assert "which points to another path of its own" in receipt.problem


@every_sink
@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        pytest.param(never, "HERE has not answered in time", id="never answers"),
        pytest.param(hangs_up, "HERE has hung up without an answer", id="hangs up"),
        pytest.param(no_http, "HERE gives no answer that is HTTP (ClientResponseError)", id="no HTTP"),
        pytest.param(echoes, "HERE answers 403 Forbidden: are the key and the URL the right ones?", id="echoes"),
    ],
)
def test_a_receiver_that_misbehaves_is_tried_again(
    make: MakeSink, tmp_path: Path, behaviour: Answer, problem: str
) -> None:
    began = time.monotonic()

    receipt = asyncio.run(told(make, tmp_path, behaviour, SHORT))

    assert (receipt.is_accepted, receipt.is_final, receipt.problem) == (False, False, problem)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("make", "behaviour", "is_accepted"),
    [
        pytest.param(WebhookSink, floods, True, id="a webhook is asked for no body"),
        pytest.param(WebhookSink, drips, True, id="nor is it waited for"),
        pytest.param(SlackSink, floods, False, id="a chat says one word"),
        pytest.param(SlackSink, drips, False, id="and says it soon"),
    ],
)
def test_no_more_of_an_answer_is_read_than_is_needed(
    make: MakeSink, tmp_path: Path, behaviour: Answer, *, is_accepted: bool
) -> None:
    assert asyncio.run(told(make, tmp_path, behaviour, SHORT)).is_accepted == is_accepted


@every_sink
def test_nobody_there_is_told_so(make: MakeSink, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and not listening
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        receipt = asyncio.run(told_to(make, file_with(tmp_path, url + SECRET_PATH)))

    assert (receipt.is_accepted, receipt.is_final) == (False, False)
    assert receipt.problem == f"{url} cannot be reached: Connection refused"


@every_sink
def test_a_name_that_nobody_knows_is_told_so(make: MakeSink, tmp_path: Path) -> None:
    file = file_with(tmp_path, f"https://{'a' * 70}.invalid{SECRET_PATH}")

    receipt = asyncio.run(told_to(make, file))

    assert (receipt.is_accepted, receipt.is_final) == (False, False)
    assert receipt.problem.startswith(f"https://{'a' * 70}.invalid ")


@every_sink
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "there is no file FILE with the URL: mount the Secret that holds it"),
        (b"", "the file FILE with the URL is empty"),
        (b" \n\n", "the file FILE with the URL is empty"),
        (b"https://e.example/" + b"x" * 9000, "the file FILE with the URL is too long"),
        (b"\xff\xfe", "the file FILE with the URL is no text"),
        (
            b"T0K3N-that-nobody-may-read",
            "the file FILE holds no URL that can be used: it has no host, or one that is none",
        ),
        (b"ftp://e.example/", "the file FILE holds no URL that can be used: it must begin with https://"),
        (b"https://e.example:99999/", "the file FILE holds no URL that can be used: its host or port is none"),
        (
            b"https://[T0K3N-that-nobody-may-read/",
            "the file FILE holds no URL that can be used: its host or port is none",
        ),
        (
            b"https://a.example/1\nhttps://a.example/2",
            "the file FILE holds no URL that can be used: write one URL, without spaces or line breaks in it",
        ),
        (
            b"http://hooks.example/T0K3N-that-nobody-may-read",
            "the file FILE holds no URL that can be used: http is for this host and for Services of the cluster"
            " (NAME.NAMESPACE.svc): write https://",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_without_a_url_that_can_be_used_is_told_with_the_way_out(
    make: MakeSink, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)

    receipt = asyncio.run(told_to(make, file))

    assert (receipt.is_accepted, receipt.is_final) == (False, False)
    assert receipt.problem.replace(str(file), "FILE") == problem


@every_sink
def test_a_file_that_cannot_be_read_is_told_so(make: MakeSink, tmp_path: Path) -> None:
    receipt = asyncio.run(told_to(make, tmp_path))

    assert receipt.problem == f"the file {tmp_path} with the URL cannot be read: Is a directory"


@every_sink
def test_a_url_is_read_for_each_try_since_secrets_rotate(make: MakeSink, tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with receiving(answers(404), answers(200, "ok")) as receiver:
            sink = make(url_file=file_with(tmp_path, f"{receiver.url}/old"))
            assert not (await sink.send(a_notice(), ())).is_accepted
            file_with(tmp_path, f"{receiver.url}/new")
            assert (await sink.send(a_notice(), ())).is_accepted
            return [one.path for one in receiver.received]

    assert asyncio.run(scenario()) == ["/old", "/new"]


@every_sink
def test_credentials_in_a_url_log_in_and_are_never_told(make: MakeSink, tmp_path: Path) -> None:
    async def scenario() -> tuple[str, Receipt]:
        async with receiving(echoes) as receiver:
            url = receiver.url.replace("http://", f"http://me:{SECRET}@")
            receipt = await told_to(make, file_with(tmp_path, url + SECRET_PATH))
            return receiver.received[0].headers["Authorization"], receipt

    login, receipt = asyncio.run(scenario())

    assert login.startswith("Basic ")
    assert "answers 403" in receipt.problem


@pytest.mark.parametrize("is_trusted", [True, False])
@every_sink
def test_only_a_trusted_certificate_is_posted_to(make: MakeSink, tmp_path: Path, *, is_trusted: bool) -> None:
    authority, ca_file = trustme.CA(), tmp_path / "ca.crt"
    (authority if is_trusted else trustme.CA()).cert_pem.write_to_path(str(ca_file))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    async def scenario() -> tuple[Receipt, int]:
        async with receiving(tls=tls) as receiver:
            sink = make(url_file=file_with(tmp_path, receiver.url), ca_file=ca_file)
            return await sink.send(a_notice(), ()), len(receiver.received)

    receipt, seen = asyncio.run(scenario())

    assert (receipt.is_accepted, seen) == ((True, 1) if is_trusted else (False, 0))
    assert ("shows a certificate that is not trusted" in receipt.problem) != is_trusted


@every_sink
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "the file FILE with the authority cannot be read: No such file or directory"),
        ("no certificate", "the file FILE holds no certificate of an authority"),
    ],
)
def test_an_authority_that_cannot_be_read_is_told_so(
    make: MakeSink, tmp_path: Path, content: str | None, problem: str
) -> None:
    ca_file = tmp_path / "ca.crt"
    if content is not None:
        ca_file.write_text(content)
    sink = make(url_file=file_with(tmp_path, "https://127.0.0.1:1"), ca_file=ca_file)

    assert asyncio.run(sink.send(a_notice(), ())).problem.replace(str(ca_file), "FILE") == problem


@every_sink
def test_a_server_that_does_not_speak_tls_is_told_so(make: MakeSink, tmp_path: Path) -> None:
    async def scenario() -> Receipt:
        async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"\x00garbage" * 10)
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(mumble, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await told_to(make, file_with(tmp_path, f"https://127.0.0.1:{port}{SECRET_PATH}"))

    assert "does not speak TLS as we do" in asyncio.run(scenario()).problem


@every_sink
def test_the_proxy_of_the_environment_is_used_unless_it_says_otherwise(
    make: MakeSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_with(tmp_path, "http://receiver.apps.svc/hook")

    async def scenario() -> list[tuple[str, str]]:
        async with Loopback(answers(200, "ok")) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            assert (await told_to(make, file)).is_accepted
            monkeypatch.setenv("no_proxy", "apps.svc")
            assert not (await told_to(make, file)).is_accepted
            return proxy.requests

    assert [method for method, _ in asyncio.run(scenario())] == ["POST"]


@pytest.mark.parametrize(("make", "name"), [(WebhookSink, SinkName.WEBHOOK), (SlackSink, SinkName.SLACK)])
def test_a_sink_says_which_one_it_is(make: MakeSink, name: SinkName, tmp_path: Path) -> None:
    assert make(url_file=tmp_path).name == name
