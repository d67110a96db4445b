"""The place where mutmut works: the core and its own tests, laid out as mutmut wants them.

The one idea a newcomer would miss: mutmut names functions after their path below `src/`, and `operator/` is not called
so.  A copy under that name is simpler than teaching either of them, and it is the copy that gets changed.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
PLACE = ROOT / ".mutation"
CORE = "periodicbuild.core"
IMPORT = re.compile(r"^\s*from ((?:periodicbuild|tests)\.\w+)", re.MULTILINE)
BELONG = {CORE, "tests.builders"}
"""What a test of the core imports; one of anything else reaches the core only by the way, and takes long for it."""

SETTINGS = """\
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/periodicbuild/core/*"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = [{tests}]
use_git_change_detection = false
process_isolation = "forkserver"
timeout_multiplier = 4.0

[tool.pytest.ini_options]
addopts = "--import-mode=importlib"
pythonpath = ["."]
"""


def make_workspace() -> Path:
    """Lay out the copy anew and return its folder; what an earlier run left there is gone."""
    shutil.rmtree(PLACE, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "operator", PLACE / "src", ignore=ignored)
    shutil.copytree(ROOT / "tests" / "builders", PLACE / "tests" / "builders", ignore=ignored)
    tests = [Path("tests", "unit", path.name) for path in tests_of_the_core()]
    for test in tests:
        (PLACE / test).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / test, PLACE / test)
    (PLACE / "mutants" / "src").mkdir(parents=True)  # what is not there when Python starts, it never looks at again
    named = ", ".join(f'"{test}"' for test in tests)
    (PLACE / "pyproject.toml").write_text(SETTINGS.format(tests=named))
    return PLACE


def tests_of_the_core() -> list[Path]:
    """Give the files of tests/unit that are about the core and nothing else."""
    return [path for path in sorted((ROOT / "tests" / "unit").glob("test_*.py")) if _is_of_the_core(path.read_text())]


def _is_of_the_core(text: str) -> bool:
    imported = set(IMPORT.findall(text))
    return CORE in imported and imported <= BELONG


def environment(inherited: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give the environment in which the changed core is the one that gets imported."""
    changed = PLACE / "mutants"
    path = f"{changed / 'src'}:{changed}"
    return {**dict(inherited), "PYTHONPATH": path, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def mutmut(*arguments: str) -> list[str]:
    """Give the command line of mutmut, of this interpreter's environment."""
    return [sys.executable, "-m", "mutmut", *arguments]
