"""Arguments and options that commands share, each with its check and its completion.

Must not know what a command does with them.
"""

from __future__ import annotations

import functools
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from periodicbuild.cli.cluster import Where, connect
from periodicbuild.cli.contexts import read_contexts
from periodicbuild.cli.documents import Format
from periodicbuild.cli.objects import list_builds
from periodicbuild.core.durations import DurationError, parse_duration
from periodicbuild.kube.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

F = TypeVar("F", bound="Callable[..., None]")

DNS_LABEL: Final = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""What names of namespaces and PeriodicBuilds are; nothing else may get into the path of a request."""

ZEROS: Final = ("0", "0s", "0m", "0h")


class Name(click.ParamType[str]):
    """The bare name of a PeriodicBuild."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what no name can be."""
        if not DNS_LABEL.fullmatch(value):
            what = f"{value!r} is no name of a PeriodicBuild: write it bare, and its namespace as -n NAMESPACE"
            self.fail(what, param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the PeriodicBuilds of the namespace that is meant."""
        try:
            with connect(_where(ctx.params)) as cluster:
                names = [one.facts.ref.name for one in list_builds(cluster, cluster.namespace)]
        except OperatorError:
            return []
        return _items((name for name in names if name not in (ctx.params.get(param.name or "") or ())), incomplete)


class Namespace(click.ParamType[str]):
    """The name of a namespace."""

    name = "namespace"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what no name can be."""
        if not DNS_LABEL.fullmatch(value):
            self.fail(f"{value!r} is no name of a namespace: small letters, digits and '-', at most 63", param, ctx)
        return value


class KubeContext(click.ParamType[str]):
    """The name of a context in the kubeconfig."""

    name = "context"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """Offer those there are."""
        try:
            return _items(read_contexts(_where(ctx.params).kubeconfig).namespaces, incomplete)
        except OperatorError:
            return []


class Duration(click.ParamType[timedelta]):
    """A length of time in the notation of Kubernetes."""

    name = "duration"

    def __init__(self, *, may_be_zero: bool = False) -> None:
        """`may_be_zero`: `0s` is a length, too."""
        self._may_be_zero = may_be_zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it as the operator reads durations; a default is one already."""
        if isinstance(value, timedelta) or (self._may_be_zero and value in ZEROS):
            return value if isinstance(value, timedelta) else timedelta()
        try:
            return parse_duration(value)
        except DurationError as error:
            self.fail(str(error), param, ctx)


def cluster_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `-n`, `--context` and `--kubeconfig`; the command gets an open `cluster` in their place."""

    @functools.wraps(command)
    def connected(**given: Any) -> None:
        where = _where(given)
        with connect(where) as cluster:
            own = {name: value for name, value in given.items() if name not in Where.__slots__}
            command(cluster=cluster, **own)

    for option in (
        click.option("--kubeconfig", type=click.Path(path_type=Path), help="The kubeconfig to use."),
        click.option("--context", type=KubeContext(), help="The context in it to use."),
        click.option("-n", "--namespace", type=Namespace(), help="Where to look; the context's own if left out."),
    ):
        connected = option(connected)
    return connected


def output_option(*formats: Format) -> Callable[[F], F]:
    """Add `-o` with these formats, all of them if none is named; the command gets `output`, None for people."""
    choices = click.Choice([one.value for one in formats or Format])
    what = "For programs; without it the output is for people." if formats else "For programs; wide has more columns."
    return click.option("-o", "--output", type=choices, callback=_format, help=what)


name_argument = click.argument("name", type=Name())
run_option = click.option("--run", metavar="RUN", help="Of which run; see history.")


def _format(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Format | None:
    return None if value is None else Format(value)


def _where(given: dict[str, Any]) -> Where:
    return Where(**{name: given.get(name) for name in ("namespace", "context", "kubeconfig")})


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
