"""`doctor`: a checklist of what has to be in order, and what helps where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from periodicbuild.cli.checks.chain import examine
from periodicbuild.cli.checks.finding import State, findings_document, findings_table
from periodicbuild.cli.checks.patient import Account, Patient, list_sightings
from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.options import DNS_LABEL, cluster_options, output_option
from periodicbuild.cli.smtp_options import smtp_options
from periodicbuild.cli.tables import print_tables
from periodicbuild.cli.times import now as read_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.notify.smtp_settings import SmtpSettings


class AccountName(click.ParamType[Account]):
    """A service account with its namespace."""

    name = "namespace/name"

    def convert(self, value: str | Account, param: click.Parameter | None, ctx: click.Context | None) -> Account:
        """Read `NAMESPACE/NAME`; a default is an account already."""
        if isinstance(value, Account):
            return value
        parts = value.split("/")
        if len(parts) != len(Account._fields) or not all(map(DNS_LABEL.fullmatch, parts)):
            self.fail(f"{value!r} is no service account: write NAMESPACE/NAME", param, ctx)
        return Account(*parts)


class HttpUrl(click.ParamType[str]):
    """An address that can be asked."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is not http or https."""
        if urlsplit(value).scheme not in {"http", "https"}:
            self.fail(f"{value!r} is no URL: write it as in http://127.0.0.1:8080", param, ctx)
        return value


@click.command
@click.option("--operator-url", type=HttpUrl(), help="Where its probes are, as with kubectl port-forward.")
@click.option(
    "--operator-account",
    type=AccountName(),
    default=Account("periodicbuild-system", "periodicbuild"),
    help="Its service account.  [default: periodicbuild-system/periodicbuild]",
)
@click.option("--as-operator", is_flag=True, help="These credentials are the operator's: judge by what they may do.")
@smtp_options
@output_option(Format.JSON, Format.YAML)
@cluster_options
def command(  # noqa: PLR0913 - each is an option
    *,
    cluster: Cluster,
    operator_url: str | None,
    operator_account: Account,
    as_operator: bool,
    smtp: SmtpSettings | None,
    output: Format | None,
) -> None:
    """Check that everything is in order.

    The kinds and policies, your rights and the operator's, the operator itself, the time zones in use, and a mail
    server if one is named, with what helps where something is not in order. What you may not see is a warning. Exit
    code 1 if a check has failed.
    """
    now = read_clock()
    scope, sightings = list_sightings(cluster, now)
    patient = Patient(
        cluster=cluster,
        now=now,
        sightings=sightings,
        scope=scope,
        account=operator_account,
        is_operator=as_operator,
        operator_url=operator_url,
        smtp=smtp,
    )
    findings = examine(patient)
    if output is None:
        print_tables(findings_table(findings))
    else:
        print_document(findings_document(findings), output)
    _raise_if_any_failed(findings)


def _raise_if_any_failed(findings: Sequence[Finding]) -> None:
    wrong = [one.check for one in findings if one.state is State.FAILED]
    if wrong:
        has = "has" if len(wrong) == 1 else "have"
        raise AnswerIsNoError(f"{len(wrong)} of {len(findings)} checks {has} failed: {', '.join(wrong)}")
