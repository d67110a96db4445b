"""What becomes of a letter when the mail server refuses, is slow, is somebody else, or is not there."""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.builders.notices import a_failed_run, a_recovery
from tests.mail.certificates import an_authority
from tests.mail.server import HANG_UP, LOOPBACK, SAY_NOTHING, MailServer, ScriptedServer

from periodicbuild.core.reasons import SinkName
from periodicbuild.notify.notice import Receipt
from periodicbuild.notify.overviews import Heartbeat
from periodicbuild.notify.smtp import EmailSink, check
from periodicbuild.notify.smtp_settings import SmtpSettings, Tls

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

PASSWORD = "hunter2-Hunter2"  # noqa: S105 - it opens nothing
ENCODED = base64.b64encode(f"\0operator\0{PASSWORD}".encode()).decode()
ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
ALL = (ANN, BOB, EVE)


def settings_for(port: int, **changes: Any) -> SmtpSettings:
    """Give settings for a server on loopback, without encryption unless told otherwise."""
    chosen = {"host": LOOPBACK, "sender": "Builds <builds@example.com>", "local_hostname": "operator.example.com"}
    return SmtpSettings(port=port, **{"tls": Tls.NONE, "timeout_seconds": 5.0, **chosen, **changes})


def encrypted(folder: Path, port: int, **changes: Any) -> SmtpSettings:
    """Give settings for one that is encrypted."""
    return settings_for(port, **{"tls": Tls.START_TLS, "ca_file": an_authority().file(folder), **changes})


def credentials(folder: Path, password: str = PASSWORD) -> dict[str, Path]:
    """Write the files of username and password."""
    (folder / "username").write_text("operator\n")
    (folder / "password").write_text(f"{password}\n")
    return {"username_file": folder / "username", "password_file": folder / "password"}


def receipt_from(server: MailServer | ScriptedServer, to: tuple[str, ...] = ALL, **changes: Any) -> Receipt:
    """Send a letter without encryption."""

    async def scenario() -> Receipt:
        async with server:
            receipt = await EmailSink(settings_for(server.port, **changes)).send(a_failed_run(), to)
            return _without_port(receipt, server.port)

    return asyncio.run(scenario())


def _without_port(receipt: Receipt, port: int) -> Receipt:
    fields = {name: getattr(receipt, name) for name in ("is_accepted", "refused", "left", "is_final")}
    return Receipt(problem=receipt.problem.replace(f"{LOOPBACK}:{port}", "SERVER"), **fields)


def not_yet(problem: str, **fields: Any) -> Receipt:
    """Give the receipt of a letter that is tried again."""
    return Receipt(is_accepted=False, problem=problem, **fields)


def for_ever(problem: str, **fields: Any) -> Receipt:
    """Give the receipt of a letter that is not."""
    return Receipt(is_accepted=False, is_final=True, problem=problem, **fields)


NO_SUCH_USER = "550 5.1.1 no such user"
FULL = "451 4.2.1 greylisted"

