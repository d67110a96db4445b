"""The layout keeps its promises: operator/ is a source root, and folders say what is in them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "operator").rglob("*.py"))


def test_operator_is_a_source_root_and_never_a_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert not list((ROOT / "operator").rglob("operator.py"))
    assert [path.name for path in (ROOT / "operator").iterdir() if not path.name.endswith("cache__")] == [
        "periodicbuild"
    ]


def test_the_standard_library_is_not_shadowed_from_the_root_of_the_checkout() -> None:
    subprocess.run([sys.executable, "-S", "-c", "import operator, collections; operator.add"], cwd=ROOT, check=True)


def test_no_folder_is_called_after_nothing_in_particular() -> None:
    vague = {"utils", "util", "helpers", "common", "misc"}
    assert not [path for path in ROOT.glob("operator/**/*") if path.stem in vague]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_small_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_fits_on_a_screen(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 45
    ]
    assert not long


def test_a_decision_never_reads_a_clock() -> None:
    reading = ("datetime.now", "time.time", "monotonic(", "random.")
    core = ROOT / "operator" / "periodicbuild" / "core"
    assert not [path.name for path in core.glob("*.py") if any(clock in path.read_text() for clock in reading)]
