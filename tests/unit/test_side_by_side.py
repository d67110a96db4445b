"""Two runs at once: both are seen to go on, both are told of, and neither outlives an interruption."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests import side_by_side
from tests.cluster import processes
from tests.cluster.waiting import wait_for

GOOD = "print('tests/a.py ..  [ 50%]'); print('1 passed')"
BAD = "print('a traceback'); raise SystemExit(3)"

RUNS = {"both succeed": (GOOD, GOOD, 0), "one fails": (GOOD, BAD, 3), "both fail": (BAD, BAD, 3)}


@pytest.mark.parametrize(("one", "other", "code"), RUNS.values(), ids=RUNS)
def test_it_fails_if_either_fails(one: str, other: str, code: int) -> None:
    assert side_by_side.run({"one": (sys.executable, "-c", one), "other": (sys.executable, "-c", other)}) == code


def test_progress_comes_at_once_and_the_rest_in_one_piece_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    side_by_side.run({"one": (sys.executable, "-c", GOOD), "other": (sys.executable, "-c", BAD)})

    assert capsys.readouterr().out == "     one | tests/a.py ..  [ 50%]\n\none:\n1 passed\n\n\nother:\na traceback\n\n"


def test_a_silent_one_says_where_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "SILENT_FOR_SECONDS", 0.1)
    slow = "import time; print('tests/b.py .', end='', flush=True); time.sleep(2.5)"

    side_by_side.run({"slow": (sys.executable, "-c", slow)})

    assert "    slow | tests/b.py .\n" in capsys.readouterr().out


RUN = """
import sys
from tests import side_by_side
child = "import pathlib, os, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
sys.exit(side_by_side.run({name: (sys.executable, "-c", child, path) for name, path in zip("ab", sys.argv[1:])}))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_interrupts_it_interrupts_both(tmp_path: Path, number: signal.Signals) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    both = subprocess.Popen([sys.executable, "-c", RUN, *map(str, files)], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: all(one.exists() and one.read_text() for one in files), within_seconds=20, what="both run")

    both.send_signal(number)
    said, _ = both.communicate(timeout=20)

    assert both.returncode != 0
    assert said.count("KeyboardInterrupt") == 2
    assert [processes.started_at(int(one.read_text())) for one in files] == [None, None]


def chosen(arguments: Sequence[str]) -> set[Path]:
    """Give the files that pytest would take; what is named is taken though it is ignored as well."""
    ignored = {Path(one.removeprefix("--ignore=")) for one in arguments if one.startswith("--ignore=")}
    named = {Path(one) for one in arguments if not one.startswith("--")}
    assert not named & ignored
    return {file for path in named for file in (path.glob("test_*.py") if path.is_dir() else [path])} - ignored


def test_all_groups_together_are_all_tests_and_none_is_in_two() -> None:
    groups = [chosen(arguments) for arguments in side_by_side.GROUPS.values()]

    assert sum(map(len, groups)) == len(set.union(*groups))
    assert set.union(*groups) == set(Path("tests").glob("*/test_*.py"))