ANSWERS = {
    "a sender refused for now": (
        {"MAIL": "451 4.3.0 later"},
        not_yet("SERVER answered while naming the sender: 451 4.3.0 later"),
    ),
    "a sender refused for ever, which an administrator can mend": (
        {"MAIL": "553 5.7.1 not yours"},
        not_yet("SERVER answered while naming the sender: 553 5.7.1 not yours"),
    ),
    "one recipient of three refused for ever": (
        {BOB: NO_SUCH_USER},
        Receipt(
            is_accepted=True,
            problem=f"SERVER does not take 1 of 3 recipients: {BOB} ({NO_SUCH_USER})",
            refused=(BOB,),
        ),
    ),
    "one recipient of three refused for now": (
        {BOB: FULL},
        Receipt(is_accepted=True, problem=f"SERVER does not take 1 of 3 recipients: {BOB} ({FULL})", left=(BOB,)),
    ),
    "one for ever and one for now": (
        {ANN: FULL, BOB: NO_SUCH_USER},
        Receipt(
            is_accepted=True,
            problem=f"SERVER does not take 2 of 3 recipients: {BOB} ({NO_SUCH_USER}), {ANN} ({FULL})",
            refused=(BOB,),
            left=(ANN,),
        ),
    ),
    "all recipients refused for ever": (
        dict.fromkeys(ALL, NO_SUCH_USER),
        for_ever(
            "SERVER does not take all recipients: " + ", ".join(f"{address} ({NO_SUCH_USER})" for address in ALL),
            refused=ALL,
        ),
    ),
    "all recipients refused, but one only for now": (
        {**dict.fromkeys(ALL, NO_SUCH_USER), EVE: FULL},
        not_yet(
            f"SERVER does not take all recipients: {ANN} ({NO_SUCH_USER}), {BOB} ({NO_SUCH_USER}), {EVE} ({FULL})",
            refused=(ANN, BOB),
            left=(EVE,),
        ),
    ),
    "a server that closes among the recipients": (
        {ANN: NO_SUCH_USER, BOB: "421 4.3.2 closing"},
        not_yet("SERVER answered while naming the recipients: 421 4.3.2 closing", refused=(ANN,)),
    ),
    "a letter refused for now": (
        {"DATA": "452 4.3.1 disk full"},
        not_yet("SERVER answered while sending the letter: 452 4.3.1 disk full"),
    ),
    "a letter refused for ever": (
        {"DATA": "554 5.7.1 looks like spam", BOB: NO_SUCH_USER},
        for_ever("SERVER answered while sending the letter: 554 5.7.1 looks like spam", refused=(BOB,)),
    ),
    "a server that is gone after the letter": (
        {"DATA": HANG_UP},
        not_yet(
            "SERVER hung up while sending the letter; it may have the letter all the same, "
            "and the next try has the same Message-ID"
        ),
    ),
    "a server that takes it": ({}, Receipt(is_accepted=True)),
}


@pytest.mark.parametrize(("answers", "receipt"), ANSWERS.values(), ids=ANSWERS)
def test_what_a_server_answers_decides_who_is_tried_again(answers: dict[str, str], receipt: Receipt) -> None:
    server = MailServer(answers=answers)
    assert receipt_from(server) == receipt
    if receipt.is_accepted:
        (envelope,) = server.envelopes
        assert envelope.rcpt_tos == [address for address in ALL if address not in (*receipt.refused, *receipt.left)]
        assert envelope.mail_from == "builds@example.com"


HELLO = ("220 hello", "250 mail.example.com")

SCRIPTS = {
    "busy at the greeting": (
        ("421 4.7.0 too many connections",),
        "SERVER answered while connecting: 421 4.7.0 too many connections",
    ),
    "no SMTP": (
        ("SSH-2.0-OpenSSH_9.2",),
        "SERVER answered while connecting: something that is no SMTP "
        "(Malformed SMTP response line: SSH-2.0-OpenSSH_9.2)",
    ),
    "silent": (
        (SAY_NOTHING,),
        "SERVER did not answer in time while connecting; is it a firewall, or a port for another TLS mode?",
    ),
    "gone at once": ((HANG_UP,), "SERVER hung up while connecting"),
    "gone at the hello": (("220 hello", HANG_UP), "SERVER hung up while saying hello"),
    "one that knows no EHLO": (("220 hello", "502 what?"), "SERVER answered while saying hello: 502 what?"),
    "silent about the sender": ((*HELLO, SAY_NOTHING), "SERVER did not answer in time while naming the sender"),
    "gone at the sender": ((*HELLO, HANG_UP), "SERVER hung up while naming the sender"),
    "gone at the recipient": ((*HELLO, "250 ok", HANG_UP), "SERVER hung up while naming the recipients"),
    "silent about the letter": (
        (*HELLO, "250 ok", "250 ok", SAY_NOTHING),
        "SERVER did not answer in time while sending the letter; it may have the letter all the same, "
        "and the next try has the same Message-ID",
    ),
    "one that answers with more than a person reads": (
        (*HELLO, "451 \x1b[31m\x00" + "x" * 1000),
        f"SERVER answered while naming the sender: 451 {'x' * 297}...",
    ),
    "one that never ends a line": (
        ("x" * 40_000, HANG_UP),
        "SERVER answered while connecting: something that is no SMTP (Response too long)",
    ),
    "one that shows what it was told": (
        (*HELLO, "451 rejected: password=hunter2-Hunter2"),
        "SERVER answered while naming the sender: 451 rejected: password=[redacted]",
    ),
}


