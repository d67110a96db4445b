"""A real mail server on loopback: Debian's postfix, with a configuration, a queue and a mailbox of its own.

It takes whatever it is sent, keeps all of it in one Maildir, and hands nothing on.  The one idea: postfix insists on
root and on its own users, but on no fixed place; so all that it writes lies in a folder of the test, and one process
id ends it.
"""

from __future__ import annotations

import email
import email.policy
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.cluster.packages import Need, ensure_packages
from tests.cluster.ports import free_loopback_port
from tests.cluster.waiting import wait_for
from tests.mail.server import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from tests.mail.certificates import MailAuthority

SBIN: Final = Path("/usr/sbin")
DAEMONS: Final = Path("/usr/lib/postfix/sbin")
NEED: Final = Need(purpose="A real mail server", files={"postfix": (str(SBIN / "postfix"),)})
READY_WITHIN_SECONDS: Final = 20

MAIN: Final = """\
compatibility_level = 3.7
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = {sbin}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.example.com
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
local_transport = error:nothing is local
default_transport = error:nothing is handed on
relay_transport = error:nothing is handed on
virtual_mailbox_domains = static:any
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/server.pem
smtpd_recipient_restrictions = permit_mynetworks, reject
"""

MASTER: Final = """\
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """One that runs."""

    folder: Path
    port: int

    @property
    def letters(self) -> list[EmailMessage]:
        """Read what has arrived, in the order of arrival."""
        files = sorted((self.folder / "mail" / "inbox" / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    @property
    def log(self) -> str:
        """Read what it says of itself."""
        log = self.folder / "log" / "mail.log"
        return log.read_text() if log.exists() else ""


@contextmanager
def running_postfix(authority: MailAuthority) -> Iterator[Postfix]:
    """Start one, and end it; raises LevelUnavailableError where that cannot be."""
    ensure_packages(NEED)
    # Its own users must be able to walk to it, which they cannot through the folders that pytest makes.
    folder = Path(tempfile.mkdtemp(prefix="periodicbuild-postfix-"))
    folder.chmod(0o755)
    postfix = Postfix(folder, free_loopback_port())
    _configure(postfix, authority)
    try:
        _command(folder, "start")
        wait_for(lambda: _master(folder) != 0, within_seconds=READY_WITHIN_SECONDS, what=f"postfix runs in {folder}")
        yield postfix
    finally:
        _end(folder)
        shutil.rmtree(folder)


def _configure(postfix: Postfix, authority: MailAuthority) -> None:
    folder, owner = postfix.folder, pwd.getpwnam("postfix")
    for name in ("queue", "data", "mail", "log"):
        (folder / name).mkdir()
    for name in ("data", "mail"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    certificate = authority.ca.issue_cert(LOOPBACK)
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    (folder / "server.pem").chmod(0o600)
    values = {"folder": folder, "sbin": SBIN, "daemons": DAEMONS, "uid": owner.pw_uid, "gid": owner.pw_gid}
    (folder / "main.cf").write_text(MAIN.format(**values))
    (folder / "master.cf").write_text(MASTER.format(port=f"{LOOPBACK}:{postfix.port}"))


def _command(folder: Path, verb: str) -> None:
    answer = subprocess.run([SBIN / "postfix", "-c", folder, verb], capture_output=True, text=True, check=False)
    if answer.returncode:
        log = folder / "log" / "mail.log"
        said = log.read_text() if log.exists() else ""
        message = f"postfix {verb} failed: {answer.stderr}{answer.stdout}{said}"
        raise RuntimeError(message)


def _master(folder: Path) -> int:
    """Give the process id that ends all of it; 0 = it does not run."""
    file = folder / "queue" / "pid" / "master.pid"
    pid = int(file.read_text().strip() or 0) if file.exists() else 0
    return pid if pid and Path(f"/proc/{pid}").exists() else 0


def _end(folder: Path) -> None:
    pid = _master(folder)
    if pid:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: _master(folder) == 0, within_seconds=READY_WITHIN_SECONDS, what=f"postfix {pid} ends")
