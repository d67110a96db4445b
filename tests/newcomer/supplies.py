"""What a machine behind a mirror has been given by its administrators, so that packages can be had at all.

Where packages come from is the network's business and no part of the project: it is taken over from the machine that
this runs on, and nothing else is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.cluster.toolchain import go_environment
from tests.release.debian import SUITE, mirror

ORIGINS: Final = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|CERT|PROXY|DEFAULT_TIMEOUT|RETRIES)"
    r"|UV_(INDEX|DEFAULT_INDEX|INDEX_URL|EXTRA_INDEX_URL|INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS|HTTP_TIMEOUT)"
    r"|(HTTPS?|ALL|NO)_PROXY"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE",
    re.IGNORECASE,
)
"""Variables that say where packages are and whom to trust; those that name caches and folders here are none."""
GO_ORIGINS: Final = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE")
FILES: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf")
AUTHORITIES: Final = Path("usr/local/share/ca-certificates")
"""Where Debian's ca-certificates finds more than its own, whenever it is installed."""
APT: Final = re.compile(r"^Acquire::(?:https?|Check-|Retries)\S* .*$", re.MULTILINE | re.IGNORECASE)


def environment_given() -> dict[str, str]:
    """Give the variables that a log-in of the machine has."""
    return {name: value for name, value in os.environ.items() if ORIGINS.fullmatch(name)} | _go_settings()


def _go_settings() -> dict[str, str]:
    """Ask this machine's Go, since they may stand in a file of its own."""
    go = shutil.which("go")
    if go is None:
        return {name: value for name in GO_ORIGINS if (value := os.environ.get(name))}
    command = [go, "env", "-json", *GO_ORIGINS]
    answer = subprocess.run(command, env=go_environment(), capture_output=True, text=True, check=True)
    settings: dict[str, str] = json.loads(answer.stdout)
    return {name: value for name, value in settings.items() if value}


def write_supplies(root: Path) -> None:
    """Write the files into the machine whose files are in root."""
    for file in map(Path, FILES):
        if file.exists():
            target = root / file.relative_to("/")
            target.unlink(missing_ok=True)
            shutil.copyfile(file, target)
    if (Path("/") / AUTHORITIES).is_dir():
        shutil.copytree(Path("/") / AUTHORITIES, root / AUTHORITIES, dirs_exist_ok=True)
    apt = root / "etc" / "apt"
    answer = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    (apt / "apt.conf.d" / "80outside").write_text("\n".join((*APT.findall(answer.stdout), "")))
    (apt / "sources.list").unlink()
    signer = "/usr/share/keyrings/debian-archive-keyring.gpg"
    source = f"Types: deb\nURIs: {mirror()}\nSuites: {SUITE}\nComponents: main\nSigned-By: {signer}\n"
    (apt / "sources.list.d" / "debian.sources").write_text(source)
