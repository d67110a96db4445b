"""What a newcomer reads in the pages, and that the pages say what can be followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.bench.figures import ROOT
from tests.newcomer.reading import PageError, Section, named
from tests.newcomer.walk import Pages

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "--namespace periodicbuild-system"


def a_section(text: str) -> Section:
    return Section("README.md", "Begin", text)


def a_checkout(folder: Path, readme: str) -> Path:
    (folder / "README.md").write_text(readme)
    return folder


def test_the_pages_say_what_is_followed() -> None:
    assert Pages.of(ROOT) == Pages(
        packages=("python3", "make"),
        demo="make demo",
        image="make image",
        install=(
            f"helm install periodicbuild charts/periodicbuild {NAMESPACE} --create-namespace --wait",
            f"helm test periodicbuild {NAMESPACE} --logs",
        ),
        first_build=(
            "kubectl apply -f manifests/examples/build.yaml",
            "kubectl get appservers --watch",
            "kubectl periodicbuild status",
            "kubectl periodicbuild next completes",
            "kubectl periodicbuild why completes",
        ),
    )


def test_a_section_ends_where_the_next_one_begins(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path, "# It\n\n## Begin\n\nFirst.\n\n### More\n\nSecond.\n\n## End\n\nThird.\n")

    assert Section.of(checkout, "README.md", "Begin").text == "\nFirst.\n\n### More\n\nSecond.\n"


def test_a_section_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(PageError, match=r"README\.md has no section 'Begin' any more\."):
        Section.of(a_checkout(tmp_path, "# It\n\n## End\n"), "README.md", "Begin")


@pytest.mark.parametrize(
    ("block", "typed"),
    [
        ("```console\nmake one\nmake two\n```\n", ("make one", "make two")),
        ("```console\n$ make one\none was made\n$ make two\n```\n", ("make one", "make two")),
        ('=== "Here"\n\n    ```console\n    make one\n    ```\n', ("make one",)),
        ("```console\nmake one\n```\nand\n```console\nmake two\n```\n", ("make one", "make two")),
        ("```console\nmake one \\\n  two\n```\n", ("make one two",)),
        ("```yaml\nkind: None\n```\n```console\nmake one\n```\n", ("make one",)),
    ],
    ids=["lines", "lines with answers", "in a tab", "in two blocks", "in two lines", "beside what is not typed"],
)
def test_what_is_typed_is_what_stands_in_blocks(block: str, typed: tuple[str, ...]) -> None:
    assert a_section(block).typed == typed


def test_a_section_without_commands_is_named() -> None:
    with pytest.raises(PageError, match=r"README\.md, section 'Begin', has no command in it\."):
        _ = a_section("Only words.\n").typed


def test_what_a_machine_has_to_have_is_read_out_of_the_sentence() -> None:
    section = a_section("It is complete on a\nfresh machine with Python 3.11 and make; the rest comes by itself.\n")

    assert section.prerequisites == ("Python 3.11", "make")


def test_a_page_that_asks_for_something_unknown_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for page in ("README.md", "docs/start.md"):
        text = (ROOT / page).read_text()
        (tmp_path / page).write_text(text.replace("Python 3.11 and make", "Python 3.11 and a lathe"))

    with pytest.raises(PageError, match=r"README\.md asks for 'a lathe'"):
        Pages.of(tmp_path)


def test_a_placeholder_is_replaced_by_the_name_of_what_was_applied(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("kind: Thing\nmetadata:\n  name: first\nspec:\n  parts:\n  - name: other\n")

    assert named(("kubectl apply -f one.yaml", "why NAME"), tmp_path) == ("kubectl apply -f one.yaml", "why first")


def test_a_placeholder_without_anything_applied_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="nothing that has one is applied before"):
        named(("why NAME",), tmp_path)
