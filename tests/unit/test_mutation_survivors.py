"""The list of survivors is read by what they change, and every test of the core is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mutation.survivors import Change, known_survivors, unexplained
from tests.mutation.workspace import tests_of_the_core as core_tests

NAMES = {
    "periodicbuild.core.zones.x_check_zone__mutmut_11": "zones.check_zone",
    "periodicbuild.core.runs.x__settle_failed__mutmut_2": "runs._settle_failed",
    "periodicbuild.core.simulation.xǁ_Worldǁ_facts__mutmut_40": "simulation._World._facts",
}
DIFF = """\
--- src/periodicbuild/core/zones.py
+++ src/periodicbuild/core/zones.py
@@ -1,4 +1,4 @@
     folded = {}
-    near = closest(name,
-        n=3)
+    near = closest(name, n=4)
     return near
"""
CHANGE = Change("zones.check_zone", "near = closest(name,\nn=3)", "near = closest(name, n=4)")


@pytest.mark.parametrize(("name", "function"), NAMES.items())
def test_a_change_is_known_by_its_function_and_lines(name: str, function: str) -> None:
    change = Change.of(name, DIFF)
    assert (change.function, change.removed, change.added) == (function, CHANGE.removed, CHANGE.added)


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a name that mutmut gives"):
        Change.of("periodicbuild.kube.paths.x_f__mutmut_1", DIFF)


def test_a_list_is_read_and_compared(tmp_path: Path) -> None:
    file = tmp_path / "survivors.toml"
    file.write_text(
        "[[survivor]]\n"
        'function = "zones.check_zone"\n'
        "removed = '''near = closest(name,\nn=3)'''\n"
        "added = '''near = closest(name, n=4)'''\n"
        'reason = "no name has four neighbours"\n'
    )
    known = known_survivors(file)
    assert known == {CHANGE: "no name has four neighbours"}
    other = Change("zones.in_zone", "a", "b")
    assert unexplained([CHANGE, other], known) == [other]


def test_every_listed_survivor_has_a_reason() -> None:
    assert all(len(reason.split()) > 2 for reason in known_survivors().values())


def test_the_tests_of_the_core_are_those_that_know_nothing_else() -> None:
    names = {path.name for path in core_tests()}
    assert {"test_plan_epochs.py", "test_recount.py", "test_zones.py"} <= names
    assert not {"test_wiring_queue.py", "test_parse_build.py", "test_cli_next.py", "test_bench_figures.py"} & names
