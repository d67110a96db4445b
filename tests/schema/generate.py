"""Write everything that is generated from the definitions' sources, or check that the committed files are up to date.

`--from-cluster` first reads the pod template anew from the cluster that KUBECONFIG names; without it no cluster is
needed. Run as `python -m tests.schema.generate`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.schema.definitions import CRDS, POD_TEMPLATE, SOURCES, definition_text
from tests.schema.fields import FIELDS_PAGE, fields_text
from tests.schema.pod_template import fetch_pod_template, pod_template_text
from tests.schema.policies import WARNINGS, warnings_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def generated() -> dict[Path, str]:
    """Render every generated file; the committed one must have this text."""
    return {CRDS / source: definition_text(source) for source in SOURCES} | {
        CRDS / WARNINGS: warnings_text(),
        FIELDS_PAGE: fields_text(),
    }


def outdated(files: dict[Path, str]) -> list[Path]:
    """Name the files whose text on disk is another."""
    return [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 1 if `--check` finds a file that is not what would be written."""
    options = _parser().parse_args(arguments)
    if options.from_cluster:
        template = {POD_TEMPLATE: pod_template_text(fetch_pod_template(_kubectl(options.kubectl)))}
        if not _settle(template, check=options.check):
            return 1
    return 0 if _settle(generated(), check=options.check) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.schema.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a committed file is out of date")
    parser.add_argument("--from-cluster", action="store_true", help="read the pod template from the running cluster")
    parser.add_argument("--kubectl", default="kubectl", help="path of kubectl (default: the one on PATH)")
    return parser


def _settle(files: dict[Path, str], *, check: bool) -> bool:
    """Write what is out of date, or only name it; tell whether all is well then."""
    stale = outdated(files)
    for path in stale:
        if check:
            print(f"{path} is out of date: run `python -m tests.schema.generate`", file=sys.stderr)  # noqa: T201
        else:
            path.write_text(files[path], "utf-8")
            print(f"wrote {path}")  # noqa: T201
    return not (check and stale)


def _kubectl(path: str) -> Callable[..., str]:
    return lambda *arguments: subprocess.run([path, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        sys.exit(f"The cluster's OpenAPI could not be read ({error}): check KUBECONFIG and --kubectl.")
