"""A hook of mkdocs: links to files of the repository that are no pages lead to the text of those files.

The one idea a newcomer would miss: the pages are read in two places.  In the repository `../crds/` is right; on the
site there is no such folder, so what is shown there instead is the file's name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
_LINK: Final = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


class DeadLinkError(Exception):
    """A page points at a file that is not there."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Make a page of CONTRIBUTING.md, which stands where people and forges look for it."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    seen_from_docs = re.sub(r"\]\((?!\w+:|#)(docs/)?", lambda link: "](" if link.group(1) else "](../", text)
    files.append(File.generated(config, "contributing.md", content=seen_from_docs))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Replace links that leave the folder of the pages; mkdocs itself checks all others."""
    folder = (DOCS / page.file.src_uri).parent

    def replaced(link: re.Match[str]) -> str:
        text, target = link.group(1), link.group(2)
        if "://" in target or target.startswith("mailto:"):
            return link.group(0)
        file = (folder / target).resolve()
        if file.is_relative_to(DOCS) and file != DOCS:
            return link.group(0)
        if not file.exists():
            raise DeadLinkError(f"{page.file.src_uri}: {target} is not there")
        return f"{text} (`{file.relative_to(ROOT)}`)" if text != str(file.relative_to(ROOT)) else f"`{text}`"

    return _LINK.sub(replaced, markdown)
