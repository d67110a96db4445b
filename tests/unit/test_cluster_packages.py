"""What is said where a real node cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK_AS_NOBODY = """
import os
from tests.cluster.errors import LevelUnavailableError
from tests.cluster.packages import NODE, ensure_packages
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
try:
    ensure_packages(NODE)
except LevelUnavailableError as error:
    raise SystemExit(str(error))
"""


def test_without_root_one_sentence_says_what_is_needed_and_what_works() -> None:
    answer = subprocess.run([sys.executable, "-c", ASK_AS_NOBODY], capture_output=True, text=True, check=False)

    assert answer.returncode == 1
    assert answer.stderr.startswith("A real node needs root")
    assert "Without it, `--level simulated` works" in answer.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="asks the other branch")
def test_elsewhere_than_on_debian_the_packages_are_named() -> None:
    # An empty PATH stands for a machine that has neither the programs nor apt-get.
    ask = ASK_AS_NOBODY.replace("os.geteuid() == 0", "False")
    environment = {"PATH": "/nowhere", "PYTHONPATH": "."}

    answer = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=False)

    assert answer.stderr.startswith("A real node needs what Debian calls containerd, runc,")
    assert "install it by hand. Without it, `--level simulated` works" in answer.stderr