@pytest.mark.parametrize(("script", "problem"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_server_that_is_broken_is_tried_again(script: tuple[str, ...], problem: str) -> None:
    async def scenario() -> Receipt:
        async with ScriptedServer(*script) as server:
            sink = EmailSink(settings_for(server.port, timeout_seconds=0.5))
            return _without_port(await sink.send(a_failed_run(), [ANN]), server.port)

    began = time.monotonic()
    assert asyncio.run(scenario()) == not_yet(problem)
    assert time.monotonic() - began < 5


def test_a_server_that_is_slow_all_the_way_is_left_after_a_while() -> None:
    """Each answer is in time, and there are many of them."""
    many = [f"r{number}@example.com" for number in range(60)]

    async def scenario() -> Receipt:
        async with ScriptedServer(*HELLO, *("250 ok",) * 70, takes_seconds=0.05) as server:
            sink = EmailSink(settings_for(server.port, timeout_seconds=0.3))
            return _without_port(await sink.send(a_failed_run(), many), server.port)

    assert asyncio.run(scenario()) == not_yet("SERVER did not answer in time while naming the recipients")


def test_where_nothing_listens_it_is_said() -> None:
    async def scenario() -> Receipt:
        async with MailServer() as server:
            port = server.port
        return _without_port(await EmailSink(settings_for(port)).send(a_failed_run(), ALL), port)

    assert asyncio.run(scenario()) == not_yet("nothing listens at SERVER: connection refused")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example"])
def test_a_name_that_nobody_knows_is_said(host: str) -> None:
    receipt = asyncio.run(EmailSink(settings_for(25, host=host)).send(a_failed_run(), ALL))
    assert not receipt.is_accepted
    assert not receipt.is_final
    assert receipt.problem.startswith(f"{host}:25 c")


async def sent_encrypted(server: MailServer, settings: SmtpSettings) -> Receipt:
    """Send a letter to a server that runs."""
    return _without_port(await EmailSink(settings).send(a_failed_run(), [ANN]), server.port)


NOT_TRUSTED = "check the file of authorities and the name by which the server is called"


def contexts() -> dict[str, tuple[ssl.SSLContext | None, str]]:
    """Give servers that are not who they should be."""
    ours = an_authority()
    return {
        "an expired certificate": (
            ours.server_context(not_after=datetime(2026, 1, 1, tzinfo=UTC)),
            f"SERVER is not trusted: certificate has expired; {NOT_TRUSTED}",
        ),
        "an authority that nobody knows": (
            an_authority("another").server_context(),
            f"SERVER is not trusted: unable to get local issuer certificate; {NOT_TRUSTED}",
        ),
        "another server": (
            ours.server_context("mail.example.org"),
            f"SERVER is not trusted: IP address mismatch, certificate is not valid for '{LOOPBACK}'; {NOT_TRUSTED}",
        ),
        "no encryption": (
            None,
            "SERVER does not offer STARTTLS, and nothing is sent without: is it the right port?",
        ),
    }


@pytest.mark.parametrize("case", contexts())
@pytest.mark.parametrize("tls", [Tls.START_TLS, Tls.IMPLICIT])
def test_a_server_that_is_not_trusted_gets_nothing(case: str, tls: Tls, tmp_path: Path) -> None:
    context, problem = contexts()[case]
    if context is None and tls == Tls.IMPLICIT:
        problem = "SERVER could not agree with us on TLS: wrong version number; is the port one for this TLS mode?"

    async def scenario() -> None:
        async with MailServer(tls=context, is_implicit=context is not None and tls == Tls.IMPLICIT) as server:
            settings = encrypted(tmp_path, server.port, tls=tls, **credentials(tmp_path))
            assert await sent_encrypted(server, settings) == not_yet(problem)
            assert not server.envelopes
            assert not server.logins

    asyncio.run(scenario())


@pytest.mark.parametrize("tls", [Tls.START_TLS, Tls.IMPLICIT])
def test_one_that_is_gets_the_letter_and_whoever_logs_in(tls: Tls, tmp_path: Path) -> None:
    async def scenario() -> None:
        context = an_authority().server_context()
        password = PASSWORD.encode()
        async with MailServer(tls=context, is_implicit=tls == Tls.IMPLICIT, password=password) as server:
            settings = encrypted(tmp_path, server.port, tls=tls, **credentials(tmp_path))
            assert await sent_encrypted(server, settings) == Receipt(is_accepted=True)
            assert [(login.login, login.password) for login in server.logins] == [(b"operator", password)]
            assert [letter["X-PeriodicBuild-Run"] for letter in server.letters] == ["20261125-023000"]

    asyncio.run(scenario())


def test_a_wrong_password_is_told_and_shown_to_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        context = an_authority().server_context()
        async with MailServer(tls=context, password=b"another") as server:
            settings = encrypted(tmp_path, server.port, **credentials(tmp_path))
            receipt = await sent_encrypted(server, settings)
            assert receipt == not_yet(
                "SERVER answered while logging in: 535 5.7.8 Authentication credentials invalid; "
                "check the files of username and password"
            )

    asyncio.run(scenario())


def test_a_server_that_shows_the_password_is_not_quoted_with_it(tmp_path: Path) -> None:
    async def scenario() -> str:
        context = an_authority().server_context()
        shown = {"AUTH": f"535 no {PASSWORD}, no {ENCODED}, no {base64.b64encode(PASSWORD.encode()).decode()}"}
        async with MailServer(tls=context, password=b"another", answers=shown) as server:
            settings = encrypted(tmp_path, server.port, **credentials(tmp_path))
            return (await sent_encrypted(server, settings)).problem

    assert asyncio.run(scenario()) == (
        "SERVER answered while logging in: 535 no [redacted], no [redacted], no [redacted]; "
        "check the files of username and password"
    )


@pytest.mark.parametrize(
    ("missing", "receipt"),
    [
        (("PLAIN",), Receipt(is_accepted=True)),
        (("PLAIN", "LOGIN"), not_yet("SERVER offers no way to log in that is known here: PLAIN or LOGIN")),
    ],
)
def test_a_server_offers_the_ways_to_log_in(missing: tuple[str, ...], receipt: Receipt, tmp_path: Path) -> None:
    async def scenario() -> Receipt:
        context = an_authority().server_context()
        async with MailServer(tls=context, password=PASSWORD.encode(), without_mechanisms=missing) as server:
            return await sent_encrypted(server, encrypted(tmp_path, server.port, **credentials(tmp_path)))

    assert asyncio.run(scenario()) == receipt


def test_a_password_that_was_replaced_counts_from_the_next_letter_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        context = an_authority().server_context()
        async with MailServer(tls=context, password=PASSWORD.encode()) as server:
            files = credentials(tmp_path, "the-old-one")
            sink = EmailSink(encrypted(tmp_path, server.port, **files))
            assert not (await sink.send(a_failed_run(), [ANN])).is_accepted
            credentials(tmp_path)
            assert (await sink.send(a_failed_run(), [ANN])).is_accepted

    asyncio.run(scenario())


def test_an_authority_that_was_replaced_counts_from_the_next_letter_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with MailServer(tls=an_authority("another").server_context()) as server:
            sink = EmailSink(encrypted(tmp_path, server.port))
            assert not (await sink.send(a_failed_run(), [ANN])).is_accepted
            an_authority("another").file(tmp_path)
            assert (await sink.send(a_failed_run(), [ANN])).is_accepted

    asyncio.run(scenario())


FILES = {
    "no password": ("password", None, "the password cannot be read from FOLDER/password: No such file or directory"),
    "an empty password": ("password", "\n", "the password cannot be read from FOLDER/password: the file is empty"),
    "an empty username": ("username", "", "the username cannot be read from FOLDER/username: the file is empty"),
    "no authorities": (
        "ca.crt",
        None,
        "the file of authorities FOLDER/ca.crt cannot be read: No such file or directory",
    ),
    "authorities that are none": ("ca.crt", "none", "there is no certificate in the file of authorities FOLDER/ca.crt"),
}


@pytest.mark.parametrize(("name", "content", "problem"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_used_is_named(name: str, content: str | None, problem: str, tmp_path: Path) -> None:
    settings = encrypted(tmp_path, 25, **credentials(tmp_path))
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    receipt = asyncio.run(EmailSink(settings).send(a_failed_run(), ALL))
    assert receipt == not_yet(f"no mail to {LOOPBACK}:25: {problem.replace('FOLDER', str(tmp_path))}")


def test_an_address_that_is_none_is_refused_and_the_others_get_it() -> None:
    odd = ("ann@example.com>\r\nDATA", "b\u00f6b@example.com", "nobody")
    server = MailServer()
    receipt = receipt_from(server, (*odd, EVE))
    assert receipt.is_accepted
    assert receipt.refused == odd
    assert receipt.problem.endswith("nobody (no address that a mail can go to)")
    assert len(receipt.problem.splitlines()) == 1
    assert server.envelopes[0].rcpt_tos == [EVE]
    assert server.letters[0]["To"] == EVE


def test_of_many_that_are_refused_the_first_are_named() -> None:
    many = tuple(f"r{number}@example.com" for number in range(20))
    receipt = receipt_from(MailServer(answers=dict.fromkeys(many, "550 " + "x" * 290)), many)
    assert receipt.refused == many
    assert receipt.problem.endswith("x) and 17 more")
    assert len(receipt.problem) <= 1024


def test_a_letter_to_nobody_is_final() -> None:
    assert receipt_from(MailServer(), ()) == for_ever("there is nobody to send a mail to")


def test_no_more_than_four_connections_are_open_at_once() -> None:
    async def scenario() -> tuple[int, int]:
        async with MailServer() as server:
            sink = EmailSink(settings_for(server.port))
            receipts = await asyncio.gather(*(sink.send(a_failed_run(key=f"{n}"), [ANN]) for n in range(20)))
            assert all(receipt.is_accepted for receipt in receipts)
            return server.most_connections, len(server.envelopes)

    assert asyncio.run(scenario()) == (4, 20)


def test_a_digest_and_a_sign_of_life_go_the_same_way() -> None:
    async def scenario() -> list[str]:
        async with MailServer() as server:
            sink = EmailSink(settings_for(server.port))
            beat = Heartbeat(at=datetime(2026, 11, 25, tzinfo=UTC), version="0.1.0", periodic_builds=2, failing=1)
            assert (await sink.send_digest([a_failed_run(), a_recovery()], [ANN])).is_accepted
            assert (await sink.send_heartbeat(beat, [ANN])).is_accepted
            return [letter["X-PeriodicBuild-Kind"] for letter in server.letters]

    assert asyncio.run(scenario()) == ["Digest", "Heartbeat"]
    assert EmailSink(settings_for(25)).name == SinkName.EMAIL


def test_a_check_sends_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with MailServer(tls=an_authority().server_context(), password=PASSWORD.encode()) as server:
            settings = encrypted(tmp_path, server.port, **credentials(tmp_path))
            assert await check(settings) == Receipt(is_accepted=True)
            assert not server.envelopes
            credentials(tmp_path, "wrong")
            assert "answered while logging in: 535" in (await check(settings)).problem

    asyncio.run(scenario())


def test_whoever_stops_waiting_is_not_held_up_by_a_goodbye() -> None:
    async def scenario() -> None:
        async with ScriptedServer(*HELLO, SAY_NOTHING) as server:
            sending = asyncio.create_task(EmailSink(settings_for(server.port)).send(a_failed_run(), [ANN]))
            async with asyncio.timeout(5):
                while not any(line.startswith(b"MAIL") for line in server.heard):  # noqa: ASYNC110 - the server's task
                    await asyncio.sleep(0.005)
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending

    began = time.monotonic()
    asyncio.run(scenario())
    assert time.monotonic() - began < 3
